/**
 * Messages: text and bytes that go into a guest and come out of it, as
 * docs/guest-abi.md describes. Nothing that the guest says is trusted.
 *
 * @module
 */

import type { SandboxError } from "@wasm-sandbox/core";
import type {
  GuestAbi,
  ModuleExport,
  Signature,
  WasmValue,
} from "@wasm-sandbox/core/runtime";
import {
  ALLOC_EXPORT,
  broken,
  FREE_EXPORT,
  hasTypes,
  isMessageHandler,
  quote,
  readReply,
  requestBytes,
} from "@wasm-sandbox/core/runtime-authors";
import type { Work } from "./machine.ts";

/** What a message goes through. */
export interface MessageGuest {
  /** Name of the export that takes it. */
  readonly name: string;
  /** What the guest exports. */
  readonly exports: readonly ModuleExport[];
  /** Names of the guest's memory functions. */
  readonly abi: GuestAbi;
  /** The guest's memory as it is now. */
  memory(): Uint8Array<ArrayBuffer>;
  /** Calls an exported function. */
  call(name: string, args: readonly WasmValue[]): Work<readonly WasmValue[]>;
}

/** Names of the functions that a message goes through. */
export interface MessageFunctions {
  readonly alloc: string;
  /** Undefined if the guest does not want memory back. */
  readonly free: string | undefined;
}

/**
 * Checks that a guest can take messages.
 *
 * @param guest The guest.
 * @returns The functions to call.
 * @throws {SandboxError} With code `guest-protocol`.
 */
export function messageFunctions(guest: MessageGuest): MessageFunctions {
  const { name, exports, abi } = guest;
  const alloc = abi.alloc ?? ALLOC_EXPORT;
  const free = abi.free ?? FREE_EXPORT;
  const find = (wanted: string) => exports.find((each) => each.name === wanted);
  const has = (
    wanted: string,
    takes: Signature["params"],
    gives: Signature["results"],
  ) => {
    const { signature } = find(wanted) ?? {};
    return signature !== undefined && hasTypes(signature, takes, gives);
  };
  if (find("memory")?.kind !== "memory") {
    throw broken(guest, 'it exports no memory as "memory"');
  }
  const { signature } = find(name) ?? {};
  if (signature === undefined || !isMessageHandler(signature)) {
    throw broken(
      guest,
      `${quote(name)} is not of type (i32, i32) -> i64`,
    );
  }
  if (!has(alloc, ["i32"], ["i32"])) {
    throw broken(
      guest,
      `it exports no ${quote(alloc)} of type (i32) -> i32`,
    );
  }
  const wantsBack = find(free)?.kind === "function";
  if (wantsBack && !has(free, ["i32", "i32"], [])) {
    throw broken(
      guest,
      `${quote(free)} is not of type (i32, i32) -> ()`,
    );
  }
  return { alloc, free: wantsBack ? free : undefined };
}

/**
 * Sends a request and takes the reply.
 *
 * @param guest The guest.
 * @param functions The functions to call.
 * @param request What to send.
 * @param maxBytes Longest request and longest reply.
 * @returns The reply, text or a copy of the bytes.
 * @throws {SandboxError} With code `limit-exceeded` or `guest-protocol`.
 */
export function* exchange(
  guest: MessageGuest,
  { alloc, free }: MessageFunctions,
  request: string | Uint8Array,
  maxBytes: number,
): Work<string | Uint8Array<ArrayBuffer>> {
  const bytes = requestBytes(request, maxBytes);
  const size = bytes.length;
  const [given] = yield* guest.call(alloc, [size]);
  const pointer = Number(given) >>> 0;
  if (pointer === 0 && size > 0) {
    throw broken(guest, `it could not allocate ${size} bytes`);
  }
  region(guest, "request", pointer, size).set(bytes);
  const [answer] = yield* guest.call(guest.name, [pointer, size]);
  const pair = BigInt.asUintN(64, BigInt(answer ?? 0));
  const at = Number(pair >> 32n);
  const length = Number(pair & 0xffffffffn);
  const reply = readReply(guest, region(guest, "reply", at, length), {
    isText: typeof request === "string",
    maxBytes,
  });
  if (free !== undefined) {
    yield* guest.call(free, [pointer, size]);
    yield* guest.call(free, [at, length]);
  }
  return reply;
}

/** A part of the guest's memory, for as long as the guest does not run. */
function region(
  guest: MessageGuest,
  what: string,
  pointer: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const memory = guest.memory();
  if (pointer + length > memory.length) throw outside(guest, what, memory);
  return memory.subarray(pointer, pointer + length);
}

function outside(
  guest: MessageGuest,
  what: string,
  { length }: Uint8Array,
): SandboxError {
  return broken(guest, `its ${what} lies outside of its memory of ${length}`);
}
