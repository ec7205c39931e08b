/** Guests in processes that have Wasmtime. */

import { assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { GuestInstance } from "../../runtime/guest_source.ts";
import { Machine } from "../../runtime/process/machine.ts";
import type { ProcessSource } from "../../runtime/process/process_source.ts";
import { childrenOf, open, type OpenOptions } from "./_process.ts";

/** What the machine has, and nothing of it. */
export const MACHINES = [new Machine(), new Machine({ wrap: false })];

/** Opens a module in a process that has Wasmtime. */
export function openOn(
  library: string,
  module: Uint8Array<ArrayBuffer>,
  options: OpenOptions = {},
): Promise<ProcessSource> {
  return open(module, { engine: { name: "wasmtime", library }, ...options });
}

/** Makes an instance of a module, and lets go of it afterwards. */
export async function within(
  library: string,
  module: Uint8Array<ArrayBuffer>,
  options: OpenOptions,
  use: (instance: GuestInstance, source: ProcessSource) => Promise<void>,
): Promise<void> {
  await using source = await openOn(library, module, options);
  await using instance = await source.instantiate({});
  await use(instance, source);
}

/** What a call rejects with; its process must not go on. */
export async function endOf(
  library: string,
  module: Uint8Array<ArrayBuffer>,
  name: string,
  options: OpenOptions = {},
): Promise<SandboxError> {
  let error: SandboxError | undefined;
  await within(library, module, options, async (instance) => {
    const call = instance.call(name, []);
    error = await assertRejects(() => call, SandboxError);
  });
  assertEquals(childrenOf(Deno.pid), []);
  if (error === undefined) throw new Error("the call has returned");
  return error;
}
