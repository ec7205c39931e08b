/**
 * The conformance suite for templates.
 *
 * @module
 */

import type { TemplateConfig, TemplateRenderer } from "../templates/types.ts";
import { denoTest } from "./_declare.ts";
import type { TemplateCase } from "./_template_case.ts";
import { TEMPLATE_CASES } from "./_template_cases.ts";
import { TYPE_CHECK_CASE } from "./_template_check.ts";

/** Options of {@linkcode testTemplate}. */
export interface TemplateSuiteOptions {
  /**
   * Good configs. Odd texts are put in the place of each of their texts: one
   * whose schema lets it be any text must stay a value, and others may be
   * refused.
   *
   * @default {[{}]}
   */
  configs?: readonly TemplateConfig[];
  /**
   * Whether what is rendered is type-checked, which takes seconds, a network or
   * a cache, and all permissions.
   *
   * @default {false}
   */
  typeCheck?: boolean;
  /**
   * Registers a test with your runner.
   *
   * @default {Deno.test, with its sanitizers on}
   */
  test?: (name: string, run: () => Promise<void>) => void;
}

/**
 * Registers the tests that every template has to pass: it renders files whose
 * paths every system can have; whatever the texts are, all of a file but its
 * literals and comments stays the same, or they are refused with a `TypeError`;
 * it takes nothing that is inherited, unknown, or of another type.
 *
 * @example A whole test file
 * ```ts ignore
 * import { testTemplate } from "@wasm-sandbox/core/testing";
 * import { GREETING_TEMPLATE } from "./greeting.ts";
 *
 * testTemplate("greeting", GREETING_TEMPLATE, {
 *   configs: [{ whom: "world" }],
 * });
 * ```
 *
 * @param name Name of the template, for the names of the tests.
 * @param template The template.
 * @param options Configs, and whether types are checked.
 * @throws {TypeError} If there is no config.
 */
export function testTemplate(
  name: string,
  template: TemplateRenderer,
  options: TemplateSuiteOptions = {},
): void {
  const { test = denoTest, configs = [{}], typeCheck = false } = options;
  if (configs.length === 0) {
    throw new TypeError(`Cannot test ${name}: give the suite a config`);
  }
  const cases: readonly TemplateCase[] = [
    ...TEMPLATE_CASES,
    ...(typeCheck ? [TYPE_CHECK_CASE] : []),
  ];
  for (const { name: title, run } of cases) {
    test(`${name} ${title}`, async () => await run({ template, configs }));
  }
}
