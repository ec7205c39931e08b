/** Reads JSON, and where everything is. Strict, as RFC 8259 has it. */

import { quote } from "../../_text.ts";
import {
  disagreement,
  type ListNode,
  type MapEntry,
  type MapNode,
  type PolicyNode,
  type ScalarNode,
} from "./nodes.ts";
import { Cursor, type Escapes, NUMBER } from "./_cursor.ts";
import { failure, type PolicySource } from "./problems.ts";

const ESCAPES: Escapes = Object.freeze({
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
});

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

const SPACE = /[ \t\r\n]*/y;
const WORD = /[\w+.-]*/y;

/** Reads a text of JSON. */
export function readJson(source: PolicySource): PolicyNode {
  const reader = new JsonReader(new Cursor(source));
  const node = reader.document();
  checkAgreement(source, node);
  return node;
}

/** The engine's own reader must have understood the same. */
function checkAgreement(source: PolicySource, node: PolicyNode): void {
  const finding = {
    problem: "readers of JSON do not agree on it",
    expected: "plain JSON",
  };
  let other;
  try {
    other = JSON.parse(source.text);
  } catch (cause) {
    throw failure(source, finding, cause);
  }
  const differs = disagreement(node, other);
  if (differs === undefined) return;
  throw failure(source, { offset: differs.node.offset, ...finding });
}

class JsonReader {
  readonly #cursor: Cursor;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  document(): PolicyNode {
    const node = this.#value(0);
    this.#space();
    if (this.#cursor.char !== "") {
      this.#cursor.unexpected("the end of the file");
    }
    return node;
  }

  #value(depth: number): PolicyNode {
    this.#space();
    const cursor = this.#cursor;
    const { offset } = cursor;
    cursor.checkDepth(depth);
    if (cursor.char === "{") return this.#object(depth);
    if (cursor.char === "[") return this.#array(depth);
    if (cursor.char === '"') {
      return { kind: "scalar", offset, value: this.#string() };
    }
    return this.#word();
  }

  #object(depth: number): MapNode {
    const cursor = this.#cursor;
    const { offset } = cursor;
    const entries = new Map<string, MapEntry>();
    this.#separated("}", () => {
      const nameOffset = cursor.offset;
      if (cursor.char !== '"') cursor.unexpected("a name in double quotes");
      const name = this.#string();
      this.#space();
      if (!cursor.skip(":")) cursor.unexpected('":"');
      cursor.add(entries, name, nameOffset, () => this.#value(depth + 1));
    });
    return { kind: "map", offset, entries };
  }

  #array(depth: number): ListNode {
    const { offset } = this.#cursor;
    const items: PolicyNode[] = [];
    this.#separated("]", () => items.push(this.#value(depth + 1)));
    return { kind: "list", offset, items };
  }

  #separated(close: string, item: () => void): void {
    const cursor = this.#cursor;
    cursor.offset++;
    this.#space();
    if (cursor.skip(close)) return;
    do {
      this.#space();
      item();
      this.#space();
    } while (cursor.skip(","));
    if (!cursor.skip(close)) cursor.unexpected(`"," or "${close}"`);
  }

  #string(): string {
    return this.#cursor.doubleQuoted(ESCAPES, "u");
  }

  #word(): ScalarNode {
    const cursor = this.#cursor;
    const { offset } = cursor;
    const written = cursor.take(WORD);
    const word = WORDS.get(written);
    if (word === undefined && !NUMBER.test(written)) {
      cursor.offset = offset;
      if (written === "") cursor.unexpected("a value of JSON");
      cursor.fail(`there is ${quote(written)}`, "a value of JSON");
    }
    const value = word === undefined ? cursor.number(written, offset) : word;
    return { kind: "scalar", offset, value, plain: written };
  }

  #space(): void {
    this.#cursor.take(SPACE);
  }
}
