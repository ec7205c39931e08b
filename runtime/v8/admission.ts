/**
 * Whether modules may be instantiated, and together, under some limits.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type { CompiledCode, CompiledModule } from "./compiled.ts";
import { overLimit } from "./gate.ts";
import type { Instrumentation, ModuleLayout } from "./layout.ts";
import { PAGE_BYTES } from "./link.ts";
import { tableMaxima } from "./rewrite.ts";

/** Name of the runtime. */
export const NAME = "v8";

/**
 * What is written into code to make limits hold.
 *
 * @param limits The limits.
 * @param keepsDeadlines Whether deadlines are among them.
 * @returns What is written.
 */
export function instrumentation(
  limits: ResolvedLimits,
  keepsDeadlines: boolean,
): Instrumentation {
  return {
    deadline: keepsDeadlines && Number.isFinite(limits.timeoutMs),
    fuel: limits.fuel !== undefined,
    tableElements: limits.tableElements,
  };
}

/**
 * What the tables of a module may grow to, as it is written into the module.
 *
 * @param layout The module.
 * @param mode What is written into it.
 * @returns The sum, in elements.
 */
export function tableBound(
  { tables }: ModuleLayout,
  { tableElements }: Instrumentation,
): number {
  const own = tables.filter(({ imported }) => !imported);
  return tableMaxima(own, tableElements).reduce<number>(
    (sum, maximum) => sum + (maximum ?? Infinity),
    0,
  );
}

/**
 * Throws if memories are larger from the start than they may become.
 *
 * @param codes The modules, which share the cap.
 * @param limits The limits.
 * @throws {SandboxError} With code `limit-exceeded`.
 */
export function checkMemory(
  codes: readonly Pick<CompiledCode, "memories">[],
  limits: Pick<ResolvedLimits, "memoryBytes">,
): void {
  const pages = codes.flatMap(({ memories }) => memories)
    .reduce((sum, { min }) => sum + min, 0);
  const used = pages * PAGE_BYTES;
  if (used <= limits.memoryBytes) return;
  throw overLimit("memoryBytes", limits.memoryBytes, used);
}

/**
 * Checks the limits that several modules share.
 *
 * @param modules The modules.
 * @param limits The limits.
 * @throws {SandboxError} If they are too large together, or cannot share.
 */
export function checkTogether(
  modules: readonly CompiledModule[],
  limits: ResolvedLimits,
): void {
  const codes = modules.map(({ code }) => code);
  checkMemory(codes, limits);
  if (modules.length === 1) return;
  if (limits.fuel !== undefined) {
    throw unsupported(
      "the limit fuel with linked modules",
      "each module counts for itself (bound the time with timeoutMs)",
    );
  }
  checkTables(codes, limits);
}

/**
 * Checks that tables of modules that share a limit cannot outgrow it together.
 *
 * @param codes The modules.
 * @param limits The limit.
 * @throws {SandboxError} If they can.
 */
export function checkTables(
  codes: readonly Pick<CompiledCode, "tableElements">[],
  { tableElements: allowed }: Pick<ResolvedLimits, "tableElements">,
): void {
  const used = codes.reduce((sum, code) => sum + code.tableElements, 0);
  if (used <= allowed) return;
  const suggestion =
    "give them a maximum, or compile the linked modules with " +
    "a smaller tableElements each";
  throw new SandboxError(
    "limit-exceeded",
    `Cannot link the modules: their tables may grow to ${used} elements ` +
      `together, and tableElements is ${allowed} (${suggestion})`,
    { details: { limit: "tableElements", allowed, used, suggestion } },
  );
}

/**
 * Throws unless what is written into the code is what the limits ask for.
 *
 * @param mode What is written into it.
 * @param wanted What the limits ask for.
 * @param isLinked Whether it shares the cap of its tables with others.
 * @throws {TypeError} If it is not.
 */
export function checkMode(
  mode: Instrumentation,
  wanted: Instrumentation,
  isLinked: boolean,
): void {
  for (const name of ["deadline", "fuel", "tableElements"] as const) {
    if (mode[name] === wanted[name]) continue;
    // a share of what all may have
    if (
      name === "tableElements" && isLinked && mode[name] < wanted[name]
    ) continue;
    throw new TypeError(
      "Cannot instantiate the module: its code was compiled with other " +
        `limits (${name} differs; compile it with the limits of the instance)`,
    );
  }
}

/**
 * Throws if bounds were changed that the gate has looked at already.
 *
 * @param compiled The limits that the module was compiled with.
 * @param limits The limits.
 * @throws {TypeError} If one was.
 */
export function checkBounds(
  compiled: ResolvedLimits,
  limits: ResolvedLimits,
): void {
  for (const name of ["moduleBytes", "functionBytes"] as const) {
    if (compiled[name] === limits[name]) continue;
    throw new TypeError(
      `Cannot instantiate the module with another ${name}: it was compiled ` +
        `with ${compiled[name]} (compile it with the limits of the instance)`,
    );
  }
}

/**
 * The error of what this runtime cannot do or enforce.
 *
 * @param what What was asked for.
 * @param why Why it cannot be had.
 * @returns The error.
 */
export function unsupported(
  what: string,
  why = `the "${NAME}" runtime cannot enforce it`,
): SandboxError<"unsupported"> {
  return new SandboxError("unsupported", `Cannot use ${what}: ${why}`, {
    details: { runtime: NAME, feature: what },
  });
}
