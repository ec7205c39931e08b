/**
 * Lines on the standard error that nobody waits for.
 *
 * @module
 */

import type { CliHost } from "./host.ts";

/** Most lines that wait for a reader of the standard error. */
const MAX_WAITING = 1_000;
/** How long a reader has at the end, in milliseconds. */
const FLUSH_MS = 1_000;

/**
 * Writes lines to the standard error one after the other. Whoever adds one does
 * not wait: where nobody reads them, those beyond a thousand are dropped, and
 * counted.
 */
export class LineLog implements AsyncDisposable {
  readonly #host: Pick<CliHost, "stderr">;
  #waiting: string[] = [];
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /**
   * Constructs it.
   *
   * @param host Where to.
   */
  constructor(host: Pick<CliHost, "stderr">) {
    this.#host = host;
  }

  /**
   * Adds a line.
   *
   * @param line The line, without its end. Nothing in it may move a cursor.
   */
  add(line: string): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(`${line}\n`);
    this.#writing ??= this.#write();
  }

  /** Resolves when everything is written, or nobody has read it for a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, FLUSH_MS);
    try {
      await Promise.race([this.#writing, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const lines = this.#waiting;
        this.#waiting = [];
        if (this.#dropped > 0) lines.push(this.#droppedNote());
        await this.#host.stderr(lines.join(""));
      }
    } catch {
      // a log that cannot be written is no reason to stop serving
      this.#dropped += this.#waiting.length;
      this.#waiting = [];
    } finally {
      this.#writing = undefined;
    }
  }

  #droppedNote(): string {
    const note = `note: ${this.#dropped} lines were dropped\n`;
    this.#dropped = 0;
    return note;
  }
}
