/** What is wrong with the options by which guest and host talk. */

import { quote } from "./_text.ts";
import { ABI_MODULE } from "./communication/abi_version.ts";
import { EXTISM_MODULE } from "./communication/extism/types.ts";
import { hostFunctionProblems } from "./communication/host_functions.ts";
import { WASI_MODULES } from "./runtime/inline_source.ts";
import { MAIN } from "./runtime/v8/linked.ts";
import type { SandboxOptions } from "./sandbox_options.ts";

/** Finds it, before anything is done. */
export function* communicationProblems(
  options: Partial<SandboxOptions>,
): Iterable<string> {
  const { hostFunctions, onHostFunctionError, channel, linked = {} } = options;
  if (hostFunctions !== undefined) yield* hostFunctionProblems(hostFunctions);
  if (!["undefined", "function"].includes(typeof onHostFunctionError)) {
    yield "onHostFunctionError is no function";
  }
  const isChannel = typeof channel === "object" && channel !== null &&
    typeof channel.receive === "function";
  if (!isChannel && !["undefined", "string"].includes(typeof channel)) {
    yield "channel is neither a channel nor a name";
  }
  for (const [name, source] of Object.entries(linked)) {
    if (source === undefined) yield `linked.${name} is no module`;
    if (isTaken(name, options)) {
      yield `linked has a module of the name ${quote(name)}, which is taken ` +
        "(give it another one)";
    }
  }
}

/** Whether modules import something else from that name. */
function isTaken(
  name: string,
  { imports = {}, extism }: Partial<SandboxOptions>,
): boolean {
  if (name === MAIN || name === ABI_MODULE) return true;
  if (name === EXTISM_MODULE) return extism !== undefined;
  return WASI_MODULES.includes(name) && !Object.hasOwn(imports, name);
}
