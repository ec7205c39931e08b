/**
 * How fast guests may log.
 *
 * @module
 */

/** So many lines at once; on the long run so many within {@linkcode BURST_MS}. */
const BURST_LINES = 1_000;
/** How long a burst is to last, in milliseconds. */
const BURST_MS = 100;
/** A longer line counts as several: one for each so many UTF-16 units. */
const LINE_LENGTH = 100;
/** More of a line is not kept. */
const MAX_KEPT = 1_024;

/**
 * Paces lines of a log. Those who keep the last lines, as the auditor does, let
 * go of objects that are old by then, which the garbage collector clears away
 * late: a flood would have it hold some hundred megabytes.
 */
export class LogPace {
  /** Until when the lines so far should have lasted. */
  #untilMs = 0;

  /**
   * Counts a line.
   *
   * @param length How long it is, in UTF-16 units.
   * @returns How long to wait before the next, in milliseconds.
   */
  count(length: number): number {
    const lines = Math.max(1, Math.min(length, MAX_KEPT) / LINE_LENGTH);
    const now = performance.now();
    this.#untilMs = Math.max(this.#untilMs, now) +
      lines * BURST_MS / BURST_LINES;
    const ahead = this.#untilMs - now;
    return ahead < BURST_MS ? 0 : ahead;
  }
}
