/**
 * Which version of the guest ABI a guest speaks.
 *
 * @module
 */

import { printable } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { ModuleExport, ModuleImport } from "../runtime/types.ts";

/** The version of the guest ABI that this host speaks. */
export const ABI_VERSION = 1;

/** Name of the module that guests import the ABI's functions from. */
export const ABI_MODULE = "wasm_sandbox";

/** What the name of a guest's marker begins with; its version follows. */
const MARKER = "wasm_sandbox_abi_";

/**
 * The version of the guest ABI that a guest was made for: it exports a function
 * `wasm_sandbox_abi_N`, which is never called.
 *
 * @param exports What the module exports.
 * @returns The version, the highest if it names several; undefined if it names
 * none.
 * @throws {SandboxError} With code `module-refused`, if a marker names no
 * version.
 */
export function abiVersionOf(
  exports: readonly ModuleExport[],
): number | undefined {
  let highest: number | undefined;
  for (const { name, kind } of exports) {
    if (kind !== "function" || !name.startsWith(MARKER)) continue;
    const version = name.slice(MARKER.length);
    if (!/^[1-9][0-9]{0,8}$/.test(version)) {
      throw refused(`its export ${printable(name.slice(0, 60))} names none`);
    }
    highest = Math.max(highest ?? 0, Number(version));
  }
  return highest;
}

/**
 * Refuses a guest that was made for a later version of the guest ABI than this
 * host speaks. Nothing of the guest has run by then.
 *
 * @param exports What the module exports.
 * @throws {SandboxError} With code `module-refused`.
 */
export function requireAbi(exports: readonly ModuleExport[]): void {
  const version = abiVersionOf(exports) ?? ABI_VERSION;
  if (version <= ABI_VERSION) return;
  throw refused(
    `it was made for ${version}, and this host speaks ${ABI_VERSION}`,
  );
}

/**
 * Whether a module imports functions of the guest ABI.
 *
 * @param module The module.
 * @returns Whether it does.
 */
export function usesGuestImports(
  module: { readonly imports: readonly ModuleImport[] },
): boolean {
  return module.imports.some((need) => need.module === ABI_MODULE);
}

function refused(problem: string): SandboxError<"module-refused"> {
  const reason = `the version of its guest ABI: ${problem}`;
  return new SandboxError(
    "module-refused",
    `Cannot use the module because of ${reason} (update this package, or ` +
      "build the guest for an earlier version)",
    { details: { reason } },
  );
}
