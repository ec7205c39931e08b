/**
 * What a plug-in wants to be called before its own exports.
 *
 * @module
 */

import type { ModuleExport, WasmValue } from "../../runtime/types.ts";

/** Something that is to be called before a plug-in's own exports. */
export interface Initializer {
  /** Name of the export. */
  readonly name: string;
  /** What it is given: zeros. */
  readonly args: readonly WasmValue[];
}

/**
 * What a module wants to be called first: the constructors of C or what a
 * reactor has, and the runtime of Haskell.
 *
 * @param exports What it exports.
 * @returns What to call, in this order.
 */
export function initializersOf(
  exports: readonly ModuleExport[],
): readonly Initializer[] {
  const found = (name: string, maxParams: number): Initializer[] => {
    const { signature } = exports.find((each) => each.name === name) ?? {};
    if (signature === undefined || signature.params.length > maxParams) {
      return [];
    }
    if (signature.params.some((type) => type !== "i32")) return [];
    return [{ name, args: signature.params.map(() => 0) }];
  };
  const [reactor = found("__wasm_call_ctors", 0)[0]] = found("_initialize", 0);
  // hs_init takes pointers to the arguments of a program, of which there are none
  return [...(reactor === undefined ? [] : [reactor]), ...found("hs_init", 2)];
}
