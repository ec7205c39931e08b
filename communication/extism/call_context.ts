/**
 * What a function of the host sees of the plug-in that calls it.
 *
 * @module
 */

import { PluginOutput } from "./plugin_output.ts";
import type { ExtismCall, ExtismMemory } from "./types.ts";
import type { ExtismVars } from "./vars.ts";

const ENCODER = new TextEncoder();

/** What a context is made from, beside the call. */
export interface CallContextOptions {
  /** What the plug-in is configured with. */
  readonly config: Readonly<Record<string, string>>;
  /** What the caller has given to the call. */
  readonly hostContext: unknown;
}

/**
 * The plug-in that called a function of the host: its blocks, by their handles,
 * and its variables. It holds until the function has returned: then it reads
 * nothing, and writing is refused.
 *
 * In process isolation only the blocks that the arguments point to can be read.
 */
export class CallContext {
  /** What the plug-in is configured with. */
  readonly config: Readonly<Record<string, string>>;
  readonly #hostContext: unknown;
  #parts:
    | { readonly memory: ExtismMemory; readonly vars: ExtismVars }
    | undefined;

  /**
   * Constructs it.
   *
   * @param call The call.
   * @param options The configuration, and what the caller gave.
   */
  constructor(
    { memory, vars }: Pick<ExtismCall, "memory" | "vars">,
    { config, hostContext }: CallContextOptions,
  ) {
    this.#parts = { memory, vars };
    this.config = config;
    this.#hostContext = hostContext;
  }

  /**
   * What the caller of the plug-in has given to its call.
   *
   * @typeParam T What the caller knows it to be.
   * @returns The very same value.
   */
  hostContext<T = unknown>(): T {
    return this.#hostContext as T;
  }

  /**
   * Reads a block.
   *
   * @param handle The block.
   * @returns A copy; null if there is no such block.
   */
  read(handle: bigint | number): PluginOutput | null {
    const bytes = this.#parts?.memory.read(BigInt(handle));
    return bytes === undefined ? null : new PluginOutput(bytes);
  }

  /**
   * Makes a block.
   *
   * @param value What it holds; text is written in UTF-8.
   * @returns Its handle, to be returned to the plug-in.
   * @throws {SandboxError} With code `limit-exceeded`, if it has no room.
   */
  store(value: string | Uint8Array): bigint {
    return this.#open().memory.store(bytesOf(value));
  }

  /**
   * Makes a block of zeros.
   *
   * @param length How many.
   * @returns Its handle.
   */
  alloc(length: bigint | number): bigint {
    return this.#open().memory.store(new Uint8Array(Number(length)));
  }

  /**
   * Length of a block.
   *
   * @param handle The block.
   * @returns Its length in bytes; 0 if there is no such block.
   */
  length(handle: bigint | number): bigint {
    const bytes = this.#parts?.memory.read(BigInt(handle));
    return BigInt(bytes?.length ?? 0);
  }

  /**
   * Looks a variable of the plug-in up.
   *
   * @param name Its name.
   * @returns A copy of its value; null if there is none.
   */
  getVariable(name: string): PluginOutput | null {
    const value = this.#parts?.vars.get(String(name));
    return value === undefined ? null : new PluginOutput(value.slice());
  }

  /**
   * Sets a variable of the plug-in.
   *
   * @param name Its name.
   * @param value Its value; text is written in UTF-8.
   * @throws {RangeError} If there is no room for it.
   */
  setVariable(name: string, value: string | Uint8Array): void {
    this.#open().vars.set(String(name), bytesOf(value).slice());
  }

  /**
   * Removes a variable of the plug-in, if it is there.
   *
   * @param name Its name.
   */
  deleteVariable(name: string): void {
    this.#open().vars.delete(String(name));
  }

  /**
   * Says that the call of the plug-in failed, which goes on: its result is this
   * error.
   *
   * @param error What it says.
   */
  setError(error: string | Error): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#open().memory.setError(message);
  }

  /** Ends it: the function has returned. */
  close(): void {
    this.#parts = undefined;
  }

  #open(): { readonly memory: ExtismMemory; readonly vars: ExtismVars } {
    if (this.#parts !== undefined) return this.#parts;
    throw new TypeError(
      "Cannot use the context of a call: the function has returned",
    );
  }
}

function bytesOf(value: string | Uint8Array): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return ENCODER.encode(value);
  if (value instanceof Uint8Array) return value as Uint8Array<ArrayBuffer>;
  throw new TypeError(
    "Cannot hand it to the plug-in: no text and no Uint8Array",
  );
}
