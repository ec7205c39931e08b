/**
 * The conformance suite for wrappers.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import { WrapperFactory } from "../wrappers/mod.ts";
import type { Wrapper, WrapperKind } from "../wrappers/types.ts";
import { denoTest } from "./_declare.ts";
import {
  runClean,
  type WrapperCase,
  WrapperSubject,
  type WrapperSuiteGuest,
} from "./_wrapper_case.ts";
import { WRAPPER_HOSTILE_CASES } from "./_wrapper_hostile_cases.ts";
import { WRAPPER_LIFE_CASES } from "./_wrapper_life_cases.ts";
import { OPTION_CASES } from "./_wrapper_option_cases.ts";
import { REQUEST_CASES } from "./_wrapper_request_cases.ts";

export type { WrapperSuiteGuest } from "./_wrapper_case.ts";

/**
 * Options of {@linkcode testWrapper}.
 *
 * @typeParam W The wrapper.
 * @typeParam O Its options.
 */
export interface WrapperSuiteOptions<W extends Wrapper, O extends object> {
  /**
   * Options that make a wrapper around a guest of the suite.
   *
   * @param guest The guest, and its bounds.
   * @returns The options.
   */
  options: (guest: WrapperSuiteGuest) => NoInfer<O>;
  /**
   * Makes one request.
   *
   * @param wrapper The wrapper.
   * @param text What the request has to hold somewhere, as it is: the guest
   * looks for it in the bytes that it gets, or in its arguments. It is empty, or
   * one of `~` and `!`, which nothing else of the request may hold.
   * @returns What is answered; rejected if the request fails.
   */
  request: (wrapper: W, text: string) => Promise<unknown>;
  /**
   * Whether a request failed because the wrapper is disposed: one that answers
   * in its users' own terms has an answer for that, too.
   *
   * @param error What the request was rejected with.
   * @default {whether it is a SandboxError of code disposed}
   */
  isDisposed?: (error: unknown) => boolean;
  /**
   * The export that answers requests. A guest of `_start` is a WASI program,
   * which looks at its arguments and ends with the exit code 0.
   *
   * @default {"handle"}
   */
  entry?: string;
  /**
   * What the export answers, as JSON.
   *
   * @default {"ok"}
   */
  reply?: unknown;
  /**
   * Further exports that a guest of the wrapper needs, and what they answer.
   *
   * @default {{}}
   */
  exports?: Readonly<Record<string, unknown>>;
  /**
   * Where the kind has to be registered.
   *
   * @default {new WrapperFactory()}
   */
  wrappers?: WrapperFactory;
  /**
   * Registers a test with your runner.
   *
   * @default {Deno.test, with its sanitizers on}
   */
  test?: (name: string, run: () => Promise<void>) => void;
}

/**
 * Registers the tests that every wrapper has to pass: its options are what its
 * schema says, it starts and prints nothing, it is made and disposed as it has
 * to be, it keeps bounds, a bad request costs itself alone, hostile modules harm
 * nobody, and nothing is left of it. Effects are measured: processes, sockets,
 * timers, memory. Needs all permissions; what `/proc` tells is looked at where
 * there is one.
 *
 * @example A whole test file
 * ```ts ignore
 * import { testWrapper } from "@wasm-sandbox/core/testing";
 * import { CUSTOM, type CustomWrapper } from "@wasm-sandbox/core/custom-wrapper";
 *
 * testWrapper("CustomWrapper", CUSTOM, {
 *   options: ({ maxConcurrent: maxConcurrentRequests, ...guest }) =>
 *     ({ ...guest, maxConcurrentRequests, entryPoint: "handle" }),
 *   request: (wrapper: CustomWrapper, text) => wrapper.processRequest(text),
 * });
 * ```
 *
 * @typeParam W The wrapper.
 * @typeParam O Its options.
 * @param name Name of the class, for the names of the tests.
 * @param kind The kind that makes it.
 * @param options How it is made around a guest, and how a request is made.
 */
export function testWrapper<W extends Wrapper, O extends object>(
  name: string,
  kind: WrapperKind<O>,
  options: WrapperSuiteOptions<W, O>,
): void {
  const { test = denoTest, entry = "handle", reply = "ok" } = options;
  const subject = new WrapperSubject({
    kind: kind as WrapperKind<object>,
    wrappers: options.wrappers ?? new WrapperFactory(),
    shape: { entry, reply, others: options.exports ?? {} },
    optionsOf: options.options,
    request: (wrapper, text) => options.request(wrapper as W, text),
    isDisposed: options.isDisposed ??
      ((error) => SandboxError.is(error, "disposed")),
  });
  for (const { name: title, run } of CASES) {
    test(`${name} ${title}`, () => runClean(subject, run));
  }
}

const CASES: readonly WrapperCase[] = [
  ...OPTION_CASES,
  ...WRAPPER_LIFE_CASES,
  ...REQUEST_CASES,
  ...WRAPPER_HOSTILE_CASES,
];
