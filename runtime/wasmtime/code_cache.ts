/**
 * Native code of modules, shared by content and bounded.
 *
 * @module
 */

import type { Pointer } from "./native.ts";

/** Compiled code, while somebody uses it. */
export interface Code {
  /** The module, as the library knows it. */
  readonly module: Pointer;
}

/** What is compiled. */
export interface CodeRequest {
  /** Names its content and everything that its code depends on. */
  readonly key: string;
  /** Length of the module, in bytes. */
  readonly byteLength: number;
  /** Compiles it. */
  readonly compile: () => Promise<Pointer>;
}

interface Entry extends Code {
  readonly key: string;
  readonly byteLength: number;
  uses: number;
  isKept: boolean;
}

/** What is being compiled. */
interface Pending {
  readonly entry: Promise<Entry>;
  /** How many wait for it: each has a use from the start. */
  waiting: number;
}

/** Bounds of a {@linkcode CodeCache}. */
export interface CodeCacheOptions {
  /**
   * Most modules.
   *
   * @default {128}
   */
  readonly maxEntries?: number;
  /**
   * Most bytes of all modules together. Native code takes a few times as much.
   *
   * @default {67_108_864}
   */
  readonly maxBytes?: number;
}

/** Keeps what was used last, and frees the rest once nobody uses it. */
export class CodeCache {
  readonly #free: (module: Pointer) => void;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #pending = new Map<string, Pending>();
  #bytes = 0;

  /**
   * Constructs an empty cache.
   *
   * @param free Frees a module.
   * @param options The bounds.
   */
  constructor(
    free: (module: Pointer) => void,
    { maxEntries = 128, maxBytes = 64 * 2 ** 20 }: CodeCacheOptions = {},
  ) {
    this.#free = free;
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /** How many modules are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Code of a module, compiled if need be. It must be given back.
   *
   * @param request The module.
   * @returns Its code.
   */
  async take(request: CodeRequest): Promise<Code> {
    const entry = this.#entries.get(request.key);
    if (entry !== undefined) {
      entry.uses++;
      this.#touch(entry);
      return entry;
    }
    const pending = this.#pending.get(request.key) ?? this.#compile(request);
    pending.waiting++;
    return await pending.entry;
  }

  /**
   * Gives code back.
   *
   * @param code What `take` gave, once for each time.
   */
  giveBack(code: Code): void {
    const entry = code as Entry;
    entry.uses--;
    this.#sweep();
    if (entry.uses === 0 && !entry.isKept) this.#free(entry.module);
  }

  /** Frees all that nobody uses, and the rest when it is given back. */
  clear(): void {
    for (const entry of [...this.#entries.values()]) this.#drop(entry);
  }

  #compile({ key, byteLength, compile }: CodeRequest): Pending {
    const keep = (module: Pointer): Entry => {
      const uses = pending.waiting;
      const entry = { key, byteLength, module, uses, isKept: true };
      this.#pending.delete(key);
      this.#entries.set(key, entry);
      this.#bytes += byteLength;
      return entry;
    };
    const forget = (error: unknown): never => {
      this.#pending.delete(key);
      throw error;
    };
    const pending = { entry: compile().then(keep, forget), waiting: 0 };
    this.#pending.set(key, pending);
    return pending;
  }

  /** Makes it the last that goes. */
  #touch(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
  }

  /** Lets go of what is beyond the bounds, but never of what came last. */
  #sweep(): void {
    for (const entry of [...this.#entries.values()]) {
      if (
        this.#entries.size === 1 ||
        this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes
      ) return;
      this.#drop(entry);
    }
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#bytes -= entry.byteLength;
    entry.isKept = false;
    if (entry.uses === 0) this.#free(entry.module);
  }
}
