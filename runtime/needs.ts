/**
 * What a caller needs of a runtime, by name, and which runtimes offer it.
 *
 * @module
 */

import { nearest, quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { LIMIT_NAMES, type LimitName } from "../security/limits.ts";
import type { RuntimeFeatures, WasmFeature } from "./types.ts";
import { FEATURES } from "./v8/features.ts";

/**
 * Something that a runtime must offer: a proposal of WebAssembly, a limit that
 * it enforces, or one of `"calls"` (of exported functions), `"sync"`
 * (`callSync`), `"async"` (host functions that give promises), `"linked"`
 * (modules) and `"wasix"`.
 */
export type RuntimeNeed =
  | WasmFeature
  | LimitName
  | "calls"
  | "sync"
  | "async"
  | "linked"
  | "wasix";

/** A runtime that was not chosen. */
export interface PassedOver {
  /** Its name. */
  readonly runtime: string;
  /** What it lacks, in a sentence. */
  readonly reason: string;
}

/** Who runs a guest: a runtime, where it runs. */
export interface Enforcer {
  /** Where it runs. */
  readonly isolation: "inline" | "process";
  /** Name of the runtime. */
  readonly runtimeName: string;
  /** What it enforces. */
  readonly features: RuntimeFeatures;
}

/** The name that stands for the first runtime that offers what is asked for. */
export const AUTO = "auto";

const ABILITIES = ["calls", "sync", "async", "linked", "wasix"] as const;

/** All that can be needed, by name. */
const NEEDS: readonly string[] = Object.freeze([
  ...ABILITIES,
  ...FEATURES,
  ...LIMIT_NAMES,
]);

/**
 * The first thing that a runtime does not offer.
 *
 * @param features What it offers.
 * @param needs What is needed, checked.
 * @returns It, or undefined if it offers everything.
 */
export function missing(
  { wasm, limits, ...abilities }: RuntimeFeatures,
  needs: readonly RuntimeNeed[],
): RuntimeNeed | undefined {
  return needs.find((need) => {
    const ability = ABILITIES.find((each) => each === need);
    if (ability !== undefined) return !abilities[ability];
    if (wasm.some((each) => each === need)) return false;
    const { level = "none" } = limits[need as LimitName] ?? {};
    return level === "none";
  });
}

/**
 * What is wrong with a list of needs.
 *
 * @param needs What a caller gave.
 */
export function* needProblems(needs: unknown): Iterable<string> {
  if (needs === undefined) return;
  if (!Array.isArray(needs)) return yield "need is no array of names";
  for (const need of needs) {
    if (NEEDS.some((known) => known === need)) continue;
    const near = typeof need === "string" ? nearest(need, NEEDS) : undefined;
    yield `need has ${quote(String(need))}, which is nothing that a runtime ` +
      (near === undefined
        ? `offers (known are ${NEEDS.join(", ")})`
        : `offers (did you mean ${quote(near)}?)`);
  }
}

/**
 * Refuses a runtime that does not offer what is needed.
 *
 * @param enforcer The runtime, and where it runs.
 * @param needs What is needed, checked.
 * @throws {SandboxError} With code `unsupported`.
 */
export function requireNeeds(
  enforcer: Enforcer,
  needs: readonly RuntimeNeed[],
): void {
  const lacked = missing(enforcer.features, needs);
  if (lacked === undefined) return;
  throw unsupported(
    enforcer,
    quote(lacked),
    "leave it out of need, or use another runtime",
  );
}

/**
 * Whether an error says that a runtime cannot do it, and another one may.
 *
 * @param error Any error.
 * @returns Whether it does.
 */
export function isPassedOver(
  error: unknown,
): error is SandboxError<"unsupported" | "runtime-unavailable"> {
  return SandboxError.is(error, "unsupported") ||
    SandboxError.is(error, "runtime-unavailable");
}

/**
 * The error of a choice that no runtime is left for.
 *
 * @param needs What was needed.
 * @param passedOver Why each was passed over.
 * @returns The error.
 */
export function noRuntime(
  needs: readonly RuntimeNeed[],
  passedOver: readonly PassedOver[],
): SandboxError<"unsupported"> {
  const asked = needs.length === 0
    ? "what the options ask for"
    : needs.map(quote).join(", ");
  const reasons = passedOver.map(({ runtime, reason }) =>
    `${runtime}: ${reason}`
  );
  return new SandboxError(
    "unsupported",
    `Cannot choose a runtime: none offers ${asked} (${
      reasons.join("; ") || "none is registered"
    })`,
    { details: { runtime: AUTO, feature: asked } },
  );
}

/**
 * The error of something that a runtime cannot do or enforce.
 *
 * @param enforcer The runtime, and where it runs.
 * @param feature What it cannot.
 * @param suggestion What to do instead.
 * @returns The error.
 */
export function unsupported(
  { runtimeName, isolation }: Pick<Enforcer, "runtimeName" | "isolation">,
  feature: string,
  suggestion: string,
): SandboxError<"unsupported"> {
  const where = isolation === "inline" ? "inline" : "in a process";
  return new SandboxError(
    "unsupported",
    `Cannot provide ${feature}: the runtime "${runtimeName}" cannot ` +
      `enforce it ${where} (${suggestion})`,
    { details: { runtime: runtimeName, feature } },
  );
}
