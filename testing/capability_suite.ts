/**
 * The conformance suite for kinds of capabilities.
 *
 * @module
 */

import type { Capability, CapabilityKind } from "../security/types.ts";
import {
  type CapabilityCase,
  type CapabilitySuiteExample,
  KindSubject,
} from "./_capability_case.ts";
import { CAPABILITY_PARSE_CASES } from "./_capability_parse_cases.ts";
import { CAPABILITY_PERMIT_CASES } from "./_capability_permit_cases.ts";
import { CAPABILITY_TEXT_CASES } from "./_capability_text_cases.ts";
import { denoTest } from "./_declare.ts";

export type {
  CapabilitySuiteExample,
  CapabilitySuiteOperation,
} from "./_capability_case.ts";

/** Options of {@linkcode testCapabilityKind}. */
export interface CapabilitySuiteOptions {
  /**
   * Grants, and what they mean. With two, what they are together is tested, too;
   * hostile values are put in the place of each part of each.
   */
  examples: readonly CapabilitySuiteExample[];
  /**
   * Registers a test with your runner.
   *
   * @default {Deno.test, with its sanitizers on}
   */
  test?: (name: string, run: () => Promise<void>) => void;
}

/**
 * Registers the tests that every kind of capability has to pass: what it parses
 * is frozen data that JSON can hold, and nonsense is refused with
 * `invalid-capability`; it permits exactly what is granted, and nothing that is
 * a character away; two grants together are no more than both; counters end;
 * and what it says of itself can be printed, whatever is granted.
 *
 * @example A whole test file
 * ```ts ignore
 * import { CapabilityKinds } from "@wasm-sandbox/core/security";
 * import { testCapabilityKind } from "@wasm-sandbox/core/testing";
 *
 * const kind = new CapabilityKinds().get("custom_access");
 * testCapabilityKind("customAccessKind", kind, {
 *   examples: [{
 *     grant: { resources: ["resource1"] },
 *     permits: [{ action: "read", resource: "resource1" }],
 *   }],
 * });
 * ```
 *
 * @typeParam C Shape of the capability.
 * @param name Name of the kind, for the names of the tests.
 * @param kind The kind.
 * @param options Examples of its grants.
 * @throws {TypeError} If there is no example.
 */
export function testCapabilityKind<C extends Capability>(
  name: string,
  kind: CapabilityKind<C>,
  options: CapabilitySuiteOptions,
): void {
  const { test = denoTest, examples } = options;
  if (examples.length === 0) {
    throw new TypeError(`Cannot test ${name}: give the suite an example`);
  }
  const subject = new KindSubject(kind as CapabilityKind, examples);
  for (const { name: title, run } of CASES) {
    test(`${name} ${title}`, async () => await run(subject));
  }
}

const CASES: readonly CapabilityCase[] = [
  ...CAPABILITY_PARSE_CASES,
  ...CAPABILITY_PERMIT_CASES,
  ...CAPABILITY_TEXT_CASES,
];
