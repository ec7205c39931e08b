// deno-lint-ignore-file no-explicit-any -- any constructor, as in the original
/**
 * Stands in for `jsr:@std/assert` where JSR does not answer: the assertions
 * that our tests use, over `node:assert`.
 *
 * `node:assert` tells 0 from -0 and an object without a prototype from a plain
 * one, which the original does not. It leaves out inherited properties, which
 * the original compares.
 *
 * @module
 */

import nodeAssert from "node:assert/strict";
import { inspect } from "node:util";

/** A class, by what it makes. */
type Class<T> = abstract new (...args: any[]) => T;

/** What {@linkcode assertThrows} and {@linkcode assertRejects} wait for. */
type Expected = [
  errorClass?: Class<Error>,
  msgIncludes?: string,
  msg?: string,
];

/** What every assertion here throws. */
export class AssertionError extends Error {
  /** What the runner shows before the message. */
  override readonly name = "AssertionError";
}

/** Asserts that a value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that a value is falsy. */
export function assertFalse(expr: unknown, msg = ""): void {
  if (expr) throw new AssertionError(msg);
}

/** Asserts equality by structure. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  const compare = () => nodeAssert.deepStrictEqual(actual, expected);
  holds(compare, `Values are not equal${suffix(msg)}`);
}

/** Asserts that an object has at least the expected entries, deeply. */
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  const compare = () => nodeAssert.partialDeepStrictEqual(actual, expected);
  holds(compare, `Values are not equal${suffix(msg)}`);
}

/** Asserts `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  const relation = `Expect ${inspect(actual)} < ${inspect(expected)}`;
  assert(actual < expected, msg ?? relation);
}

/** Asserts that a text contains another. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  const relation = `Expected actual: "${actual}" to contain: "${expected}"`;
  assert(actual.includes(expected), relation + suffix(msg));
}

/** Asserts that a text matches a pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  const relation = `Expected actual: "${actual}" to match: "${expected}"`;
  assert(expected.test(actual), relation + suffix(msg));
}

/** Asserts that a value is an instance of a class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: Class<T>,
  msg?: string,
): asserts actual is T {
  const relation = `Expected an instance of "${expectedType.name}" but was `;
  assert(
    actual instanceof expectedType,
    relation + inspect(actual) + suffix(msg),
  );
}

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows(fn: () => unknown): unknown;
/** Asserts that a function throws an error of a class, and returns it. */
export function assertThrows<E extends Error>(
  fn: () => unknown,
  errorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  ...expected: Expected
): unknown {
  try {
    fn();
  } catch (error) {
    return checked(error, ...expected);
  }
  throw new AssertionError(`Expected function to throw${suffix(expected[2])}`);
}

/** Asserts that a promise is rejected, and returns the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
): Promise<unknown>;
/** Asserts that a promise is rejected with a class, and returns the error. */
export function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...expected: Expected
): Promise<unknown> {
  let promise;
  try {
    promise = fn();
  } catch (cause) {
    const problem = "Function throws when expected to reject";
    throw new AssertionError(problem + suffix(expected[2]), { cause });
  }
  try {
    await promise;
  } catch (error) {
    return checked(error, ...expected);
  }
  throw new AssertionError(`Expected function to reject${suffix(expected[2])}`);
}

function checked(
  error: unknown,
  ...[errorClass, msgIncludes = "", msg]: Expected
): unknown {
  if (errorClass === undefined) return error;
  assertInstanceOf(error, errorClass, msg);
  assertStringIncludes(error.message, msgIncludes, msg);
  return error;
}

function holds(compare: () => void, problem: string): void {
  try {
    compare();
  } catch (cause) {
    const difference = cause instanceof Error ? cause.message : inspect(cause);
    throw new AssertionError(`${problem}\n${difference}`);
  }
}

function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
