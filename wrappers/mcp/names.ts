/** Names and texts that clients, people and models are to read. */

import { quote } from "../../_text.ts";

/** What nobody sees, or sees elsewhere; as in policy files. */
const UNSEEN =
  /(?![\t\n\r\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/u;

/** Tags of Unicode and selectors: text that models read and people do not. */
const HIDDEN =
  /[\u{e0000}-\u{e0fff}\u{fe00}-\u{fe0e}\u115f\u1160\u3164\uffa0]/u;

const ITEM_NAME = /^[A-Za-z0-9_./-]{1,128}$/;

const ARGUMENT_NAME = /^[A-Za-z0-9_.-]{1,128}$/;

const MIME_TYPE =
  /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?:;[\x20-\x7e]{1,128})?$/i;

/** Longest URI, in characters. */
export const MAX_URI = 2_048;

/** Collects what is wrong, so that all of it can be told at once. */
export class Findings {
  readonly #texts: string[] = [];
  #count = 0;

  /** How many things are wrong. */
  get count(): number {
    return this.#count;
  }

  /** Notes that something is wrong; only the first few are told. */
  add(where: string, problem: string): void {
    this.#count++;
    if (this.#texts.length < 20) this.#texts.push(`${where} ${problem}`);
  }

  /** What is wrong, in a sentence; undefined, if nothing is. */
  get text(): string | undefined {
    return this.#texts.length === 0 ? undefined : this.#texts.join("; ");
  }
}

/** What is wrong with a text that people and models read, if anything is. */
export function textProblem(
  text: unknown,
  maxLength: number,
): string | undefined {
  if (typeof text !== "string") return "is no text";
  if (text.length > maxLength) return `is longer than ${maxLength} characters`;
  const [char] = UNSEEN.exec(text) ?? HIDDEN.exec(text) ?? [];
  if (char === undefined) return undefined;
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `holds U+${code.padStart(4, "0")}, which nobody sees (leave it out)`;
}

/** What is wrong with the name of a tool or prompt. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name === "string" && isPlainName(name, ITEM_NAME)) {
    return undefined;
  }
  return "is no name (1 to 128 of A-Z a-z 0-9 _ . / -)";
}

/** What is wrong with the name of an argument. */
export function argumentNameProblem(name: unknown): string | undefined {
  if (typeof name === "string" && isPlainName(name, ARGUMENT_NAME)) {
    return undefined;
  }
  return "is no name of an argument (1 to 128 of A-Z a-z 0-9 _ . -)";
}

function isPlainName(name: string, pattern: RegExp): boolean {
  // no key of ours may be mistaken for a prototype
  return pattern.test(name) && name !== "__proto__";
}

/** What is wrong with the URI of a resource. */
export function uriProblem(uri: unknown): string | undefined {
  if (typeof uri !== "string" || !URL.canParse(uri)) {
    return 'is no URI (write a scheme, such as "notes://today")';
  }
  return textProblem(uri, MAX_URI) ??
    (/[\s<>"{}|\\^`]/.test(uri) ? "holds what no URI may hold" : undefined);
}

/** What is wrong with a type of content. */
export function mimeTypeProblem(type: unknown): string | undefined {
  if (typeof type === "string" && MIME_TYPE.test(type)) return undefined;
  return "is no type of content (such as text/plain)";
}

/** What is wrong with bytes in base64. */
export function base64Problem(data: unknown): string | undefined {
  if (typeof data !== "string") return "is no text";
  if (data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) {
    return "is not base64";
  }
  return undefined;
}

/** A plain object of JSON's. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value of JSON's is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of an object of a guest's: never one of a prototype. */
export function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Refuses members that nobody knows: a typo, or something to hide behind. */
export function checkMembers(
  object: JsonObject,
  known: readonly string[],
  { where, findings }: { readonly where: string; readonly findings: Findings },
): void {
  for (const name of Object.keys(object)) {
    if (known.includes(name)) continue;
    findings.add(where, `has ${quote(name)}, which is not known`);
    return;
  }
}
