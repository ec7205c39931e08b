/** A module in V8 alone: what this package is compared with. */

import { ALLOC_EXPORT, FREE_EXPORT } from "../../communication/guest_abi.ts";
import type { GuestAbi, WasmValue } from "../../runtime/types.ts";

/** What the command line knows of a call. */
export type BenchInput =
  | { readonly kind: "numbers"; readonly args: readonly WasmValue[] }
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

type Export = (...args: readonly unknown[]) => unknown;

/** What of a guest takes messages. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly handle: Export;
  readonly alloc: Export;
  readonly free: Export | undefined;
}

/**
 * Makes an instance without any limit, and the least that calls it by hand.
 *
 * @param module The module, compiled.
 * @param name The export.
 * @param input What it takes.
 * @param abi Names of the guest's memory functions.
 * @returns Calls it, and gives what it returns.
 * @throws {Error} If it cannot be instantiated without imports.
 */
export async function rawCall(
  module: WebAssembly.Module,
  name: string,
  input: BenchInput,
  { alloc = ALLOC_EXPORT, free = FREE_EXPORT }: GuestAbi,
): Promise<() => unknown> {
  const { exports } = await WebAssembly.instantiate(module, {});
  const handle = exports[name] as Export;
  if (input.kind === "numbers") {
    // spread at each call, arguments would cost more than a short call
    return handle.bind(undefined, ...input.args);
  }
  const guest = {
    memory: exports.memory as WebAssembly.Memory,
    handle,
    alloc: exports[alloc] as Export,
    free: exports[free] as Export | undefined,
  };
  if (input.kind === "bytes") return () => exchange(guest, input.bytes);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  return () => {
    const request = encoder.encode(JSON.stringify(input.value));
    return JSON.parse(decoder.decode(exchange(guest, request)));
  };
}

/** Sends a request, and gives a copy of the reply. */
function exchange(
  { memory, handle, alloc, free }: Exports,
  request: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { length } = request;
  const pointer = Number(alloc(length)) >>> 0;
  new Uint8Array(memory.buffer, pointer, length).set(request);
  const packed = BigInt.asUintN(64, handle(pointer, length) as bigint);
  const at = Number(packed >> 32n);
  const size = Number(packed & 0xffffffffn);
  const reply = new Uint8Array(memory.buffer, at, size).slice();
  free?.(pointer, length);
  free?.(at, size);
  return reply;
}
