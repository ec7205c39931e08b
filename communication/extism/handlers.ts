/**
 * What a plug-in's exports and imports tell of it.
 *
 * @module
 */

import type { Module, ModuleExport } from "../../runtime/types.ts";
import { hasTypes } from "../guest_abi.ts";
import { splitCommands } from "./commands.ts";
import type { FunctionNames } from "./functions.ts";
import { EXTISM_MODULE } from "./types.ts";

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

/**
 * Whether a plug-in may have to wait for its host: for a request, for an
 * asynchronous function, or for a linked command.
 *
 * @param modules Its modules, by name.
 * @param functions The host's functions.
 * @returns Whether it may.
 */
export function mayWaitForHost(
  modules: Readonly<Record<string, Module>>,
  functions: FunctionNames,
): boolean {
  const { commands } = splitCommands(modules);
  const isAsync = (module: string, name: string) =>
    module === EXTISM_MODULE
      ? name === "http_request"
      : functions[module]?.[name] === "async" ||
        Object.hasOwn(commands, module);
  return Object.values(modules).some(({ imports }) =>
    imports.some(({ module, name }) => isAsync(module, name))
  );
}
