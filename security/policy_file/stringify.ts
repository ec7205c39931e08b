import { LIMIT_NAMES, type ResourceLimits } from "../limits.ts";
import { writeLimit } from "./_limits.ts";
import { writeJson, writeYaml } from "./_yaml_writer.ts";
import type { PolicyDocument, PolicyFormat } from "./document.ts";
import { POLICY_VERSION } from "./schema.ts";

/**
 * Writes a policy file. The same policy gives the same text, and reading it
 * gives the same policy.
 *
 * @example Usage
 * ```ts
 * import { stringifyPolicy } from "@wasm-sandbox/core/policy";
 * import { SecurityPolicy } from "@wasm-sandbox/core";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = SecurityPolicy.strict();
 * assertEquals(
 *   stringifyPolicy({ policy, limits: { timeoutMs: 2_000 } }),
 *   "version: 1\nlimits:\n  timeoutMs: 2s\ncapabilities: []\n",
 * );
 * ```
 *
 * @param document The policy, with limits and isolation.
 * @param format How to write it.
 * @returns The text.
 */
export function stringifyPolicy(
  { policy, limits, isolation }: PolicyDocument,
  format: PolicyFormat = "yaml",
): string {
  const data = {
    version: POLICY_VERSION,
    limits: writtenLimits(limits),
    isolation,
    capabilities: policy.capabilities,
  };
  return format === "json" ? writeJson(data) : writeYaml(data);
}

function writtenLimits(
  limits: ResourceLimits,
): Readonly<Record<string, string | number>> | undefined {
  const entries = LIMIT_NAMES.flatMap((name) => {
    const amount = limits[name];
    return amount === undefined ? [] : [[name, writeLimit(name, amount)]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
