/**
 * Stands in for `jsr:@std/assert` where JSR does not answer: the assertions
 * that our tests use, with the same signatures and the same verdicts.
 *
 * @module
 */

import nodeAssert from "node:assert";
import { inspect } from "node:util";
import { equal } from "./_equal.ts";

/** A class of errors. */
// deno-lint-ignore no-explicit-any -- any constructor, as in the original
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** An array-like object. */
type ArrayLikeArg<T> = ArrayLike<T> & object;

/** What {@linkcode assertFalse} leaves over. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** What every assertion here throws. */
export class AssertionError extends Error {
  /**
   * Constructs a new instance.
   *
   * @param message What does not hold.
   * @param options The cause, if there is one.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Asserts that a value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that a value is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

/** Asserts equality by structure. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}\n${difference(actual, expected)}`,
  );
}

/** Asserts inequality by structure. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${inspect(actual)} not to be: ${inspect(expected)}${
      suffix(msg)
    }`,
  );
}

/** Asserts identity, by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${suffix(msg)}\n${
      difference(actual, expected)
    }`,
  );
}

/** Asserts that an object has at least the expected entries, deeply. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any -- as in the original
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  if (matches(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}\n${difference(actual, expected)}`,
  );
}

/** Asserts that an array has every expected element. */
export function assertArrayIncludes<T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
): void {
  const missing = Array.from(expected).filter((item) =>
    !Array.from(actual).some((other) => equal(item, other))
  );
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${inspect(actual)}" to include: "${inspect(expected)}"${
      suffix(msg)
    }\nmissing: ${inspect(missing)}`,
  );
}

/** Asserts that a text contains another. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`,
  );
}

/** Asserts that a text matches a pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`,
  );
}

/** Asserts that a value is neither null nor undefined. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${suffix(msg)}`,
  );
}

/** Asserts that a value is an instance of a class. */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any -- any constructor, as in the original
  T extends abstract new (...args: any[]) => any,
>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was "${
      inspect(actual)
    }"${suffix(msg)}`,
  );
}

/** Asserts `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw new AssertionError(msg ?? relation(actual, ">", expected));
}

/** Asserts `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  throw new AssertionError(msg ?? relation(actual, ">=", expected));
}

/** Asserts `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw new AssertionError(msg ?? relation(actual, "<", expected));
}

/** Asserts `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  throw new AssertionError(msg ?? relation(actual, "<=", expected));
}

/** Asserts that two numbers differ by no more than a tolerance. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to be close to "${expected}": delta "${delta}" is greater than "${allowed}"${
      suffix(msg)
    }`,
  );
}

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that a function throws an error of a class, and returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  errorClassOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const expected = expectation(errorClassOrMsg, msgIncludes, msg);
  try {
    fn();
  } catch (error) {
    return checked(error, expected);
  }
  throw new AssertionError(`Expected function to throw${suffix(expected.msg)}`);
}

/** Asserts that a promise is rejected, and returns the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Asserts that a promise is rejected with a class, and returns the error. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const expected = expectation(errorClassOrMsg, msgIncludes, msg);
  const promise = promiseOf(fn, expected.msg);
  try {
    await promise;
  } catch (error) {
    return checked(error, expected);
  }
  throw new AssertionError(
    `Expected function to reject${suffix(expected.msg)}`,
  );
}

interface Expectation {
  readonly errorClass?: ErrorClass<Error>;
  readonly msgIncludes?: string | undefined;
  readonly msg?: string | undefined;
}

function expectation(
  errorClassOrMsg: ErrorClass<Error> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): Expectation {
  if (errorClassOrMsg === undefined) return { msg };
  if (typeof errorClassOrMsg === "string") return { msg: errorClassOrMsg };
  return { errorClass: errorClassOrMsg, msgIncludes, msg };
}

function checked(
  error: unknown,
  { errorClass, msgIncludes, msg }: Expectation,
): unknown {
  if (errorClass === undefined) return error;
  if (!(error instanceof errorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${errorClass.name}", but was ${
        inspect(error)
      }${suffix(msg)}`,
      { cause: error },
    );
  }
  if (msgIncludes !== undefined && !error.message.includes(msgIncludes)) {
    throw new AssertionError(
      `Expected error message to include ${inspect(msgIncludes)}, but got ${
        inspect(error.message)
      }${suffix(msg)}`,
      { cause: error },
    );
  }
  return error;
}

function promiseOf(
  fn: () => PromiseLike<unknown>,
  msg: string | undefined,
): PromiseLike<unknown> {
  const message = `Function throws when expected to reject${suffix(msg)}`;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError(message, { cause });
  }
  if (typeof promise?.then === "function") return promise;
  throw new AssertionError(message);
}

function matches(actual: unknown, expected: unknown): boolean {
  if (!isStructure(actual) || !isStructure(expected)) {
    return equal(actual, expected);
  }
  if (Array.isArray(actual) !== Array.isArray(expected)) return false;
  return Reflect.ownKeys(expected).every((key) =>
    // An array may be longer than what is expected of it.
    Array.isArray(expected) && key === "length" ||
    Object.hasOwn(actual, key) &&
      matches(Reflect.get(actual, key), Reflect.get(expected, key))
  );
}

function isStructure(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    ![Date, RegExp, Map, Set].some((type) => value instanceof type);
}

function difference(actual: unknown, expected: unknown): string {
  try {
    nodeAssert.deepStrictEqual(actual, expected);
  } catch (error) {
    if (error instanceof nodeAssert.AssertionError) return error.message;
  }
  return `${inspect(actual)}\n${inspect(expected)}`;
}

function relation(
  actual: unknown,
  operator: string,
  expected: unknown,
): string {
  return `Expect ${inspect(actual)} ${operator} ${inspect(expected)}`;
}

function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
