/**
 * What functions of the host take and give.
 *
 * @module
 */

import { reasonOf } from "../_text.ts";
import { json } from "./codecs.ts";
import { GuestFault } from "./fault.ts";
import {
  describeIssues,
  type StandardIssue,
  type StandardResult,
  type StandardSchemaV1,
  validate,
} from "./standard_schema.ts";
import type { MaybePromise } from "./types.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Goes on with a value, at once if it is there.
 *
 * @typeParam T Type of the value.
 * @typeParam R What comes of it.
 * @param value The value, or a promise of it.
 * @param use What to do with it.
 * @returns What comes of it.
 */
export function chain<T, R>(
  value: MaybePromise<T>,
  use: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}

/**
 * Whether something is to be waited for.
 *
 * @param value Anything: the host's functions are not ours.
 * @returns Whether it is.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== "object" && typeof value !== "function") return false;
  return value !== null && "then" in value && typeof value.then === "function";
}

/**
 * Reads the input of a function.
 *
 * @param bytes The guest's JSON.
 * @returns The value.
 * @throws {GuestFault} With status `invalid`.
 */
export function parse(bytes: Bytes): unknown {
  try {
    return json.decode(bytes);
  } catch (cause) {
    throw new GuestFault("invalid", reasonOf(cause), { cause });
  }
}

/**
 * The input of a function that takes bytes: it may transfer their buffer.
 *
 * @param bytes The guest's bytes.
 * @returns The same, with a buffer of their own.
 */
export function whole(bytes: Bytes): Bytes {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
}

/**
 * The answer of a function that gives bytes.
 *
 * @param answer What it gave.
 * @returns The same, as bytes that are not shared.
 * @throws {TypeError} If they are none.
 */
export function bytesOf(answer: unknown): Bytes {
  if (!(answer instanceof Uint8Array)) {
    throw new TypeError("Cannot send the answer: it is no Uint8Array");
  }
  return answer.buffer instanceof ArrayBuffer
    ? answer as Bytes
    : new Uint8Array(answer);
}

/**
 * Has a schema look at a value.
 *
 * @param schema The schema.
 * @param value The value.
 * @param invalid Makes the error of what is wrong with it.
 * @returns What the schema makes of it.
 */
export function validated(
  schema: StandardSchemaV1,
  value: unknown,
  invalid: (issues: readonly StandardIssue[]) => Error,
): MaybePromise<unknown> {
  const result: unknown = validate(schema, value);
  return chain(
    isThenable(result) ? Promise.resolve(result) : result,
    (each) => {
      const looked = each as StandardResult<unknown>;
      if (looked.issues !== undefined) throw invalid(looked.issues);
      return looked.value;
    },
  );
}

/**
 * The error of an input that its schema refuses.
 *
 * @param issues What is wrong with it.
 * @returns What the guest is told.
 */
export function invalidInput(issues: readonly StandardIssue[]): GuestFault {
  return new GuestFault("invalid", `the input: ${describeIssues(issues)}`);
}

/**
 * The error of an answer that its schema refuses.
 *
 * @param issues What is wrong with it.
 * @returns What the host is told.
 */
export function invalidOutput(issues: readonly StandardIssue[]): TypeError {
  return new TypeError(`Cannot send the answer: ${describeIssues(issues)}`);
}
