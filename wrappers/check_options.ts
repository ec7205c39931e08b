/**
 * Checks the options of a wrapper, all of them at once.
 *
 * @module
 */

import type { JsonSchema } from "../security/json_schema.ts";
import { nodeOf } from "../security/policy_file/nodes.ts";
import { type Finding, pathText } from "../security/policy_file/problems.ts";
import { validate } from "../security/policy_file/validate.ts";

/**
 * Checks options against their schema. What the schema gives a format is checked
 * by whoever reads it, as a sandbox does with its module, policy and limits.
 *
 * @example Usage
 * ```ts
 * import { checkWrapperOptions } from "@wasm-sandbox/core/wrappers";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(
 *   () =>
 *     checkWrapperOptions("my_wrapper", { retires: "yes" }, {
 *       type: "object",
 *       properties: { retries: { type: "integer", minimum: 0 } },
 *       additionalProperties: false,
 *     }),
 *   TypeError,
 *   'Cannot create my_wrapper: retires is not known, expected one of retries (did you mean "retries"?)',
 * );
 * ```
 *
 * @param what What is to be made, for the message.
 * @param options What the caller gave.
 * @param schema What it must be.
 * @throws {TypeError} That lists everything that is wrong.
 */
export function checkWrapperOptions(
  what: string,
  options: object,
  schema: JsonSchema,
): void {
  const findings = validate(nodeOf({ ...options }), schema, []);
  if (findings.length === 0) return;
  throw new TypeError(
    `Cannot create ${what}: ${findings.map(textOf).join("; ")}`,
  );
}

function textOf(
  { path = [], problem, expected, hint, isWhole = false }: Finding,
): string {
  const subject = path.length === 0 ? "what is given" : pathText(path);
  const wanted = isWhole ? "" : `, expected ${expected}`;
  return `${subject} ${problem}${wanted}${
    hint === undefined ? "" : ` (${hint})`
  }`;
}
