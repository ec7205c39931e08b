/**
 * Calls of the host by a guest: arguments out of the adapter's memory, results
 * into it.
 *
 * @module
 */

import type { ImportName } from "../../errors.ts";
import { unsupported } from "../needs.ts";
import type { HostModuleFunction, NumberType, WasmValue } from "../types.ts";
import { isPromise } from "../v8/guarded.ts";
import { invoke } from "../v8/instance_parts.ts";
import { checkedResult } from "../v8/results.ts";
import type { Handler } from "./dispatcher.ts";
import { type NumberSignature, VALUE_BYTES, VALUES_OFFSET } from "./glue.ts";
import { NAME } from "./unavailable.ts";

/** A function of the host, as one module imports it. */
export interface BoundFunction {
  /** The function. */
  readonly fn: HostModuleFunction;
  /** The import. */
  readonly name: ImportName;
  /** Its type. */
  readonly signature: NumberSignature;
  /** Whether it is a host module's, whose errors are passed on. */
  readonly own: boolean;
  /** Whether it counts as no call of the host. */
  readonly isDirect: boolean;
  /** Whether it may give a promise. */
  readonly maySuspend: boolean;
}

/** The guest that calls. */
export interface Caller {
  /** Whether no limit has ended the call that runs; counts the host's calls. */
  mayCall(name: ImportName): boolean;
  /** Notes what a function of the host has thrown. */
  failed(cause: unknown, name: ImportName, own: boolean): void;
}

/** Memory of an adapter, and what must be known before the host looks at more. */
export class HostFrame implements Disposable {
  /** The first word is 1 once the host has done its work. */
  words: Int32Array<ArrayBuffer> = new Int32Array();
  floats: Float32Array<ArrayBuffer> = new Float32Array();
  longs: BigInt64Array<ArrayBuffer> = new BigInt64Array();
  doubles: Float64Array<ArrayBuffer> = new Float64Array();

  /**
   * Sets the memory.
   *
   * @param buffer What the adapter exports.
   */
  open(buffer: ArrayBuffer): void {
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    this.longs = new BigInt64Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Lets go of the memory. */
  [Symbol.dispose](): void {
    const { buffer } = this.words;
    if (!buffer.detached) buffer.transfer(0);
  }
}

/** Options of {@linkcode handlerOf}. */
export interface HandlerOptions {
  /** The adapter's memory. */
  readonly frame: HostFrame;
  /** The guest. */
  readonly caller: Caller;
  /** Called before anything of the host's: the guest's memory may have grown. */
  readonly touch: () => void;
}

const WORD = VALUE_BYTES / 4;
const FIRST_WORD = VALUES_OFFSET / 4;
const FIRST = VALUES_OFFSET / VALUE_BYTES;

/**
 * What runs when the guest calls a function. Every way out is checked: unless
 * it says that all is well, the guest traps.
 *
 * @param bound The function.
 * @param options The guest.
 * @returns What the dispatcher calls.
 */
export function handlerOf(
  { fn, name, signature, own, isDirect, maySuspend }: BoundFunction,
  { frame, caller, touch }: HandlerOptions,
): Handler {
  const { params, results } = signature;
  const args: WasmValue[] = [];
  const read = (frame: HostFrame): WasmValue[] =>
    params.map((type, index) => readValue(frame, type, index));
  // a row of calls of the host may have no check between them
  const mayCall = isDirect ? () => true : () => caller.mayCall(name);
  return () => {
    try {
      touch();
      if (!mayCall()) return;
      const given = params.length === 0 ? args : read(frame);
      const result = invoke(fn, given);
      if (maySuspend && isPromise(result)) throw cannotWait(result, name);
      if (results.length > 0) {
        write(frame, checkedResult(result, results), results);
      }
      frame.words[0] = 1;
    } catch (cause) {
      caller.failed(cause, name, own);
    }
  };
}

function readValue(
  { words, floats, longs, doubles }: HostFrame,
  type: NumberType,
  index: number,
): WasmValue {
  switch (type) {
    case "i32":
      return words[FIRST_WORD + WORD * index] ?? 0;
    case "i64":
      return longs[FIRST + index] ?? 0n;
    case "f32":
      return floats[FIRST_WORD + WORD * index] ?? 0;
    case "f64":
      return doubles[FIRST + index] ?? 0;
  }
}

function write(
  frame: HostFrame,
  given: unknown,
  results: readonly NumberType[],
): void {
  if (results.length === 1) {
    return writeValue(frame, results[0], given as WasmValue, 0);
  }
  const values = given as readonly WasmValue[];
  results.forEach((type, index) =>
    writeValue(frame, type, values[index] ?? 0, index)
  );
}

/** Writes a number; arrays of numbers cut it as WebAssembly does. */
function writeValue(
  { words, floats, longs, doubles }: HostFrame,
  type: NumberType | undefined,
  value: WasmValue,
  index: number,
): void {
  if (type === "i64") longs[FIRST + index] = value as bigint;
  else if (type === "i32") words[FIRST_WORD + WORD * index] = value as number;
  else if (type === "f64") doubles[FIRST + index] = value as number;
  else floats[FIRST_WORD + WORD * index] = value as number;
}

/** The error of a promise that nobody can wait for. */
function cannotWait(
  promise: PromiseLike<unknown>,
  { module, name }: ImportName,
) {
  // whatever becomes of it
  Promise.resolve(promise).catch(() => {});
  return unsupported(
    { runtimeName: NAME, isolation: "inline" },
    `a promise of the host function "${module}"."${name}"`,
    'have it answer at once, choose the isolation "process", or the runtime ' +
      '"v8"',
  );
}
