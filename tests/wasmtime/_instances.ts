/** Instances on Wasmtime, made of text. */

import { SandboxError } from "../../errors.ts";
import type {
  Instance,
  InstantiateOptions,
  ModuleFeatures,
  ResourceLimits,
} from "../../mod.ts";
import type { Runtime } from "../../runtime/types.ts";
import { wat } from "../wasm.ts";

/** What a module is compiled and instantiated with. */
export interface MakeOptions extends InstantiateOptions {
  readonly limits?: ResourceLimits;
  readonly features?: ModuleFeatures;
}

/** Makes an instance of a text. */
export async function make(
  runtime: Runtime,
  text: string,
  { limits = {}, features = {}, ...options }: MakeOptions = {},
): Promise<Instance> {
  const module = await runtime.compile(await wat(text), { limits, features });
  return await runtime.instantiate(module, options);
}

/** The code of what was thrown, or what it says. */
export function codeOf(error: unknown): string {
  return error instanceof SandboxError ? error.code : String(error);
}
