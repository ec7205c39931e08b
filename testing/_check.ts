/** Checks of the suites: a published entry can import no package of JSR. */

import { SandboxError, type SandboxErrorCode } from "../errors.ts";

/** Longest time for anything in a suite, in milliseconds. */
const MAX_MS = 10_000;
/** How long something has to wait to count as waiting, in milliseconds. */
const WAIT_MS = 25;

/** Fails unless it holds. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The channel does not conform: ${what}`);
}

/** Fails unless both are the same number or text. */
export function checkSame<T extends number | string | undefined>(
  actual: T,
  expected: T,
  what: string,
): void {
  check(actual === expected, `${what}: ${actual} and not ${expected}`);
}

/** Waits for what has to come. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new Error(`The channel does not conform: ${what} never ended`);
  const timer = setTimeout(() => reject(error), MAX_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a promise is still not settled after a while. */
export async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  const { promise: while_, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), WAIT_MS);
  const settled = () => false;
  try {
    return await Promise.race([promise.then(settled, settled), while_]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fails unless a promise is rejected with exactly this. */
export async function checkRejectedWith(
  promise: Promise<unknown>,
  reason: unknown,
  what: string,
): Promise<void> {
  const outcome = await soon(rejectionOf(promise), what);
  check(
    outcome !== undefined && outcome.reason === reason,
    `${what} was not rejected with the signal's reason`,
  );
}

/** Fails unless a promise is rejected with an error of this code. */
export async function checkRejectedAs(
  promise: Promise<unknown>,
  code: SandboxErrorCode,
  what: string,
): Promise<void> {
  const outcome = await soon(rejectionOf(promise), what);
  check(
    outcome !== undefined && SandboxError.is(outcome.reason, code),
    `${what} was not refused with a SandboxError "${code}" ` +
      `but ${outcome === undefined ? "fulfilled" : outcome.reason}`,
  );
}

async function rejectionOf(
  promise: Promise<unknown>,
): Promise<{ readonly reason: unknown } | undefined> {
  try {
    await promise;
    return undefined;
  } catch (reason) {
    return { reason };
  }
}
