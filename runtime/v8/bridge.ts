/**
 * Small modules of the host's own that stand between a guest and the host, so
 * that no frame of JavaScript lies in the way when the guest is suspended.
 *
 * @module
 */

import { ModuleCache, type Sized } from "./cache.ts";
import type { NumberType, Signature } from "./layout.ts";
import { ByteWriter } from "./writer.ts";

/** Module that all of them import from. */
export const BRIDGE_MODULE = "host";
/** Name of what they export. */
export const BRIDGE_EXPORT = "call";

/** A function of numbers. */
interface NumberSignature {
  readonly params: readonly NumberType[];
  readonly results: readonly NumberType[];
}

/** A bridge that is compiled. */
interface Bridge extends Sized {
  readonly compiled: WebAssembly.Module;
}

/** How many bridges are kept; most programs need a dozen. */
const CACHE = { maxEntries: 256, maxBytes: 2 ** 20, maxEntryBytes: 2 ** 16 };

/** Compiles bridges, and keeps them for the next instance. */
export class Bridges {
  readonly #kept: ModuleCache<Bridge> = new ModuleCache(CACHE);

  /**
   * A function that may suspend. It imports
   *
   * - `start`, of its own type: asks the host;
   * - `suspended`, a mutable i32: the host sets it if the answer is a promise,
   *   and what `start` gave is then nothing;
   * - `wait`, which suspends;
   * - `resumed`, which gives what `start` would have given. What either throws
   *   becomes a trap.
   *
   * @param signature Its type.
   * @returns The module.
   */
  waiting(signature: Signature): WebAssembly.Module {
    return this.#bridge("waiting", numbers(signature), writeWaiting);
  }

  /**
   * A function that calls `inner`, of its own type, and then `returned`.
   *
   * @param signature Its type.
   * @returns The module.
   */
  calling(signature: Signature): WebAssembly.Module {
    return this.#bridge("calling", numbers(signature), writeCalling);
  }

  /**
   * A function that calls what stands in the first slot of `table`, which is
   * filled later. Until then it traps.
   *
   * @param signature Its type.
   * @returns The module.
   */
  later(signature: Signature): WebAssembly.Module {
    return this.#bridge("later", numbers(signature), writeLater);
  }

  /**
   * An exchange of messages as one function of the request's length: `alloc`,
   * `place`, which is given the pointer, `handle`, `take`, which is given
   * pointer and length of the reply, `free` twice, and `returned`.
   */
  get exchanging(): WebAssembly.Module {
    const signature: NumberSignature = { params: ["i32"], results: [] };
    return this.#bridge("exchanging", signature, writeExchanging);
  }

