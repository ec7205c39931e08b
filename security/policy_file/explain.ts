import { CapabilityKinds } from "../kinds.ts";
import { LIMIT_NAMES, resolveLimits } from "../limits.ts";
import { LIMIT_TABLE } from "../limit_table.ts";
import type { DenoPermissions } from "../types.ts";
import { formatLimit } from "./_limits.ts";
import type { PolicyDocument } from "./document.ts";

/** A policy in words. */
export interface PolicyExplanation {
  /** What the guest may do, one sentence each. */
  readonly grants: readonly string[];
  /** Types of capabilities that are not granted. */
  readonly notGranted: readonly string[];
  /** What it may use, one line each. */
  readonly limits: readonly string[];
  /** Where it runs, in a sentence. */
  readonly isolation: string;
  /** What the grants do not protect against, one sentence each. */
  readonly notProtected: readonly string[];
  /** The flags of `deno run` that it amounts to, if all of it is granted. */
  readonly denoFlags: readonly string[];
  /**
   * Those that a guest's process gets. The network and the environment are
   * the host's affair: it asks on the guest's behalf.
   */
  readonly childFlags: readonly string[];
  /**
   * What no flag can name, since Deno separates names by commas and knows no
   * escape for one, and none for a line break. Such a directory works in this
   * process only.
   */
  readonly notNameable: readonly string[];
}

/**
 * Puts a policy into plain sentences, and into the flags of `deno run`.
 *
 * @example Usage
 * ```ts
 * import { explainPolicy, parsePolicy } from "@wasm-sandbox/core/policy";
 * import { assertEquals } from "@std/assert";
 *
 * const { denoFlags, grants } = explainPolicy(parsePolicy(`
 * version: 1
 * capabilities:
 *   - { type: environment, pass: [HOME] }
 * `));
 * assertEquals(denoFlags, ["--allow-env=HOME"]);
 * assertEquals(grants.length, 1);
 * ```
 *
 * @param document The policy, with limits and isolation.
 * @param kinds The kinds of capabilities; the built-in ones, if left out.
 * @returns The explanation.
 */
export function explainPolicy(
  { policy, limits, isolation = "auto" }: PolicyDocument,
  kinds: CapabilityKinds = new CapabilityKinds(),
): PolicyExplanation {
  const granted = [...kinds].filter(({ type }) => policy.find(type));
  const permissions = policy.denoPermissions(kinds);
  const { read, write } = permissions;
  const grants = policy.capabilities.flatMap((capability) =>
    kinds.get(capability.type).describe(capability)
  );
  return {
    grants: grants.length > 0 ? grants : ["It may only compute."],
    notGranted: [...kinds].map(({ type }) => type)
      .filter((type) => !policy.find(type)),
    limits: limitLines(limits),
    isolation: ISOLATION_TEXT[isolation],
    notProtected: granted.flatMap((kind) => kind.notProtected),
    denoFlags: flagsOf(permissions),
    childFlags: flagsOf({ read, write }),
    notNameable: [...new Set(Object.values(permissions).flat())]
      .filter((value) => !isNameable(value)),
  };
}

const ISOLATION_TEXT = Object.freeze({
  auto: "It runs in a process of its own if it reaches directories of the " +
    "host or the network, and in this process otherwise.",
  inline: "It runs in this process.",
  process: "It runs in a process of its own.",
});

function limitLines(limits: PolicyDocument["limits"]): readonly string[] {
  const resolved = resolveLimits(limits);
  return LIMIT_NAMES.flatMap((name) => {
    const amount = resolved[name];
    if (amount === undefined) return [];
    const standard = limits[name] === undefined ? " (default)" : "";
    const what = LIMIT_TABLE[name].description.replace(/\.$/, "");
    return [`${what}: ${formatLimit(name, amount)}${standard}.`];
  });
}

/** Writes permissions as flags of `deno run`. */
function flagsOf(permissions: DenoPermissions): readonly string[] {
  const names = ["read", "write", "net", "env"] as const;
  return names.flatMap((name) => {
    const values = (permissions[name] ?? []).filter(isNameable);
    return values.length === 0 ? [] : [`--allow-${name}=${values.join(",")}`];
  });
}

/** Whether a flag can name it; a part after a comma would be a grant. */
function isNameable(value: string): boolean {
  return !/[,\r\n]/.test(value);
}

/**
 * Quotes an argument for a shell.
 *
 * @param argument Any text.
 * @returns The text, in single quotes if it needs them.
 */
export function shellQuote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", "'\\''")}'`;
}
