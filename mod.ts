/**
 * Run untrusted WebAssembly under limits that hold.
 *
 * A {@linkcode Sandbox} runs one module. Its memory and tables are capped, each
 * call has a deadline that no loop, recursion or handler of exceptions escapes,
 * and if wanted every instruction is counted as fuel. What the module imports
 * must have been granted, name by name. A program for WASI gets the files,
 * variables, clocks and arguments that a {@linkcode SecurityPolicy} names, and
 * each decision is an event; one that is granted directories of the host runs
 * in a process of its own.
 *
 * ```ts
 * import { Sandbox } from "@wasm-sandbox/core";
 * import { assertEquals } from "@std/assert";
 *
 * // (module (func (export "answer") (result i32) i32.const 42))
 * const module = Uint8Array.fromHex(
 *   "0061736d010000000105016000017f03020100" +
 *     "070a0106616e7377657200000a06010400412a0b",
 * );
 * await using sandbox = await Sandbox.create({ module });
 * assertEquals(await sandbox.call("answer"), 42);
 * ```
 *
 * A guest may call functions of its host, converse over a channel, go through
 * streams longer than its memory and make requests, as far as it is granted;
 * docs/guest-abi.md describes how.
 *
 * Channels are in the entry `./communication`, Extism plug-ins in `./extism`,
 * audit files in `./audit`, policy files in `./policy`.
 *
 * @module
 */

export * from "./communication/fault.ts";
export type {
  HostFunctionCodec,
  HostFunctionContext,
  HostFunctionHandler,
  HostFunctionOperation,
  HostFunctionOptions,
  HostFunctions,
} from "./communication/host_functions.ts";
export type {
  CallContext,
  CallContextOptions,
} from "./communication/extism/call_context.ts";
export type { PluginOutput } from "./communication/extism/plugin_output.ts";
export type * from "./communication/extism/types.ts";
export type { ExtismVars } from "./communication/extism/vars.ts";
export type { HttpOptions, Resolve } from "./communication/http/options.ts";
export type {
  ChannelFactory,
  ChannelOptions,
  StandardIssue,
  StandardResult,
  StandardSchemaV1,
} from "./communication/mod.ts";
export type * from "./communication/types.ts";
export * from "./errors.ts";
export * from "./registry.ts";
export * from "./runtime/mod.ts";
export * from "./sandbox.ts";
export * from "./sandbox_builder.ts";
export type {
  CallAbi,
  ExecuteOptions,
  ExecuteResult,
  InstancePolicy,
  Isolation,
  LimitEnforcement,
  LimitUsage,
  RuntimeChoice,
  SandboxCallOptions,
  SandboxEnforcement,
  SandboxOptions,
  SandboxTransform,
  SandboxUsage,
} from "./sandbox_options.ts";
export * from "./security/mod.ts";
