/** Reads the part of YAML that policy files are written in, with its places. */

import { Cursor } from "./_cursor.ts";
import type { ListNode, MapEntry, MapNode, PolicyNode } from "./nodes.ts";
import type { PolicySource } from "./problems.ts";
import { YamlValues } from "./_yaml_values.ts";

/** A line that separates documents. */
const SEPARATOR = /(?:---|\.\.\.)(?![^\s])/y;
/** What stands before the `:` of an entry: a name in quotes, or a plain one. */
const ENTRY =
  /(?:"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\r\n]|'')*'|(?![-?:](?:\s|$)|[[\]{},"'#])(?:[^\s:#]|:(?=\S)|(?<=\S)#| +(?=[^\s#]))*?) *:(?=\s|$)/y;
/** A hyphen that begins an item. */
const ITEM = /-(?=\s|$)/y;

/**
 * Reads a text of YAML: mappings and lists in blocks or in brackets, scalars in
 * one line. What else YAML has is refused.
 */
export function readBlocks(source: PolicySource): PolicyNode {
  return new BlockReader(new Cursor(source)).document();
}

class BlockReader {
  readonly #cursor: Cursor;
  readonly #values: YamlValues;
  /** Where the line begins that the cursor is in. */
  #lineStart = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
    this.#values = new YamlValues(cursor);
  }

  document(): PolicyNode {
    const cursor = this.#cursor;
    this.#skipEmptyLines();
    if (cursor.text.startsWith("%", cursor.offset) && this.#column === 0) {
      cursor.fail("there is a directive of YAML", "a policy");
    }
    if (cursor.text.startsWith("---", cursor.offset) && this.#isSeparator()) {
      cursor.offset += 3;
      this.#endLine();
      this.#skipEmptyLines();
    }
    this.#checkSeparator();
    const node = this.#node(0);
    if (cursor.char !== "") this.#misplaced();
    return node;
  }

  /** Reads what begins here, where the column tells how far it is indented. */
  #node(depth: number): PolicyNode {
    const cursor = this.#cursor;
    cursor.checkDepth(depth);
    if (this.#sees(ITEM)) return this.#list(depth);
    if (this.#sees(ENTRY)) return this.#map(depth);
    const node = this.#values.value(false, depth);
    this.#endLine();
    this.#skipEmptyLines();
    return node;
  }

  #list(depth: number): ListNode {
    const { offset } = this.#cursor;
    const indent = this.#column;
    const items: PolicyNode[] = [];
    while (this.#column === indent && this.#sees(ITEM)) {
      this.#cursor.offset++;
      items.push(this.#after(indent, depth + 1, { isItem: true }));
      this.#checkSeparator();
    }
    this.#checkIndent(indent);
    return { kind: "list", offset, items };
  }

  #map(depth: number): MapNode {
    const cursor = this.#cursor;
    const { offset } = cursor;
    const indent = this.#column;
    const entries = new Map<string, MapEntry>();
    while (this.#column === indent && cursor.char !== "") {
      if (this.#sees(ITEM)) break;
      const nameOffset = cursor.offset;
      const name = this.#values.name(false);
      cursor.add(
        entries,
        name,
        nameOffset,
        () => this.#after(indent, depth + 1, { isItem: false }),
      );
      this.#checkSeparator();
    }
    this.#checkIndent(indent);
    return { kind: "map", offset, entries };
  }

  /** Reads what belongs to a `-` or a `:` of a collection with an indent. */
  #after(
    indent: number,
    depth: number,
    { isItem }: { readonly isItem: boolean },
  ): PolicyNode {
    const cursor = this.#cursor;
    const spaces = cursor.take(/ */y);
    const { offset } = cursor;
    const isEnd = cursor.char === "#" && spaces !== "" || this.#atLineEnd();
    if (!isEnd) {
      if (spaces === "") cursor.unexpected("a space");
      return isItem ? this.#node(depth) : this.#inline(depth);
    }
    this.#endLine();
    this.#skipEmptyLines();
    this.#checkSeparator();
    const isNested = cursor.char !== "" && (this.#column > indent ||
      !isItem && this.#column === indent && this.#sees(ITEM));
    return isNested
      ? this.#node(depth)
      : { kind: "scalar", offset, value: null, plain: "" };
  }

  #inline(depth: number): PolicyNode {
    const cursor = this.#cursor;
    if (this.#sees(ITEM)) {
      cursor.fail('there is "-" after a name', "the list in lines of its own");
    }
    const node = this.#values.value(false, depth);
    cursor.take(/ */y);
    if (cursor.char === ":") {
      cursor.fail('there is a second ":"', "one value", {
        hint: "put text with a colon in double quotes",
      });
    }
    this.#endLine();
    this.#skipEmptyLines();
    return node;
  }

  /** What is further in than its collection belongs to nothing. */
  #checkIndent(indent: number): void {
    if (this.#cursor.char !== "" && this.#column > indent) this.#misplaced();
  }

  #misplaced(): never {
    return this.#cursor.fail(
      "the line belongs to nothing",
      "other indentation",
      {
        hint: "text of several lines is written in double quotes, with \\n",
      },
    );
  }

  #endLine(): void {
    const cursor = this.#cursor;
    const spaces = cursor.take(/ */y);
    const before = cursor.text.charAt(cursor.offset - 1);
    if (cursor.char === "#" && (spaces !== "" || before === " ")) {
      cursor.take(/[^\n]*/y);
    }
    if (!this.#atLineEnd()) cursor.unexpected("the end of the line");
    cursor.take(/\r?\n/y);
    this.#lineStart = cursor.offset;
  }

  #skipEmptyLines(): void {
    const cursor = this.#cursor;
    if (cursor.offset !== this.#lineStart) return;
    cursor.take(/(?: *(?:#[^\n]*)?\r?\n)*/y);
    this.#lineStart = cursor.offset;
    cursor.take(/ *(?:#[^\n]*$)?/y);
    if (cursor.char === "\t") {
      cursor.fail("there is a tab", "lines indented by spaces");
    }
  }

  #checkSeparator(): void {
    if (this.#column !== 0 || !this.#isSeparator()) return;
    this.#cursor.fail("a second document begins", "a single policy");
  }

  #isSeparator(): boolean {
    return this.#column === 0 && this.#sees(SEPARATOR);
  }

  #atLineEnd(): boolean {
    const { char, offset, text } = this.#cursor;
    return char === "" || char === "\n" || text.startsWith("\r\n", offset);
  }

  #sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.#cursor.offset;
    return pattern.test(this.#cursor.text);
  }

  get #column(): number {
    return this.#cursor.offset - this.#lineStart;
  }
}
