/**
 * An opened library, and how values are passed to it and taken from it.
 *
 * @module
 */

import { printable, reasonOf } from "../../_text.ts";
import { Dispatcher } from "./dispatcher.ts";
import { SYMBOLS, type Symbols } from "./symbols.ts";
import { unavailable } from "./unavailable.ts";

/** Something of the library's that is no null. */
export type Pointer = Deno.PointerObject;

/** How `dlopen` is asked to leave the library where it is: of each system. */
const KEEP: Readonly<Partial<Record<typeof Deno.build.os, number>>> = Object
  .freeze({ linux: 0x1001, android: 0x1001, darwin: 0x81, freebsd: 0x1001 });

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
/** Longest message that is read. */
const MAX_MESSAGE_BYTES = 4096;

/** An opened library. */
export class Native implements Disposable {
  readonly symbols: Symbols;
  /** Functions of the host. */
  readonly dispatcher: Dispatcher;
  /** Whether closing it leaves it in memory, with all that is in it. */
  readonly stays: boolean;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #procedureTypes = new Map<Pointer, Pointer>();

  /**
   * Opens a library, with all functions that are needed.
   *
   * @param path The library.
   * @throws {SandboxError} With code `runtime-unavailable`.
   */
  constructor(path: string) {
    this.#library = open(path);
    // not before: where there is no library, nobody would let it go
    this.dispatcher = new Dispatcher();
    this.symbols = this.#library.symbols;
    this.stays = this.#keep(path);
  }

  /**
   * The type of functions without parameters and results. One belongs to the
   * engine that first sees it: another one would end the process.
   *
   * @param engine The engine.
   * @returns Its type.
   */
  procedureType(engine: Pointer): Pointer {
    let type = this.#procedureTypes.get(engine);
    if (type === undefined) {
      const nothing = () => new BigUint64Array(2);
      type = required(this.symbols.wasm_functype_new(nothing(), nothing()));
      this.#procedureTypes.set(engine, type);
    }
    return type;
  }

  /**
   * Takes what a function of the library has said went wrong.
   *
   * @param error What it gave; null if all went well.
   * @returns The message; undefined if all went well.
   */
  takeError(error: Deno.PointerValue): string | undefined {
    if (error === null) return undefined;
    const text = this.#text((into) =>
      this.symbols.wasmtime_error_message(error, into)
    );
    this.symbols.wasmtime_error_delete(error);
    return text;
  }

  /**
   * Takes a trap.
   *
   * @param box Where a function of the library has put its address.
   * @returns Its code, if it has one, and its message; undefined if there is
   * none.
   */
  takeTrap(box: BigUint64Array<ArrayBuffer>): Trap | undefined {
    const trap = Deno.UnsafePointer.create(box[0] ?? 0n);
    if (trap === null) return undefined;
    box[0] = 0n;
    const code = new Uint8Array(1);
    const isKnown = this.symbols.wasmtime_trap_code(trap, code);
    // to write a message takes long, and most codes say all
    const message = isKnown
      ? ""
      : this.#text((into) => this.symbols.wasm_trap_message(trap, into));
    this.symbols.wasm_trap_delete(trap);
    return { code: isKnown ? code[0] : undefined, message };
  }

  /** Closes it. Nothing that it made may be used any more, unless it stays. */
  [Symbol.dispose](): void {
    for (const type of this.#procedureTypes.values()) {
      this.symbols.wasm_functype_delete(type);
    }
    this.dispatcher[Symbol.dispose]();
    this.#library.close();
  }

  /** Reads and frees what is put into a vector of bytes. */
  #text(fill: (into: BigUint64Array<ArrayBuffer>) => void): string {
    const vector = new BigUint64Array(2);
    fill(vector);
    const bytes = bytesOf(vector);
    const [first = ""] = DECODER.decode(bytes.subarray(0, MAX_MESSAGE_BYTES))
      .replace(/\0.*$/s, "").split("\n");
    this.symbols.wasm_byte_vec_delete(vector);
    return printable(first);
  }

  /**
   * Has the library stay in memory: threads of its own, and what it has told
   * the system about signals, must find it there.
   */
  #keep(path: string): boolean {
    const flags = KEEP[Deno.build.os];
    const { dlopen } = this.symbols;
    if (dlopen === null || dlopen === undefined || flags === undefined) {
      return false;
    }
    return dlopen(ENCODER.encode(`${path}\0`), flags) !== null;
  }
}

/** Why a guest has trapped. */
export interface Trap {
  /** The code, as `wasmtime/trap.h` numbers them. */
  readonly code: number | undefined;
  /** The first line of what the engine says, unless there is a code. */
  readonly message: string;
}

/**
 * The bytes of a vector, for as long as nobody frees it.
 *
 * @param vector Their number, and where they are.
 * @returns A view of them.
 */
export function bytesOf(
  vector: BigUint64Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const at = Deno.UnsafePointer.create(vector[1] ?? 0n);
  const length = Number(vector[0] ?? 0n);
  if (at === null || length === 0) return new Uint8Array();
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(at, length));
}

/**
 * Something that the library gives unless the machine has no room for it.
 *
 * @param pointer What it gave.
 * @returns The same.
 * @throws {SandboxError} With code `runtime-unavailable`, if it is null.
 */
export function required(pointer: Deno.PointerValue): Pointer {
  if (pointer !== null) return pointer;
  throw unavailable("the library gave nothing", "free some memory");
}

function open(path: string): Deno.DynamicLibrary<typeof SYMBOLS> {
  if (!isAllowed()) {
    throw unavailable(
      `loading ${path} is not allowed`,
      "run Deno with --allow-ffi",
    );
  }
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (cause) {
    throw unavailable(
      `the library ${path} cannot be opened: ${whyNot(cause)}`,
      undefined,
      cause,
    );
  }
}

/** What Deno says, which begins with what is said here already. */
function whyNot(cause: unknown): string {
  return printable(reasonOf(cause).replace(/^Could not open library: /, ""));
}

/**
 * Whether opening a library would not ask the user. Functions of the host that
 * it calls back take the permission for all paths.
 */
function isAllowed(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}
