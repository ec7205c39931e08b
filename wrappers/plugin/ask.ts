/** What a version of a plugin asks for, and what of that is too much. */

import { quote } from "../../_text.ts";
import type { Isolation } from "../../sandbox_options.ts";
import type { CapabilityKinds } from "../../security/kinds.ts";
import {
  LIMIT_NAMES,
  type ResolvedLimits,
  resolveLimits,
  type ResourceLimits,
} from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import type { Capability } from "../../security/types.ts";
import { sha256 } from "../sha256.ts";
import { notCovered } from "./covers.ts";
import type { PluginDefaults, PluginGrants, PluginRequest } from "./types.ts";

/** What a guest may do and use, and where it runs. */
export interface Ask {
  readonly policy: SecurityPolicy;
  /** All limits that will hold. */
  readonly limits: ResolvedLimits;
  /** Those of them that somebody has set. */
  readonly set: ResourceLimits;
  readonly isolation: Isolation;
}

/** What a plugin says that it needs: in its policy file, or in the options. */
export interface Wishes {
  readonly policy?: SecurityPolicy | readonly Capability[] | undefined;
  readonly limits?: ResourceLimits | undefined;
  readonly isolation?: Isolation | undefined;
}

/** What the host says of all plugins. */
export interface AskContext {
  readonly defaults: PluginDefaults;
  readonly ceiling: Ask;
  readonly kinds: CapabilityKinds;
}

/** What is granted without anybody being asked. */
export function ceilingOf(
  grants: PluginGrants,
  defaults: PluginDefaults,
  kinds: CapabilityKinds,
): Ask {
  const set = { ...defaults.limits, ...grants.limits };
  return {
    policy: policyOf(grants.policy, kinds),
    limits: resolveLimits(set),
    set,
    isolation: grants.isolation ?? defaults.isolation ?? "auto",
  };
}

/** What a plugin asks for, with everything that it has not said. */
export function askOf(wishes: Wishes, context: AskContext): Ask {
  const { defaults, ceiling, kinds } = context;
  const { isolation = "auto" } = wishes;
  const set = { ...unasked(defaults, ceiling), ...wishes.limits };
  return {
    policy: policyOf(wishes.policy, kinds),
    limits: resolveLimits(set),
    set,
    // a plugin that has no opinion runs where the host wants it
    isolation: isolation === "auto" ? ceiling.isolation : isolation,
  };
}

/** What of an ask is more than was granted, in sentences. */
export function exceeding(
  asked: Ask,
  granted: Ask,
  kinds: CapabilityKinds,
): readonly string[] {
  const capabilities = notCovered(granted.policy, asked.policy, kinds)
    .flatMap((capability) =>
      SecurityPolicy.from([capability], kinds).describe(kinds)[0] ??
        quote(capability.type)
    );
  const limits = LIMIT_NAMES.flatMap((name) => {
    const most = granted.limits[name];
    if (most === undefined) return [];
    const wanted = asked.limits[name];
    if (wanted !== undefined && wanted <= most) return [];
    return [
      `${name} is ${wanted ?? "not limited"}, and ${most} is granted.`,
    ];
  });
  return [
    ...capabilities,
    ...limits,
    ...(weakens(asked, granted)
      ? [
        `isolation is "inline", and "${granted.isolation}" is granted.`,
      ]
      : []),
  ];
}

/** A hash of a module and of all that is asked for with it. */
export function hashOf(asked: Ask, moduleSha256: string): Promise<string> {
  const text = JSON.stringify([
    moduleSha256,
    asked.policy,
    LIMIT_NAMES.map((name) => [name, String(asked.limits[name])]),
    asked.isolation,
  ]);
  return sha256(new TextEncoder().encode(text));
}

/** The request that somebody has to approve of. */
export function requestOf(
  { id, sha256, ask }: {
    readonly id: string;
    readonly sha256: string;
    readonly ask: Ask;
  },
  exceeds: readonly string[],
): PluginRequest {
  return Object.freeze({
    sha256: id,
    moduleSha256: sha256,
    capabilities: ask.policy.toJSON(),
    limits: ask.limits,
    isolation: ask.isolation,
    exceeds: Object.freeze([...exceeds]),
  });
}

/** Whether a guest that has something of the host's leaves its process. */
function weakens(asked: Ask, granted: Ask): boolean {
  if (asked.isolation !== "inline" || granted.isolation === "inline") {
    return false;
  }
  if (granted.isolation === "process") return true;
  return asked.policy.find("filesystem") !== undefined ||
    asked.policy.find("network") !== undefined;
}

/** What limits a plugin has that names none: no more than is granted. */
function unasked(defaults: PluginDefaults, ceiling: Ask): ResourceLimits {
  const usual = resolveLimits(defaults.limits ?? {});
  const lower = LIMIT_NAMES.flatMap((name) => {
    const most = ceiling.limits[name];
    const isLower = most !== undefined && most < (usual[name] ?? Infinity);
    return isLower ? [[name, most]] : [];
  });
  return { ...defaults.limits, ...Object.fromEntries(lower) };
}

function policyOf(
  policy: SecurityPolicy | readonly Capability[] | undefined,
  kinds: CapabilityKinds,
): SecurityPolicy {
  return SecurityPolicy.from([...policy ?? []], kinds);
}
