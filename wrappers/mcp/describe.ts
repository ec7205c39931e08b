/** What a guest says that it offers. */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { McpGuest } from "./guest.ts";
import {
  checkMembers,
  type Findings,
  isObject,
  type JsonObject,
  own,
} from "./names.ts";
import { isTooDeep } from "./replies.ts";

/** Most entries that a guest may describe. */
const MAX_ENTRIES = 256;

/** Longest description, as JSON, in UTF-16 units. */
const MAX_LENGTH = 256 * 1_024;

/** The lists, what names an entry of them, and its other members. */
const LISTS = {
  tools: {
    key: "name",
    texts: ["name", "title", "description", "handler"],
    objects: ["inputSchema", "outputSchema", "annotations"],
    lists: [],
  },
  resources: {
    key: "uri",
    texts: [
      "uri",
      "name",
      "title",
      "description",
      "mimeType",
      "handler",
      "text",
      "blob",
    ],
    objects: [],
    lists: [],
  },
  resourceTemplates: {
    key: "uriTemplate",
    texts: [
      "uriTemplate",
      "name",
      "title",
      "description",
      "mimeType",
      "handler",
      "complete",
    ],
    objects: [],
    lists: [],
  },
  prompts: {
    key: "name",
    texts: ["name", "title", "description", "handler", "complete"],
    objects: [],
    lists: ["arguments"],
  },
} as const;

/** Names of the lists. */
export type ListName = keyof typeof LISTS;

const LIST_NAMES = Object.keys(LISTS) as ListName[];

/** An entry that a guest described: of the right types, and nothing more. */
export interface Described {
  readonly list: ListName;
  /** Its name or URI. */
  readonly key: string;
  readonly spec: JsonObject;
  /** Where it stands, for messages. */
  readonly where: string;
}

const ANNOTATIONS = [
  "title",
  "readOnlyHint",
  "destructiveHint",
  "idempotentHint",
  "openWorldHint",
];

/**
 * Asks a guest what it offers.
 *
 * @param guest The guest.
 * @param name The export.
 * @param findings Takes what is wrong.
 * @returns The entries.
 */
export async function describe(
  guest: McpGuest,
  name: string,
  { findings, signal }: {
    readonly findings: Findings;
    readonly signal: AbortSignal;
  },
): Promise<readonly Described[]> {
  const reply: unknown = await guest.use(
    (sandbox) => sandbox.call(name, null, { abi: "json", signal }),
    { signal },
  );
  if (!isObject(reply)) {
    findings.add("what it gives", "is no object");
    return [];
  }
  if (isTooDeep(reply) || JSON.stringify(reply).length > MAX_LENGTH) {
    findings.add(
      "what it gives",
      `is nested too deep, or longer than ${MAX_LENGTH} characters`,
    );
    return [];
  }
  checkMembers(reply, LIST_NAMES, { where: "what it gives", findings });
  const entries = LIST_NAMES.flatMap((list) =>
    entriesOf(list, own(reply, list), findings)
  );
  if (entries.length <= MAX_ENTRIES) return entries;
  findings.add("what it gives", `has more than ${MAX_ENTRIES} entries`);
  return [];
}

/** The error of a guest whose description is wrong. */
export function described(
  guest: string,
  name: string,
  findings: Findings,
): SandboxError<"guest-protocol"> {
  const problem = findings.text ?? "";
  return new SandboxError(
    "guest-protocol",
    `Cannot use the guest ${quote(guest)}: what its export ${quote(name)} ` +
      `says is wrong: ${problem}`,
    { details: { export: name, problem } },
  );
}

function entriesOf(
  list: ListName,
  given: unknown,
  findings: Findings,
): readonly Described[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    findings.add(list, "is no list");
    return [];
  }
  return given.slice(0, MAX_ENTRIES + 1).flatMap((each, index) => {
    const where = `${list}[${index}]`;
    const spec = specOf(list, each, { where, findings });
    return spec === undefined ? [] : [{ list, ...spec, where }];
  });
}

function specOf(
  list: ListName,
  given: unknown,
  { where, findings }: { readonly where: string; readonly findings: Findings },
): Pick<Described, "key" | "spec"> | undefined {
  const { key, texts, objects, lists } = LISTS[list];
  if (!isObject(given)) {
    findings.add(where, "is no object");
    return undefined;
  }
  const before = findings.count;
  checkMembers(given, [...texts, ...objects, ...lists], { where, findings });
  expect(given, texts, { where, findings, is: isText, what: "text" });
  expect(given, objects, { where, findings, is: isObject, what: "object" });
  expect(given, lists, { where, findings, is: Array.isArray, what: "list" });
  checkAnnotations(own(given, "annotations"), `${where}.annotations`, findings);
  checkArguments(own(given, "arguments"), `${where}.arguments`, findings);
  const name = own(given, key);
  if (name === undefined) findings.add(where, `has no ${key}`);
  if (findings.count > before || typeof name !== "string") return undefined;
  // a tool or prompt is answered by the export of its name
  const isNamed = list === "tools" || list === "prompts";
  return { key: name, spec: isNamed ? { handler: name, ...given } : given };
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function expect(
  given: JsonObject,
  names: readonly string[],
  { where, findings, is, what }: {
    readonly where: string;
    readonly findings: Findings;
    readonly is: (value: unknown) => boolean;
    readonly what: string;
  },
): void {
  for (const name of names) {
    const value = own(given, name);
    if (value !== undefined && !is(value)) {
      findings.add(`${where}.${name}`, `is no ${what}`);
    }
  }
}

function checkAnnotations(
  given: unknown,
  where: string,
  findings: Findings,
): void {
  if (!isObject(given)) return;
  checkMembers(given, ANNOTATIONS, { where, findings });
  for (const [name, value] of Object.entries(given)) {
    const isRight = name === "title"
      ? typeof value === "string"
      : typeof value === "boolean";
    if (!isRight) findings.add(`${where}.${name}`, "is not of its type");
  }
}

function checkArguments(
  given: unknown,
  where: string,
  findings: Findings,
): void {
  if (!Array.isArray(given)) return;
  for (const [index, each] of given.entries()) {
    const at = `${where}[${index}]`;
    if (!isObject(each)) {
      findings.add(at, "is no object");
      continue;
    }
    checkMembers(each, ["name", "description", "required"], {
      where: at,
      findings,
    });
    const { description, required } = each;
    if (description !== undefined && typeof description !== "string") {
      findings.add(`${at}.description`, "is no text");
    }
    if (required !== undefined && typeof required !== "boolean") {
      findings.add(`${at}.required`, "is neither true nor false");
    }
  }
}
