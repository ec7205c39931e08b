/**
 * What is refused because Wasmtime would not keep a limit.
 *
 * @module
 */

import type { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { unsupported } from "../needs.ts";
import type { Module, WasmFeature } from "../types.ts";
import { PAGE_BYTES } from "../v8/link.ts";
import type { Prepared } from "./module.ts";
import { NAME } from "./unavailable.ts";

/**
 * Proposals by which a guest gets fuel back: where an exception is caught, and
 * behind a call by reference, Wasmtime's code goes on with what was left before
 * the call.
 */
const UNCOUNTED: readonly WasmFeature[] = Object.freeze([
  "exceptions",
  "functionReferences",
]);

/**
 * Refuses fuel for a module that it would not be counted for.
 *
 * @param module What it uses.
 * @param limits Its limits.
 * @throws {SandboxError} With code `unsupported`.
 */
export function requireCounted(
  { features }: Pick<Module, "features">,
  { fuel }: ResolvedLimits,
): void {
  if (fuel === undefined) return;
  const used = UNCOUNTED.find((name) => features.includes(name));
  if (used === undefined) return;
  throw notEnforced(
    `the limit "fuel" for a module that uses the feature "${used}"`,
  );
}

/**
 * The most memory that one bulk operation may walk through, in bytes: it looks
 * at no deadline, and takes a tenth of a second or two for as much as this.
 */
const MAX_BULK_BYTES = 256 * 2 ** 20;

/**
 * Refuses a deadline that one operation of the module's could outrun.
 *
 * @param prepared The module.
 * @param limits Its limits.
 * @throws {SandboxError} With code `unsupported`.
 */
export function requireTimely(
  { description, memories }: Pick<Prepared, "description" | "memories">,
  { memoryBytes, timeoutMs }: ResolvedLimits,
): void {
  const isBulk = description.features.includes("bulkMemory");
  if (!isBulk || timeoutMs === Infinity) return;
  const maxima = memories.map(({ max = Infinity }) => max * PAGE_BYTES);
  const most = Math.min(memoryBytes, Math.max(0, ...maxima));
  if (most <= MAX_BULK_BYTES) return;
  throw unsupported(
    { runtimeName: NAME, isolation: "inline" },
    `the limit "timeoutMs" for bulk operations on ${most} bytes of memory`,
    `lower memoryBytes to ${MAX_BULK_BYTES}, or use isolation "process"`,
  );
}

/**
 * The error of something that Wasmtime cannot enforce.
 *
 * @param what It.
 * @returns The error.
 */
export function notEnforced(what: string): SandboxError<"unsupported"> {
  return unsupported(
    { runtimeName: NAME, isolation: "inline" },
    what,
    "leave it out, or use another runtime",
  );
}
