/** What is wrong with a policy file, and where. */

import { printable, quote } from "../../_text.ts";
import { type PolicyProblem, SandboxError } from "../../errors.ts";

/** Most problems that are told of one file. */
export const MAX_PROBLEMS = 20;

/** Steps from the root of the document: names and indices. */
export type Path = readonly (string | number)[];

/** Codes of errors that tell what is wrong with a document. */
export type DocumentCode =
  | "invalid-policy"
  | "invalid-manifest"
  | "invalid-config";

/** The file that is read. */
export interface PolicySource {
  /** Its name. */
  readonly source: string;
  /** Its text. */
  readonly text: string;
  /** What it is. @default {"policy"} */
  readonly what?: "policy" | "manifest" | "config";
  /** What the error says of it. @default {"invalid-policy"} */
  readonly code?: DocumentCode;
}

/** One thing that is wrong. */
export interface Finding {
  /** Where, in UTF-16 units from the start; undefined, if it is not known. */
  readonly offset?: number | undefined;
  /** Where in the document. */
  readonly path?: Path;
  /** What was expected there. */
  readonly expected: string;
  /** What is there, as a sentence goes on after the path: `is "rw"`. */
  readonly problem: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Whether the problem tells what was expected, too. */
  readonly isWhole?: boolean;
}

/** Collects what is wrong. */
export class Problems {
  readonly #source: PolicySource;
  readonly #found: { readonly at: number; readonly problem: PolicyProblem }[] =
    [];

  constructor(source: PolicySource) {
    this.#source = source;
  }

  /** Whether there is nothing wrong so far. */
  get none(): boolean {
    return this.#found.length === 0;
  }

  /** Notes a problem, unless there are enough. */
  add(finding: Finding): void {
    if (this.#found.length >= MAX_PROBLEMS) return;
    this.#found.push({
      at: finding.offset ?? Infinity,
      problem: problemOf(this.#source, finding),
    });
  }

  /** Notes several. */
  addAll(findings: readonly Finding[]): void {
    for (const finding of findings) this.add(finding);
  }

  /** Throws what was found, if anything was, in the order of the text. */
  raise(): void {
    if (this.none) return;
    const sorted = this.#found.toSorted((a, b) =>
      a.at === b.at ? 0 : a.at - b.at
    );
    throw policyError(this.#source, sorted.map(({ problem }) => problem));
  }
}

/** Makes an error of a single problem. */
export function failure(
  source: PolicySource,
  finding: Finding,
  cause?: unknown,
): SandboxError<DocumentCode> {
  return policyError(source, [problemOf(source, finding)], cause);
}

function policyError(
  { source, what = "policy", code = "invalid-policy" }: PolicySource,
  problems: readonly PolicyProblem[],
  cause?: unknown,
): SandboxError<DocumentCode> {
  const [{ message: _, ...first } = { path: "", expected: "" }] = problems;
  const told = problems.map(({ message }) => message).join("; ");
  return new SandboxError<DocumentCode>(
    code,
    `Cannot use the ${what} ${printable(source)}: ${told}`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { source, ...first, problems },
    },
  );
}

function problemOf(
  { text }: PolicySource,
  { offset, path = [], expected, problem, hint, isWhole = false }: Finding,
): PolicyProblem {
  const place = offset === undefined || text === ""
    ? undefined
    : locate(text, offset);
  const where = place === undefined
    ? ""
    : `line ${place.line}, column ${place.column}: `;
  const written = pathText(path);
  const subject = written === "" || problem.startsWith("there is")
    ? ""
    : `${written} `;
  const advice = hint === undefined ? "" : ` (${hint})`;
  const wanted = isWhole ? "" : `, expected ${expected}`;
  return {
    ...place,
    path: written,
    expected,
    message: `${where}${subject}${problem}${wanted}${advice}`,
  };
}

/** The line and the column of an offset, both from 1; columns in characters. */
export function locate(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  return { line, column: [...before.slice(start)].length + 1 };
}

/** Writes a path: `capabilities[0].mounts`. */
export function pathText(path: Path): string {
  return path.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    if (!/^[A-Za-z_]\w*$/.test(step)) return `[${quote(step)}]`;
    return index === 0 ? step : `.${step}`;
  }).join("");
}
