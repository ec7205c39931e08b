/**
 * What runs plug-ins that were written with Extism's PDKs: their memory, and the
 * functions that they import from `extism:host/env`.
 *
 * @module
 */

export { CallContext, type CallContextOptions } from "./call_context.ts";
export {
  type CommandHostOptions,
  commandHosts,
  splitCommands,
  type SplitModules,
} from "./commands.ts";
export {
  extismService,
  type FunctionNames,
  functionNames,
} from "./functions.ts";
export { mayWaitForHost, pluginHandlers } from "./handlers.ts";
export { ExtismHost, type ExtismHostOptions, usesExtism } from "./host.ts";
export { type Initializer, initializersOf } from "./initializers.ts";
export { kernelBytes, type MemorySplit, splitMemory } from "./kernel.ts";
export { PluginOutput } from "./plugin_output.ts";
export * from "./types.ts";
export { ExtismVars } from "./vars.ts";
export { answerCall, applyReply, encodeCall } from "./wire.ts";
