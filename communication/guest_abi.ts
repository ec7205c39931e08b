/**
 * The guest ABI: how text and bytes get into a guest and out of it. Described
 * byte by byte in docs/guest-abi.md.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import type { GuestAbi, ModuleExport, Signature } from "../runtime/types.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Default name of the export that allocates. */
export const ALLOC_EXPORT = "wasm_sandbox_alloc";
/** Default name of the export that frees. */
export const FREE_EXPORT = "wasm_sandbox_free";
/** Name of the export that is the guest's memory. */
export const MEMORY_EXPORT = "memory";

/**
 * Which exports take messages and not numbers: those of the right type, if the
 * guest can allocate.
 *
 * @param exports What the module exports.
 * @param abi Names of the guest's memory functions.
 * @returns Their names.
 */
export function messageHandlers(
  exports: readonly ModuleExport[],
  { alloc = ALLOC_EXPORT }: GuestAbi = {},
): ReadonlySet<string> {
  const names = new Set<string>();
  if (!exports.some(({ name }) => name === alloc)) return names;
  for (const { name, signature } of exports) {
    if (signature !== undefined && isMessageHandler(signature)) names.add(name);
  }
  return names;
}

/** Whether a function takes a message and gives one. */
export function isMessageHandler(signature: Signature): boolean {
  return hasTypes(signature, ["i32", "i32"], ["i64"]);
}

/** Whether a signature is of exactly these types. */
export function hasTypes(
  { params, results }: Signature,
  takes: Signature["params"],
  gives: Signature["results"],
): boolean {
  return params.length === takes.length && results.length === gives.length &&
    takes.every((type, index) => params[index] === type) &&
    gives.every((type, index) => results[index] === type);
}

/** What a message goes through. */
export interface MessageGuest {
  /** Name of the export that is called, for messages of errors. */
  readonly name: string;
  /** The guest's memory. */
  readonly memory: Pick<WebAssembly.Memory, "buffer">;
  /** Takes a size and gives a pointer. */
  alloc(size: number): number;
  /** Takes a pointer and a size, if the guest wants memory back. */
  readonly free: ((pointer: number, size: number) => void) | undefined;
  /** Takes pointer and length of the request, and gives those of the reply. */
  handle(pointer: number, length: number): bigint;
}

const ENCODER = new TextEncoder();

// one 64-bit number, seen as two of 32 bits, least significant first
const PAIR = new BigUint64Array(1);
const HALVES = new DataView(PAIR.buffer);
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Sends a request and takes the reply. Nothing that the guest says is trusted:
 * pointers and lengths are checked against its memory as it is then.
 *
 * @param guest What the message goes through.
 * @param request Text, which is sent as UTF-8, or bytes.
 * @param maxBytes Longest request and longest reply.
 * @returns The reply, text or a copy of the bytes.
 * @throws {SandboxError} With code `limit-exceeded` or `guest-protocol`.
 */
export function exchangeMessage(
  guest: MessageGuest,
  request: string | Uint8Array,
  maxBytes: number,
): string | Uint8Array<ArrayBuffer> {
  const bytes = requestBytes(request, maxBytes);
  const size = bytes.length;
  const pointer = guest.alloc(size);
  placeRequest(guest, bytes, pointer);

  PAIR[0] = guest.handle(pointer, size);
  const replyPointer = HALVES.getUint32(LITTLE_ENDIAN ? 4 : 0, LITTLE_ENDIAN);
  const replyLength = HALVES.getUint32(LITTLE_ENDIAN ? 0 : 4, LITTLE_ENDIAN);
  const isText = typeof request === "string";
  const where = { pointer: replyPointer, length: replyLength };
  const reply = takeReply(guest, where, { isText, maxBytes });

  guest.free?.(pointer, size);
  guest.free?.(replyPointer, replyLength);
  return reply;
}

