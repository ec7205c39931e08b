/**
 * What a wrapper is: an application around a sandbox.
 *
 * @module
 */

import type { OperationOptions } from "../runtime/types.ts";
import type { JsonSchema } from "../security/json_schema.ts";

/**
 * An application around a sandbox. It prints nothing, listens to nothing and
 * starts nothing before it is asked to, and runs no native code.
 */
export interface Wrapper extends AsyncDisposable {
  /** The name that its kind is registered under: `"http_server"`. */
  readonly wrapperType: string;
  /** Ends what runs, and lets all guests go. Twice is once. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A kind of wrapper: what its options are, and how one is made. The options are
 * one object in code, and one section of a manifest.
 *
 * @typeParam O The options.
 */
export interface WrapperKind<O = unknown> {
  /** The name of the section, and of `wrapperType`: `"http_server"`. */
  readonly type: string;
  /** What it is, in a sentence. */
  readonly description: string;
  /**
   * Schema of the options. What only code can give has the format `code`.
   */
  readonly schema: JsonSchema;
  /**
   * Makes a wrapper.
   *
   * @param options The options.
   * @param operation Cancellation.
   * @returns The wrapper; dispose it when done.
   * @throws {TypeError} If the options are wrong; says all that is.
   */
  create(options: O, operation?: OperationOptions): Promise<Wrapper>;
}
