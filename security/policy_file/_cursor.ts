/** A place in a text that moves on, and what both formats have in common. */

import { quote } from "../../_text.ts";
import { failure, type PolicySource } from "./problems.ts";
import { type MapEntry, MAX_DEPTH, type PolicyNode } from "./nodes.ts";

/** What a backslash and a letter stand for. */
export type Escapes = Readonly<Record<string, string>>;

/** A number as JSON writes it. */
export const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** How many hexadecimal digits follow an escape. */
const HEX_DIGITS: Readonly<Record<string, number>> = Object.freeze({
  x: 2,
  u: 4,
  U: 8,
});

/** Reads a text from its start to its end. */
export class Cursor {
  /** The text. */
  readonly text: string;
  /** Where it is, in UTF-16 units. */
  offset = 0;
  readonly #source: PolicySource;

  constructor(source: PolicySource) {
    this.#source = source;
    this.text = source.text;
  }

  /** The character here, `""` at the end. */
  get char(): string {
    return this.text.charAt(this.offset);
  }

  /** Fails, here or at another place. */
  fail(
    problem: string,
    expected: string,
    { offset = this.offset, hint }: { offset?: number; hint?: string } = {},
  ): never {
    throw failure(this.#source, { offset, problem, expected, hint });
  }

  /** Fails because of what is here. */
  unexpected(expected: string): never {
    const { char } = this;
    const here = char === ""
      ? "the file ends"
      : char === "\n" || char === "\r"
      ? "the line ends"
      : char === "\t"
      ? "there is a tab"
      : `there is ${quote(String.fromCodePoint(this.#codePoint()))}`;
    return this.fail(here, expected);
  }

  /** Goes over what a sticky pattern matches here, and gives it. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.offset;
    const [taken = ""] = pattern.exec(this.text) ?? [];
    this.offset += taken.length;
    return taken;
  }

  /** Goes over a character if it is here. */
  skip(char: string): boolean {
    if (this.char !== char) return false;
    this.offset++;
    return true;
  }

  /** Refuses what is nested too deep. */
  checkDepth(depth: number): void {
    if (depth <= MAX_DEPTH) return;
    this.fail("it is nested too deep", `at most ${MAX_DEPTH} levels`);
  }

  /** Adds a name with its value, unless it must not be there. */
  add(
    entries: Map<string, MapEntry>,
    name: string,
    offset: number,
    value: () => PolicyNode,
  ): void {
    if (name === "__proto__") {
      this.fail('there is the name "__proto__"', "another name", { offset });
    }
    if (entries.has(name)) {
      this.fail(`the name ${quote(name)} is there twice`, "each name once", {
        offset,
      });
    }
    entries.set(name, { offset, node: value() });
  }

  /** Reads a text between double quotes, from the first of them on. */
  doubleQuoted(escapes: Escapes, digits: string): string {
    const start = this.offset++;
    let value = "";
    while (this.char !== '"') {
      if (this.char === "\\") value += this.#escape(escapes, digits);
      const part = this.take(/[^"\\\t\r\n]*/y);
      if (part === "" && !['"', "\\"].includes(this.char)) {
        this.unexpected('a closing "');
      }
      value += part;
    }
    this.offset++;
    if (!value.isWellFormed()) {
      this.fail("there is half of a surrogate pair", "whole characters", {
        offset: start,
      });
    }
    return value;
  }

  #escape(escapes: Escapes, allowed: string): string {
    const start = this.offset++;
    const letter = this.char;
    const digits = allowed.includes(letter) ? HEX_DIGITS[letter] ?? 0 : 0;
    this.offset++;
    const hex = this.text.slice(this.offset, this.offset + digits);
    const code = parseInt(hex, 16);
    if (letter !== "" && digits > 0 && /^[\da-f]+$/i.test(hex)) {
      if (hex.length === digits && code <= 0x10ffff) {
        this.offset += digits;
        return String.fromCodePoint(code);
      }
    } else if (letter !== "" && Object.hasOwn(escapes, letter)) {
      return escapes[letter] ?? "";
    }
    return this.fail(
      `there is no escape ${quote(`\\${letter}`)}`,
      "an escape",
      {
        offset: start,
        hint: "write a backslash twice",
      },
    );
  }

  /**
   * The value of a number as JSON writes it, refused if it cannot be kept.
   *
   * @param written The number.
   * @param start Where it begins.
   */
  number(written: string, start: number): number {
    const value = Number(written);
    const isWhole = /^-?\d+$/.test(written);
    if (!Number.isFinite(value) || isWhole && !Number.isSafeInteger(value)) {
      this.fail(
        `there is the number ${quote(written)}, which cannot be kept exactly`,
        `at most ${Number.MAX_SAFE_INTEGER}`,
        { offset: start },
      );
    }
    // a zero has no sign here
    return value === 0 ? 0 : value;
  }

  #codePoint(): number {
    return this.text.codePointAt(this.offset) ?? 0;
  }
}