  #bridge(
    kind: string,
    signature: NumberSignature,
    write: (out: ByteWriter, signature: NumberSignature) => void,
  ): WebAssembly.Module {
    const key = `${kind} ${signature.params} ${signature.results}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept.compiled;
    const out = new ByteWriter().u8(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    write(out, signature);
    const compiled = new WebAssembly.Module(out.bytes);
    this.#kept.set(key, { compiled, cacheBytes: out.length });
    return compiled;
  }
}

function numbers({ params, results }: Signature): NumberSignature {
  const only = (types: Signature["params"]) =>
    types.map((type) => {
      if (type !== "other") return type;
      throw new TypeError("Cannot bridge a function of vectors or references");
    });
  return { params: only(params), results: only(results) };
}

const TYPES: Readonly<Record<NumberType, number>> = Object.freeze({
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
});

const BR_IF = 0x0d;
const BLOCK = 0x02;
const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const CATCH_ALL = 0x02;
const DROP = 0x1a;
const END = 0x0b;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I32_EQZ = 0x45;
const I32_WRAP_I64 = 0xa7;
const I64_CONST = 0x42;
const I64_SHR_U = 0x88;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const NO_RESULT = 0x40;
const RETURN = 0x0f;
const TRY_TABLE = 0x1f;
const UNREACHABLE = 0x00;

/** Writes the section of types. */
function types(out: ByteWriter, all: readonly NumberSignature[]): void {
  out.byte(1).sized(() => {
    out.u32(all.length);
    for (const { params, results } of all) {
      out.byte(0x60);
      for (const list of [params, results]) {
        out.u32(list.length);
        for (const type of list) out.byte(TYPES[type]);
      }
    }
  });
}

/** Writes the section of imports: functions, each with its type. */
function imports(
  out: ByteWriter,
  functions: readonly (readonly [name: string, type: number])[],
  others: readonly (readonly [name: string, ...type: number[]])[] = [],
): void {
  out.byte(2).sized(() => {
    out.u32(functions.length + others.length);
    for (const [name, type] of functions) {
      out.name(BRIDGE_MODULE).name(name).byte(0).u32(type);
    }
    for (const [name, ...type] of others) {
      out.name(BRIDGE_MODULE).name(name).u8(...type);
    }
  });
}

/** Writes the one function, of type 0, and exports it. */
function body(
  out: ByteWriter,
  imported: number,
  write: (out: ByteWriter) => void,
): void {
  out.byte(3).sized(() => out.u8(1, 0));
  out.byte(7).sized(() => out.u32(1).name(BRIDGE_EXPORT).byte(0).u32(imported));
  out.byte(10).sized(() => {
    out.u32(1).sized((code) => {
      write(code);
      code.byte(END);
    });
  });
}

function parameters(out: ByteWriter, { params }: NumberSignature): void {
  params.forEach((_, index) => out.byte(LOCAL_GET).u32(index));
}

function writeWaiting(out: ByteWriter, signature: NumberSignature): void {
  const { results } = signature;
  types(out, [signature, NOTHING, { params: [], results }]);
  const [START, WAIT, RESUMED] = [0, 1, 2];
  imports(out, [["start", 0], ["wait", 1], ["resumed", 2]], [
    ["suspended", ...MUTABLE_I32],
  ]);
  body(out, 3, () => {
    out.u32(0);
    parameters(out, signature);
    out.u8(CALL, START, GLOBAL_GET, 0, I32_EQZ, BR_IF, 0);
    for (const _ of results) out.byte(DROP);
    out.u8(I32_CONST, 0, GLOBAL_SET, 0);
    out.u8(BLOCK, NO_RESULT);
    // of type 2; what is caught goes on behind the block
    out.u8(TRY_TABLE, 2, 1, CATCH_ALL, 0);
    out.u8(CALL, WAIT, CALL, RESUMED, END);
    out.u8(RETURN, END, UNREACHABLE);
  });
}

function writeCalling(out: ByteWriter, signature: NumberSignature): void {
  types(out, [signature, NOTHING]);
  const [INNER, RETURNED] = [0, 1];
  imports(out, [["inner", 0], ["returned", 1]]);
  body(out, 2, () => {
    out.u32(0);
    parameters(out, signature);
    out.u8(CALL, INNER, CALL, RETURNED);
  });
}

function writeExchanging(out: ByteWriter, signature: NumberSignature): void {
  types(out, [
    signature,
    NOTHING,
    { params: ["i32"], results: ["i32"] },
    { params: ["i32", "i32"], results: [] },
    { params: ["i32", "i32"], results: ["i64"] },
  ]);
  const [ALLOC, PLACE, HANDLE, TAKE, FREE, RETURNED] = [0, 1, 2, 3, 4, 5];
  imports(out, [
    ["alloc", 2],
    ["place", 0],
    ["handle", 4],
    ["take", 3],
    ["free", 3],
    ["returned", 1],
  ]);
  const [SIZE, POINTER, REPLY, REPLY_POINTER, REPLY_SIZE] = [0, 1, 4, 2, 3];
  body(out, 6, () => {
    // locals: three i32, and one i64
    out.u8(2, 3, TYPES.i32, 1, TYPES.i64);
    out.u8(LOCAL_GET, SIZE, CALL, ALLOC, LOCAL_SET, POINTER);
    out.u8(LOCAL_GET, POINTER, CALL, PLACE);
    out.u8(LOCAL_GET, POINTER, LOCAL_GET, SIZE, CALL, HANDLE);
    out.u8(LOCAL_SET, REPLY);
    out.u8(LOCAL_GET, REPLY, I64_CONST, 32, I64_SHR_U, I32_WRAP_I64);
    out.u8(LOCAL_SET, REPLY_POINTER);
    out.u8(LOCAL_GET, REPLY, I32_WRAP_I64, LOCAL_SET, REPLY_SIZE);
    out.u8(LOCAL_GET, REPLY_POINTER, LOCAL_GET, REPLY_SIZE, CALL, TAKE);
    out.u8(LOCAL_GET, POINTER, LOCAL_GET, SIZE, CALL, FREE);
    out.u8(LOCAL_GET, REPLY_POINTER, LOCAL_GET, REPLY_SIZE, CALL, FREE);
    out.u8(CALL, RETURNED);
  });
}

/** As many bytes of an import: a table of one function. */
const ONE_FUNCTION = [1, 0x70, 1, 1, 1] as const;
/** A global. */
const MUTABLE_I32 = [3, TYPES.i32, 1] as const;

function writeLater(out: ByteWriter, signature: NumberSignature): void {
  types(out, [signature]);
  imports(out, [], [["table", ...ONE_FUNCTION]]);
  body(out, 0, () => {
    out.u32(0);
    parameters(out, signature);
    out.u8(I32_CONST, 0, CALL_INDIRECT, 0, 0);
  });
}

const NOTHING: NumberSignature = Object.freeze({ params: [], results: [] });
