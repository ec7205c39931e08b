/** What a program cannot do without, beside what its user grants. */

import { Capabilities } from "../security/capabilities.ts";
import { SecurityPolicy } from "../security/policy.ts";
import type { GuestOptions } from "./guest_options.ts";

/** What a program is given by each of its runs. */
export interface ProgramNeeds {
  /** Whether it takes arguments. */
  readonly arguments: boolean;
  /** Variables whose values come from the run. */
  readonly pass: readonly string[];
}

/**
 * Grants the standard streams, an exit code, what a run gives, and, unless the
 * user grants them otherwise, a coarse clock and random bytes, which the runtimes
 * of most languages ask for as they start. None of it reaches anything.
 *
 * @param given What the user grants.
 * @param needs What a run gives.
 * @returns Both together.
 * @throws {SandboxError} With code `invalid-capability`.
 */
export function programPolicy(
  { policy, capabilityKinds }: Pick<GuestOptions, "policy" | "capabilityKinds">,
  { arguments: takesArguments, pass }: ProgramNeeds,
): SecurityPolicy {
  const granted = policy instanceof SecurityPolicy
    ? policy
    : SecurityPolicy.from(policy ?? [], capabilityKinds);
  const usual = [Capabilities.clock(), Capabilities.random()]
    .filter(({ type }) => granted.find(type) === undefined);
  return granted.allowCapability(
    Capabilities.stdio(),
    Capabilities.process({ arguments: takesArguments }),
    Capabilities.environment({ pass }),
    ...usual,
  );
}
