/** The helpers that fill holes, for the language of one file. */

import type { Language } from "./languages.ts";
import { prose } from "./literals.ts";
import { camel, constant, identifier, kebab, pascal } from "./names.ts";

/** Longest list of properties that stays on one line, in characters. */
const MAX_LINE = 60;

type Helper = (value: unknown, ...others: unknown[]) => unknown;

/** What is written for values: themselves, or plain ones in their places. */
export class Literals {
  readonly #language: Language | undefined;
  readonly #isPlain: boolean;

  /**
   * Constructs it.
   *
   * @param language Language of the file, if it is known.
   * @param isPlain Whether plain values are written.
   */
  constructor(language: Language | undefined, isPlain: boolean) {
    this.#language = language;
    this.#isPlain = isPlain;
  }

  /** The helpers, by name. */
  get helpers(): Readonly<Record<string, Helper>> {
    const named = (style: (name: string) => string): Helper => (value) =>
      style(textOf(value));
    return {
      literal: (value) => this.#literal(value),
      identifier: (value) => identifier(textOf(value)),
      prose: (value) => this.#prose(textOf(value)),
      pascal: named(pascal),
      camel: named(camel),
      constant: named(constant),
      kebab: named(kebab),
      eq: (one, other) => one === other,
    };
  }

  #literal(value: unknown, depth = 1): string {
    if (value === undefined) throw missing();
    if (typeof value === "string") return this.#text(value);
    if (typeof value === "number") return numberText(this.#isPlain, value);
    if (typeof value === "boolean") return String(value);
    if (!this.#language?.hasData) {
      throw new TypeError("a list or an object has no literal here");
    }
    if (Array.isArray(value)) {
      return `[${
        value.map((item) => this.#literal(item, depth + 1)).join(", ")
      }]`;
    }
    if (typeof value !== "object" || value === null) {
      throw new TypeError(`${String(value)} has no literal`);
    }
    const entries = Object.entries(value).map(([name, it]) =>
      `${this.#language?.text(name)}: ${this.#literal(it, depth + 1)}`
    );
    const line = entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
    if (line.length <= MAX_LINE && !line.includes("\n")) return line;
    // as a formatter breaks what is a property of a file's one object
    const [inner, outer] = ["  ".repeat(depth + 1), "  ".repeat(depth)];
    return `{\n${inner}${entries.join(`,\n${inner}`)}\n${outer}}`;
  }

  /** What ends a comment is not known where the language is not. */
  #prose(value: string): string {
    if (this.#language === undefined) throw unknownLanguage();
    return this.#isPlain ? "x" : prose(value);
  }

  #text(value: string): string {
    if (this.#language === undefined) throw unknownLanguage();
    return this.#language.text(this.#isPlain ? "x" : value);
  }
}

function numberText(isPlain: boolean, value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} has no literal`);
  const text = isPlain ? (value < 0 ? "-1" : "1") : String(value);
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  throw new TypeError(`${text} has no literal without an exponent`);
}

function textOf(value: unknown): string {
  if (value === undefined) throw missing();
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  throw new TypeError("what is no text cannot be a name or prose");
}

/** The template's fault, and not the config's. */
function unknownLanguage(): Error {
  return new Error(
    "a text cannot be in a file of a language that is not known " +
      "(use identifier, or another ending of its name)",
  );
}

/** The template's fault, too. */
function missing(): Error {
  return new Error("it inserts a value that there is not");
}
