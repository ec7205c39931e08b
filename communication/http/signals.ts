/**
 * Waiting, no longer than anybody wants to.
 *
 * @module
 */

/**
 * Waits for a promise, or until a signal is aborted.
 *
 * @typeParam T What is waited for.
 * @param promise The promise; what comes of it later is ignored.
 * @param signal Cancellation.
 * @returns What the promise gives.
 * @throws What the signal was aborted with.
 */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * How much later than its end a time is cut off: who is at work has that long
 * to say by itself that it is late.
 */
const GRACE_MS = 500;

/** Timers of more than 2³¹ ms fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** A time that runs. */
export interface Deadline extends Disposable {
  /** Aborted a little after its end, or when one of the other signals is. */
  readonly signal: AbortSignal;
  /** How much of it is left, in milliseconds, at least 1. */
  readonly leftMs: number;
  /** Stops the clock. */
  [Symbol.dispose](): void;
}

/**
 * Starts a clock.
 *
 * @param timeoutMs How long.
 * @param late What it is aborted with at the end.
 * @param others Signals that end it before.
 * @returns The deadline.
 */
export function deadline(
  timeoutMs: number,
  late: () => unknown,
  others: readonly AbortSignal[],
): Deadline {
  const controller = new AbortController();
  const end = performance.now() + timeoutMs;
  const timer = setTimeout(
    () => controller.abort(late()),
    Math.min(timeoutMs + GRACE_MS, LONGEST_MS),
  );
  return {
    signal: AbortSignal.any([...others, controller.signal]),
    get leftMs() {
      return Math.max(1, Math.ceil(end - performance.now()));
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