/**
 * The bytes of a request.
 *
 * @param request Text, which is sent as UTF-8, or bytes.
 * @param maxBytes Longest request.
 * @returns Its bytes.
 * @throws {SandboxError} With code `limit-exceeded`.
 */
export function requestBytes(
  request: string | Uint8Array,
  maxBytes: number,
): Uint8Array {
  const bytes = typeof request === "string" ? ENCODER.encode(request) : request;
  if (bytes.length > maxBytes) throw tooLong("request", maxBytes, bytes.length);
  return bytes;
}

/**
 * Writes a request to where the guest has made room for it.
 *
 * @param guest The guest.
 * @param bytes The request.
 * @param pointer What its allocator gave.
 * @throws {SandboxError} With code `guest-protocol`.
 */
export function placeRequest(
  guest: MessageGuest,
  bytes: Uint8Array,
  pointer: number,
): void {
  const size = bytes.length;
  if (pointer === 0 && size > 0) {
    throw broken(guest, `it could not allocate ${size} bytes`);
  }
  region(guest, "request", pointer >>> 0, size).set(bytes);
}

/** What a reply is to become. */
export interface ReplyOptions {
  /** Whether it is text. */
  readonly isText: boolean;
  /** Longest reply. */
  readonly maxBytes: number;
}

/**
 * Reads a reply from where the guest says that it lies.
 *
 * @param guest The guest.
 * @param where Pointer and length, unsigned.
 * @param options What it is to become.
 * @returns Text, or a copy of the bytes.
 * @throws {SandboxError} With code `limit-exceeded` or `guest-protocol`.
 */
export function takeReply(
  guest: MessageGuest,
  { pointer, length }: { readonly pointer: number; readonly length: number },
  { isText, maxBytes }: ReplyOptions,
): string | Uint8Array<ArrayBuffer> {
  const view = region(guest, "reply", pointer, length);
  return readReply(guest, view, { isText, maxBytes });
}

/**
 * Makes of a reply what it is to become.
 *
 * @param guest The name of the export that gave it.
 * @param bytes The reply.
 * @param options What it is to become.
 * @returns Text, or a copy of the bytes.
 * @throws {SandboxError} With code `limit-exceeded` or `guest-protocol`.
 */
export function readReply(
  guest: Pick<MessageGuest, "name">,
  bytes: Uint8Array<ArrayBuffer>,
  { isText, maxBytes }: ReplyOptions,
): string | Uint8Array<ArrayBuffer> {
  const { length } = bytes;
  if (length > maxBytes) throw tooLong("reply", maxBytes, length);
  return isText ? decode(guest, bytes) : bytes.slice();
}

/**
 * The error of a guest that breaks the rules of its ABI.
 *
 * @param guest The name of the export that was called.
 * @param problem What it did.
 * @returns The error.
 */
export function broken(
  { name }: { readonly name: string },
  problem: string,
): SandboxError<"guest-protocol"> {
  return new SandboxError(
    "guest-protocol",
    `Cannot use the guest's answer: ${problem}`,
    { details: { export: name, problem } },
  );
}

/** A part of the guest's memory, for as long as the guest does not run. */
function region(
  guest: MessageGuest,
  what: string,
  pointer: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const { buffer } = guest.memory;
  if (pointer + length > buffer.byteLength) {
    throw broken(
      guest,
      `its ${what} of ${length} bytes at ${pointer} lies outside of its memory of ${buffer.byteLength}`,
    );
  }
  // no memory is shared here: the gate refuses threads
  return new Uint8Array(buffer as ArrayBuffer, pointer, length);
}

function decode(
  guest: Pick<MessageGuest, "name">,
  bytes: Uint8Array<ArrayBuffer>,
): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw broken(guest, "its reply is not UTF-8");
  return text;
}

function tooLong(
  what: string,
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = `raise messageBytes to at least ${used}`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot pass a ${what} of ${used} bytes: messageBytes is ${allowed} (${suggestion})`,
    { details: { limit: "messageBytes", allowed, used, suggestion } },
  );
}
