/**
 * The kernel of a plug-in, as its host uses it: kernel.wat tells how it works.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { realm } from "../../runtime/v8/realm.ts";
import { KERNEL_BYTES } from "./kernel_bytes.ts";

const PAGE_BYTES = 65_536;
/** Most pages that a handle reaches. */
const MAX_PAGES = 65_536;
/** Bytes of a block's last granule and of the first, which is no block. */
const GRANULE_BYTES = 64;

/** What the kernel exports; what a plug-in may not import stands last. */
interface KernelExports {
  alloc(length: bigint): bigint;
  free(handle: bigint): void;
  length(handle: bigint): bigint;
  "error_set"(handle: bigint): void;
  "error_get"(): bigint;
  "input_set"(handle: bigint, length: bigint): void;
  "has_output"(): number;
  "output_offset"(): number;
  "output_length"(): number;
  reset(): void;
}

/** Functions that a plug-in imports as the kernel exports them. */
export const DIRECT_FUNCTIONS: readonly string[] = Object.freeze([
  "alloc",
  "free",
  "length",
  "length_unsafe",
  "load_u8",
  "load_u64",
  "store_u8",
  "store_u64",
  "input_offset",
  "input_length",
  "input_load_u8",
  "input_load_u64",
  "output_set",
  "error_set",
  "error_get",
]);

/** The memory that host and plug-in share. */
export class Kernel {
  /** Most pages of blocks. */
  readonly maxPages: number;
  /** What a plug-in imports, and the host's own functions. */
  readonly exports: WebAssembly.Exports;
  readonly #own: KernelExports;
  readonly #data: WebAssembly.Memory;
  readonly #meta: WebAssembly.Memory;
  #view: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** The last error that the host has set. */
  #error = 0n;

  /**
   * Constructs it.
   *
   * @param maxPages Most pages of blocks, from 1.
   */
  constructor(maxPages: number) {
    this.maxPages = Math.min(Math.max(1, Math.floor(maxPages)), MAX_PAGES);
    const maximum = metaPages(this.maxPages);
    this.#data = new WebAssembly.Memory({ initial: 1, maximum: this.maxPages });
    this.#meta = new WebAssembly.Memory({ initial: 1, maximum });
    const module = realm.helper(
      "extism-kernel",
      () => Uint8Array.fromBase64(KERNEL_BYTES),
    );
    const { exports } = new WebAssembly.Instance(module, {
      kernel: { data: this.#data, meta: this.#meta },
    });
    this.exports = exports;
    this.#own = exports as unknown as KernelExports;
  }

  /** Bytes of both its memories. */
  get memoryBytes(): number {
    return this.#data.buffer.byteLength + this.#meta.buffer.byteLength;
  }

  /**
   * Begins a call: lets all blocks go, and sets the input.
   *
   * @param input The input.
   * @throws {SandboxError} With code `limit-exceeded`, if it has no room.
   */
  begin(input: Uint8Array): void {
    this.#own.reset();
    const handle = this.store(input);
    this.#own.input_set(handle, BigInt(input.length));
  }

  /** Lets all blocks go. */
  reset(): void {
    this.#own.reset();
  }

  /**
   * Copies a block.
   *
   * @param handle The block.
   * @returns Its bytes; undefined if there is no such block.
   */
  read(handle: bigint): Uint8Array<ArrayBuffer> | undefined {
    const length = Number(this.#own.length(handle));
    if (length === 0) return undefined;
    return this.#copy(Number(BigInt.asUintN(64, handle)), length);
  }

  /**
   * Makes a block.
   *
   * @param bytes What it holds.
   * @returns Its handle; 0 for no bytes.
   * @throws {SandboxError} With code `limit-exceeded`, if it has no room.
   */
  store(bytes: Uint8Array): bigint {
    if (bytes.length === 0) return 0n;
    const handle = this.#own.alloc(BigInt(bytes.length));
    if (handle === 0n) throw outOfMemory(this.maxPages, bytes.length);
    this.#bytes().set(bytes, Number(handle));
    return handle;
  }

  /**
   * Lets a block go, if there is one.
   *
   * @param handle The block.
   */
  free(handle: bigint): void {
    this.#own.free(handle);
  }

  /**
   * Sets the error of the call.
   *
   * @param message What it says.
   */
  setError(message: Uint8Array): void {
    // a plug-in that fails again and again takes no more memory each time
    if (this.#own.error_get() === this.#error) this.#own.free(this.#error);
    this.#error = this.store(message);
    this.#own.error_set(this.#error);
  }

  /** Copy of what the error says; undefined if none is set. */
  get error(): Uint8Array<ArrayBuffer> | undefined {
    return this.read(this.#own.error_get());
  }

  /** Copy of the output; undefined if none was set. */
  get output(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#own.has_output() === 0) return undefined;
    // a number of 32 bits comes with a sign
    const at = this.#own.output_offset() >>> 0;
    return this.#copy(at, this.#own.output_length() >>> 0);
  }

  #copy(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes().slice(at, at + length);
  }

  /** Its memory as it is now: asking for the buffer each time takes longer. */
  #bytes(): Uint8Array<ArrayBuffer> {
    // a memory that has grown has let go of its buffer
    if (this.#view.length === 0) {
      this.#view = new Uint8Array(this.#data.buffer as ArrayBuffer);
    }
    return this.#view;
  }
}

/** What is known about blocks takes 8 bytes for 64, and some. */
function metaPages(pages: number): number {
  return Math.ceil(pages / 8) + 1;
}

/** How the memory of a plug-in is split. */
export interface MemorySplit {
  /** Most bytes for the plug-in's own memories. */
  readonly guestBytes: number;
  /** Most pages for blocks. */
  readonly maxPages: number;
}

/**
 * Splits the memory that a plug-in may have between itself and its kernel.
 *
 * @param memoryBytes All of it.
 * @param maxPages Pages for blocks, if that is told; else it is a quarter.
 * @returns How it is split.
 * @throws {TypeError} If that leaves nothing for the plug-in.
 */
export function splitMemory(
  memoryBytes: number,
  maxPages?: number,
): MemorySplit {
  const pages = maxPages ?? Math.max(
    1,
    Math.floor((memoryBytes / 4 / PAGE_BYTES - 1) * 8 / 9),
  );
  const guestBytes = memoryBytes - (pages + metaPages(pages)) * PAGE_BYTES;
  if (Number.isSafeInteger(pages) && pages > 0 && guestBytes >= 0) {
    return { guestBytes, maxPages: pages };
  }
  throw new TypeError(
    `Cannot give ${pages} pages to what host and plug-in hand each other: ` +
      `memoryBytes is ${memoryBytes} in all (raise memoryBytes, or give a ` +
      "whole number of pages above 0)",
  );
}

/**
 * Bytes that some pages of blocks take, with what is known about them.
 *
 * @param pages How many.
 * @returns How many bytes.
 */
export function kernelBytes(pages: number): number {
  return (pages + metaPages(pages)) * PAGE_BYTES;
}

function outOfMemory(
  pages: number,
  length: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "raise memory.maxPages and memoryBytes, or hand over less";
  const allowed = pages * PAGE_BYTES - GRANULE_BYTES;
  return new SandboxError(
    "limit-exceeded",
    `Cannot hand ${length} bytes to the plug-in: oom, memory.maxPages is ` +
      `${pages} (${suggestion})`,
    { details: { limit: "memoryBytes", allowed, used: length, suggestion } },
  );
}
