/** Checks of the suite for runtimes. */

import { SandboxError, type SandboxErrorCode } from "../errors.ts";
import { soon } from "./_check.ts";

type Details = SandboxError<"limit-exceeded">["details"];

/** Fails unless it holds. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The runtime does not conform: ${what}`);
}

/** Fails unless both are the same; -0 is not 0, and NaN is NaN. */
export function checkSame(
  actual: unknown,
  expected: unknown,
  what: string,
): void {
  check(
    isSame(actual, expected),
    `${what}: ${show(actual)} and not ${show(expected)}`,
  );
}

function isSame(actual: unknown, expected: unknown): boolean {
  if (!Array.isArray(expected)) return Object.is(actual, expected);
  return Array.isArray(actual) && actual.length === expected.length &&
    expected.every((each, at) => Object.is(actual[at], each));
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 2, strAbbreviateSize: 200 });
}

/** What something is rejected with; fails if it is not, or never ends. */
export async function failureOf(
  run: () => unknown,
  what: string,
): Promise<unknown> {
  let given: unknown;
  try {
    given = await soon(Promise.resolve(run()), what);
  } catch (error) {
    return error;
  }
  check(false, `${what} did not fail, but gave ${show(given)}`);
}

/** Fails unless something fails with an error of one of these codes. */
export async function checkFails(
  run: () => unknown,
  codes: SandboxErrorCode | readonly SandboxErrorCode[],
  what: string,
): Promise<SandboxError> {
  const error = await failureOf(run, what);
  const wanted = [codes].flat();
  check(
    SandboxError.is(error) && wanted.includes(error.code),
    `${what} did not fail as "${wanted.join('" or "')}" but with ${
      SandboxError.is(error) ? `"${error.code}": ` : ""
    }${error}`,
  );
  check(error.message.length > 10, `${what} failed without a message`);
  return error;
}

/** Fails unless something fails for one limit; gives what the error says. */
export async function checkLimit(
  run: () => unknown,
  limits: string | readonly string[],
  what: string,
): Promise<Details> {
  const error = await checkFails(run, "limit-exceeded", what);
  check(SandboxError.is(error, "limit-exceeded"), what);
  const { limit, suggestion } = error.details;
  const wanted = [limits].flat();
  check(
    wanted.includes(limit),
    `${what} reached ${limit} and not ${wanted.join(" or ")}`,
  );
  check(suggestion.length > 0, `${what} does not say what to do about it`);
  return error.details;
}

/** Fails unless something fails with a TypeError. */
export async function checkTypeError(
  run: () => unknown,
  what: string,
): Promise<void> {
  const error = await failureOf(run, what);
  check(error instanceof TypeError, `${what} is no TypeError: ${error}`);
}

/** Fails unless something takes about as long as it may. */
export async function checkInTime<T>(
  run: () => Promise<T>,
  what: string,
): Promise<T> {
  const start = performance.now();
  const result = await run();
  const ms = performance.now() - start;
  check(ms < LATE_MS, `${what} took ${Math.round(ms)} ms`);
  return result;
}

/** How late something may end that has to end, in milliseconds. */
const LATE_MS = 5_000;
