/**
 * The progress of long work, on one line of a terminal.
 *
 * @module
 */

import { printable } from "../_text.ts";
import type { CliHost } from "./host.ts";
import { type Style, styleOf } from "./style.ts";
import { shorten } from "./text_width.ts";

/** How far work is. */
export interface Progress {
  /** What is done, in a few words. */
  readonly text: string;
  /** The part of it that is done, from 0 to 1, if that is known. */
  readonly done?: number | undefined;
}

/** Options of a {@linkcode ProgressLine}. */
export interface ProgressOptions {
  /** Whether progress is shown, if there is a terminal. */
  readonly isShown: boolean;
}

/** Least time between two writes, in milliseconds. */
const INTERVAL_MS = 100;
/** To the start of the line, which is then emptied. */
const CLEAR = "\r\x1b[K";
/** Columns of the bar. */
const BAR_WIDTH = 20;
/** Where a terminal does not say how wide it is. */
const USUAL_COLUMNS = 80;

/**
 * A line of the standard error that is written over, or nothing where that is no
 * terminal.
 */
export class ProgressLine {
  readonly #host: CliHost;
  readonly #isShown: boolean;
  readonly #style: Style;
  #written: Promise<void> = Promise.resolve();
  #writtenAt = -Infinity;
  #text = "";

  /**
   * Constructs it.
   *
   * @param host Where to.
   * @param options Whether it is shown.
   */
  constructor(host: CliHost, { isShown }: ProgressOptions) {
    this.#host = host;
    this.#isShown = isShown && !host.isDumb && host.isTerminal("stderr");
    this.#style = styleOf(host, "stderr");
  }

  /**
   * Shows how far it is, not too often.
   *
   * @param progress How far.
   */
  show({ text, done }: Progress): void {
    const now = performance.now();
    const isSoon = now - this.#writtenAt < INTERVAL_MS;
    const isSame = withoutFigures(text) === withoutFigures(this.#text);
    if (!this.#isShown || (isSoon && isSame)) return;
    this.#writtenAt = now;
    this.#text = text;
    const bar = done === undefined ? "" : barText(done, this.#style);
    const room = (this.#host.columns() ?? USUAL_COLUMNS) - 1 -
      (done === undefined ? 0 : BAR_WIDTH + 7);
    this.#write(`${CLEAR}${bar}${shorten(printable(text), room)}`);
  }

  /** Empties the line. */
  async clear(): Promise<void> {
    if (this.#text !== "") this.#write(CLEAR);
    this.#text = "";
    await this.#written;
  }

  /** One write after the other: a stream takes one at a time. */
  #write(text: string): void {
    // what nobody can see is no reason to stop
    this.#written = this.#written.then(() => this.#host.stderr(text))
      .catch(() => {});
  }
}

/** A text that goes on in figures alone is the same step. */
function withoutFigures(text: string): string {
  return text.replace(/[\d.]+( [KMG]?i?B)?/g, "#");
}

function barText(done: number, style: Style): string {
  const part = Math.min(1, Math.max(0, done));
  const full = Math.round(part * BAR_WIDTH);
  const bar = style.good("█".repeat(full)) +
    style.faint("░".repeat(BAR_WIDTH - full));
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)} % `;
}
