/**
 * Which exports of a plug-in take messages.
 *
 * @module
 */

import type { ModuleExport } from "../../runtime/types.ts";
import { hasTypes } from "../guest_abi.ts";

/**
 * The exports that take an input and give an output by the functions of
 * `extism:host/env`: those that take nothing and give an i32, or nothing.
 *
 * @param exports What the plug-in exports.
 * @returns Their names.
 */
export function pluginHandlers(
  exports: readonly ModuleExport[],
): ReadonlySet<string> {
  const handlers = exports.filter(({ signature }) =>
    signature !== undefined &&
    (hasTypes(signature, [], ["i32"]) || hasTypes(signature, [], []))
  );
  return new Set(handlers.map(({ name }) => name));
}
