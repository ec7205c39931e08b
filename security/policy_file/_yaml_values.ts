/** The parts of YAML that stand in a line: scalars and flow collections. */

import { quote } from "../../_text.ts";
import { type Cursor, type Escapes, NUMBER } from "./_cursor.ts";
import type {
  ListNode,
  MapEntry,
  MapNode,
  PolicyNode,
  ScalarNode,
} from "./nodes.ts";

const ESCAPES: Escapes = Object.freeze({
  '"': '"',
  "\\": "\\",
  "/": "/",
  0: "\0",
  a: "\x07",
  b: "\b",
  e: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
});

/** What a character begins that policy files do without. */
const REFUSED: Readonly<Record<string, string>> = Object.freeze({
  "&": "an anchor",
  "*": "an alias",
  "!": "a tag",
  "|": "a block of text",
  ">": "a block of text",
  "?": "a name of several lines",
  "%": "a directive",
  "@": "a reserved character",
  "`": "a reserved character",
});

/** Plain text in a line, to where it ends at the latest. */
const PLAIN_BLOCK = /(?:[^\s:#]|:(?=[^\s])|(?<=[^\s])#| +(?=[^\s#:]|:[^\s]))*/y;
/** The same within brackets. */
const PLAIN_FLOW =
  /(?:[^\s:#,[\]{}]|:(?=[^\s,[\]{}])|(?<=[^\s,[\]{}])#| +(?=[^\s#:,[\]{}]|:[^\s,[\]{}]))*/y;

/** Reads values of YAML that stand in a line. */
export class YamlValues {
  readonly #cursor: Cursor;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** Reads the name of an entry, up to its colon and over it. */
  name(inFlow: boolean): string {
    const cursor: Cursor = this.#cursor;
    const { offset } = cursor;
    const { value, plain } = this.scalar(inFlow);
    if (plain === "<<") {
      cursor.fail("there is a merge key", "each name written out", { offset });
    }
    if (typeof value !== "string") {
      return cursor.fail(
        plain === ""
          ? "a name is missing"
          : `the name is ${quote(plain ?? "")}`,
        "a text",
        { offset, hint: "put it in quotes" },
      );
    }
    cursor.take(/ */y);
    if (!cursor.skip(":")) cursor.unexpected('a name followed by ":"');
    return value;
  }

  /** Reads a value that begins in this line. */
  value(inFlow: boolean, depth: number): PolicyNode {
    this.#cursor.checkDepth(depth);
    if (this.#cursor.char === "[") return this.#list(depth);
    if (this.#cursor.char === "{") return this.#map(depth);
    return this.scalar(inFlow);
  }

  /** Reads a value without parts; null, if there is none. */
  scalar(inFlow: boolean): ScalarNode {
    const { char, offset } = this.#cursor;
    if (char === '"') {
      const value = this.#cursor.doubleQuoted(ESCAPES, "xuU");
      return { kind: "scalar", offset, value };
    }
    if (char === "'") {
      return { kind: "scalar", offset, value: this.#singleQuoted() };
    }
    const plain = this.#plain(inFlow);
    return { kind: "scalar", offset, value: this.#meaning(plain), plain };
  }

  #singleQuoted(): string {
    const cursor = this.#cursor;
    cursor.offset++;
    const value = cursor.take(/(?:[^'\t\r\n]|'')*/y);
    if (!cursor.skip("'")) cursor.unexpected("a closing '");
    return value.replaceAll("''", "'");
  }

  #plain(inFlow: boolean): string {
    const cursor = this.#cursor;
    const { char, offset } = cursor;
    const refused = REFUSED[char];
    if (refused !== undefined) {
      const hint = "put it in double quotes, if it is text";
      cursor.fail(
        `there is ${quote(char)}, which begins ${refused} of YAML`,
        "a plain value",
        { hint },
      );
    }
    if (/[-:]/.test(char) && !/[^\s,[\]{}]/.test(this.#next())) return "";
    const plain = cursor.take(inFlow ? PLAIN_FLOW : PLAIN_BLOCK);
    if (plain.includes("\t")) {
      cursor.fail("there is a tab", "spaces", { offset });
    }
    return plain;
  }

  #next(): string {
    return this.#cursor.text.charAt(this.#cursor.offset + 1);
  }

  /** Only what every version of YAML understands alike is no text. */
  #meaning(plain: string): ScalarNode["value"] {
    if (plain === "" || plain === "null") return null;
    if (plain === "true" || plain === "false") return plain === "true";
    if (!NUMBER.test(plain)) return plain;
    return this.#cursor.number(plain, this.#cursor.offset - plain.length);
  }

  #list(depth: number): ListNode {
    const { offset } = this.#cursor;
    const items: PolicyNode[] = [];
    this.#separated("]", () => items.push(this.#item(depth + 1)));
    return { kind: "list", offset, items };
  }

  #map(depth: number): MapNode {
    const cursor = this.#cursor;
    const { offset } = cursor;
    const entries = new Map<string, MapEntry>();
    this.#separated("}", () => {
      const nameOffset = cursor.offset;
      const name = this.name(true);
      // without a space `:` could belong to the value
      if (cursor.text.charAt(nameOffset) !== '"' && /\S/.test(cursor.char)) {
        cursor.unexpected('a space after ":"');
      }
      this.#space();
      cursor.add(entries, name, nameOffset, () => this.#item(depth + 1));
    });
    return { kind: "map", offset, entries };
  }

  #item(depth: number): PolicyNode {
    const { offset } = this.#cursor;
    const node = this.value(true, depth);
    if (node.kind === "scalar" && node.plain === "") {
      this.#cursor.offset = offset;
      this.#cursor.unexpected("a value");
    }
    return node;
  }

  #separated(close: string, item: () => void): void {
    const cursor = this.#cursor;
    cursor.offset++;
    this.#space();
    while (!cursor.skip(close)) {
      item();
      this.#space();
      if (cursor.skip(close)) return;
      if (!cursor.skip(",")) cursor.unexpected(`"," or "${close}"`);
      this.#space();
    }
  }

  /** Goes over spaces, ends of lines, and comments after either. */
  #space(): void {
    this.#cursor.take(/(?: |\r?\n|(?<=[ \n])#[^\n]*)*/y);
  }
}
