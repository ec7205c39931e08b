import type { ResourceLimits } from "../limits.ts";
import type { SecurityPolicy } from "../policy.ts";

/** How a policy file is written. */
export type PolicyFormat = "yaml" | "json";

/** Where guests of a policy run, as a policy file names it. */
export type PolicyIsolation = "auto" | "inline" | "process";

/** Every {@linkcode PolicyIsolation}. */
export const POLICY_ISOLATIONS: readonly PolicyIsolation[] = Object.freeze([
  "auto",
  "inline",
  "process",
]);

/** What a policy file says. */
export interface PolicyDocument {
  /** What a guest may do. */
  readonly policy: SecurityPolicy;
  /** What it may use; what the file leaves out has its default. */
  readonly limits: ResourceLimits;
  /** Where it runs, if the file says. */
  readonly isolation?: PolicyIsolation;
}

/**
 * The format of a file, by its name.
 *
 * @param source Name of the file.
 * @returns `"json"` if it ends so, `"yaml"` otherwise.
 */
export function formatOf(source: string): PolicyFormat {
  return /\.json$/i.test(source) ? "json" : "yaml";
}
