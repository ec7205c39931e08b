/**
 * The flags that every command has: limits, features, and the guest's ABI.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import type { Command } from "@cliffy/command";
import type { GuestAbi, ModuleFeatures } from "../runtime/mod.ts";
import type { WasmFeature } from "../runtime/types.ts";
import { FEATURES_OF_V8 } from "../runtime/v8/enforced.ts";
import { DEFAULT_LIMITS, type ResourceLimits } from "../security/limits.ts";
import { choiceOf } from "./choices.ts";
import { LIMITS, limitValue, type LimitValues } from "./limit_flags.ts";

/** The values of the flags that every command has. */
export interface SharedFlags extends LimitValues {
  /** `--allow-feature`, each time it was given. */
  readonly allowFeature?: readonly WasmFeature[];
  /** `--alloc`. */
  readonly alloc?: string;
  /** `--free`. */
  readonly free?: string;
  /** `--verbose`. */
  readonly verbose?: true;
  /** `--json`. */
  readonly json?: true;
}

/** The flags of every command, to know them by. */
export const SHARED_FLAGS: readonly string[] = Object.freeze([
  ...LIMITS.map(([, { flag }]) => flag),
  "--allow-feature",
  "--alloc",
  "--free",
  "--verbose",
  "--json",
  "--help",
]);

/**
 * Adds the flags that every command has.
 *
 * @param command The command.
 * @returns The same.
 */
export function withLimits(command: Command<any>): Command<any> {
  command.type("limit", limitValue).type(
    "feature",
    choiceOf("--allow-feature"),
  );
  for (const [name, { flag, unit, description }] of LIMITS) {
    const standard = DEFAULT_LIMITS[name];
    const text = standard === undefined
      ? description
      : `${description.slice(0, -1)} (${unit.format(standard)}).`;
    command.option(`${flag} <${unit.name}:limit>`, text);
  }
  return command
    .option("--allow-feature <name:feature>", "Allow a proposal, repeatable.", {
      collect: true,
    })
    .option("--alloc <name:string>", "The guest's export that allocates.")
    .option("--free <name:string>", "The guest's export that frees.")
    .option("--verbose", "Print what was used to the standard error.");
}

/** What the flags say, as a sandbox takes it. */
export interface Settings {
  /** The limits that were given. */
  readonly limits: ResourceLimits;
  /** The features that were allowed. */
  readonly features: ModuleFeatures;
  /** The names of the guest's memory functions that were given. */
  readonly abi: GuestAbi;
}

/**
 * Translates flags.
 *
 * @param flags The flags that were given.
 * @returns Options of a sandbox.
 */
export function settingsOf(flags: SharedFlags): Settings {
  const limits = LIMITS
    .map(([name, { key }]) => [name, flags[key]])
    .filter(([, value]) => value !== undefined);
  const features = (flags.allowFeature ?? []).map((name) => [name, true]);
  const { alloc, free } = flags;
  return {
    limits: Object.fromEntries(limits),
    features: Object.fromEntries(features),
    abi: {
      ...(alloc === undefined ? {} : { alloc }),
      ...(free === undefined ? {} : { free }),
    },
  };
}

/**
 * Whether the runtime could run a module with a feature, if it were allowed.
 *
 * @param feature Name of the feature.
 * @returns Whether `--allow-feature` helps.
 */
export function canAllow(feature: string): boolean {
  return FEATURES_OF_V8.wasm.some((name) => name === feature);
}
