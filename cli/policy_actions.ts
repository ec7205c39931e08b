/**
 * What the commands beneath `policy` do. Apart from them, since it reaches a
 * parser of YAML, which other commands do not need.
 *
 * @module
 */

import { dirname } from "node:path";
import { printable } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { shellQuote } from "../security/policy_file/explain.ts";
import {
  explainPolicy,
  type ExtismDialect,
  importExtismManifest,
  parsePolicy,
  type PolicyDocument,
  type PolicyExplanation,
  policySchema,
  stringifyPolicy,
} from "../security/policy_file/mod.ts";
import { readBytes } from "../security/policy_file/parse.ts";
import { exitCodeOf } from "./exit_codes.ts";
import type { CliHost } from "./host.ts";
import { type Session, STDIN } from "./session.ts";
import { roomOf, styleOf } from "./style.ts";
import { table } from "./table.ts";

/** The flags of these commands. */
export interface PolicyFlags {
  /** `--json`. */
  readonly json?: true;
  /** `--dialect`. */
  readonly dialect?: ExtismDialect;
}

/**
 * Tells everything that is wrong with a policy file.
 *
 * @param session The run of the command line.
 * @param flags The flags.
 * @param file Path of the file, or `-`.
 */
export async function check(
  session: Session,
  { json }: PolicyFlags,
  file: string,
): Promise<void> {
  const { host } = session;
  try {
    const { policy } = await read(session, file);
    const { length } = policy.capabilities;
    if (json) return await session.printJson({ source: file, problems: [] });
    const noun = length === 1 ? "capability" : "capabilities";
    await host.stdout(`${printable(file)}: well-formed, ${length} ${noun}\n`);
  } catch (error) {
    if (!SandboxError.is(error, "invalid-policy")) throw error;
    session.exitCode = exitCodeOf(error);
    const { problems = [] } = error.details;
    if (json) return await session.printJson({ source: file, problems });
    const lines = problems.map(({ message }) =>
      `${printable(file)}: ${printable(message)}\n`
    );
    await host.stderr(lines.join(""));
  }
}

/**
 * Puts a policy file into sentences and flags.
 *
 * @param session The run of the command line.
 * @param flags The flags.
 * @param file Path of the file, or `-`.
 */
export async function explain(
  session: Session,
  { json }: PolicyFlags,
  file: string,
): Promise<void> {
  const explanation = explainPolicy(await read(session, file));
  if (json) await session.printJson(explanation);
  else await session.host.stdout(explanationText(explanation, session.host));
}

function explanationText(
  explanation: PolicyExplanation,
  host: CliHost,
): string {
  const style = styleOf(host);
  const width = roomOf(host);
  const { grants, notGranted, limits, isolation, notProtected } = explanation;
  const flags = explanation.denoFlags.map(shellQuote);
  const child = explanation.childFlags.map(shellQuote);
  const FLAGS = "As flags of Deno";
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["What it may do", grants],
    ["Not granted", notGranted],
    ["What it may use", limits],
    ["Where it runs", [isolation]],
    ["Not protected", notProtected],
    [FLAGS, [
      ["deno run --no-prompt", ...flags].join(" "),
      child.length === 0
        ? "In a process of its own the guest gets no permission of Deno."
        : `In a process of its own the guest gets only ${child.join(" ")}.`,
      ...explanation.notNameable.map((each) =>
        `No flag can name ${shellQuote(each)}: it has a comma or a line break.`
      ),
    ]],
  ];
  return parts.filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => {
      const rows = lines.map((line) => [printable(line)]);
      const text = [
        style.title(`${title}:`),
        // flags are one line, to be copied
        ...table(rows, {
          width: title === FLAGS ? Infinity : width,
          indent: 2,
        }),
      ];
      return text.map((line) => `${line}\n`).join("");
    }).join("\n");
}

/**
 * Makes a policy of an Extism manifest.
 *
 * @param session The run of the command line.
 * @param flags The flags.
 * @param file Path of the file, or `-`.
 */
export async function importManifest(
  session: Session,
  { json, dialect = "native" }: PolicyFlags,
  file: string,
): Promise<void> {
  const { host } = session;
  const { document, notes } = importExtismManifest(
    await bytesOf(session, file),
    { source: file, baseDirectory: dirname(file), dialect },
  );
  if (json) {
    const policy = JSON.parse(stringifyPolicy(document, "json"));
    return await session.printJson({ policy, notes });
  }
  await host.stdout(stringifyPolicy(document));
  const lines = notes.map(({ path, message }) =>
    `note: ${printable(path)}: ${printable(message)}\n`
  );
  await host.stderr(lines.join(""));
}

async function read(session: Session, file: string): Promise<PolicyDocument> {
  return parsePolicy(await bytesOf(session, file), {
    source: file,
    baseDirectory: dirname(file),
  });
}

async function bytesOf(session: Session, file: string): Promise<Uint8Array> {
  const { host } = session;
  return await readBytes(
    file,
    (path, maxBytes) =>
      path === STDIN ? host.readStdin(maxBytes) : host.readFile(path, maxBytes),
  );
}

/**
 * Prints the JSON Schema of policy files.
 *
 * @param session The run of the command line.
 * @param flags The flags.
 */
export async function printSchema(
  session: Session,
  { json }: PolicyFlags,
): Promise<void> {
  if (json) return await session.printJson(policySchema());
  await session.host.stdout(`${JSON.stringify(policySchema(), null, 2)}\n`);
}
