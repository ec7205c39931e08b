/**
 * The progress of an installation, on one line of a terminal.
 *
 * @module
 */

import type { InstallProgress } from "../runtime/wasmtime/download.ts";
import { formatSize } from "../security/units.ts";
import type { CliHost } from "./host.ts";

/** Least time between two writes, in milliseconds. */
const INTERVAL_MS = 100;
/** To the start of the line, which is then emptied. */
const CLEAR = "\r\x1b[K";

/** A line that is written over, or nothing where nobody would see it. */
export class ProgressLine {
  readonly #host: CliHost;
  readonly #isShown: boolean;
  #written: Promise<void> = Promise.resolve();
  #writtenAt = -Infinity;
  #step = "";

  /**
   * Constructs it.
   *
   * @param host Where to.
   * @param isShown Whether anybody sees it.
   */
  constructor(host: CliHost, isShown: boolean) {
    this.#host = host;
    this.#isShown = isShown;
  }

  /**
   * Shows how far it is, not too often.
   *
   * @param progress How far.
   */
  show(progress: InstallProgress): void {
    const now = performance.now();
    const step = `${progress.from} ${progress.step}`;
    const isSoon = now - this.#writtenAt < INTERVAL_MS;
    if (!this.#isShown || (isSoon && step === this.#step)) return;
    this.#writtenAt = now;
    this.#step = step;
    this.#write(`${CLEAR}${textOf(progress)}`);
  }

  /** Empties the line. */
  async clear(): Promise<void> {
    if (this.#step !== "") this.#write(CLEAR);
    this.#step = "";
    await this.#written;
  }

  /** One write after the other: a stream takes one at a time. */
  #write(text: string): void {
    this.#written = this.#written.then(() => this.#host.stdout(text));
  }
}

function textOf({ step, from, bytes, totalBytes }: InstallProgress): string {
  if (step === "verify") return "checking what came";
  const source = from === "pip" ? "the wheel" : "the archive";
  if (step === "unpack") return `unpacking ${source}`;
  if (bytes === undefined) return `downloading ${source}`;
  const total = totalBytes === undefined ? "" : ` of ${formatSize(totalBytes)}`;
  return `downloading ${source}: ${formatSize(bytes)}${total}`;
}
