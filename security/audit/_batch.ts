/** Lines of an audit file that are written at once. */

import { chainLine, type ChainState } from "./chain.ts";
import { asciiJson, type Fields } from "./_lines.ts";

/** A line, and where the chain stands after it. */
export interface NextLine {
  readonly line: string;
  readonly state: ChainState;
}

/** Lines that are to be written at once. */
export class Batch {
  readonly #chained: boolean;
  readonly #lines: string[] = [];
  state: ChainState;
  length = 0;

  constructor({ index, hash }: ChainState, chained: boolean) {
    this.state = { index, hash };
    this.#chained = chained;
  }

  get count(): number {
    return this.#lines.length;
  }

  get text(): string {
    return this.#lines.join("");
  }

  /** Makes a line that would be next, without adding it. */
  next(fields: Fields): NextLine & { readonly length: number } {
    const { state } = this;
    const next = this.#chained
      ? chainLine(state, fields)
      : { line: asciiJson(fields), state };
    return { ...next, length: next.line.length + 1 };
  }

  add({ line, state }: NextLine): void {
    this.#lines.push(`${line}\n`);
    this.length += line.length + 1;
    this.state = state;
  }
}
