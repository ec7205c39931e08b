/**
 * What the guests of one thread share: its one call stack and address space
 * ask for one watchdog and one count of instances. It is one of the few
 * things that this package keeps beside its objects; see RATIONALE.md.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { Bridges } from "./bridge.ts";
import type { CompiledCode } from "./compiled.ts";
import { ModuleCache } from "./cache.ts";
import { makeTrap } from "./trap.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * Most instances that may live at a time; one with several memories counts as
 * several. Each takes address space, of which a process that runs out of it
 * dies: at some 32,000 memories.
 */
export const MAX_INSTANCES = 10_000;

/**
 * Most different function types that a thread compiles. The engine keeps each
 * for as long as the process lives, and dies at some two million.
 */
const MAX_FUNCTION_TYPES = 500_000;
/** Most bytes of all these types together; the engine takes a dozen for each. */
const MAX_TYPE_BYTES = 8 * 2 ** 20;

/**
 * Bounds of the cache of compiled modules. Native code can take fifty times as
 * much as the module, so large ones are not kept.
 */
const CACHE = { maxEntries: 64, maxBytes: 8 * 2 ** 20, maxEntryBytes: 2 ** 20 };

/** The place of one instance among those that live. */
export interface Slot {
  /** Gives the place back; once is enough. */
  release(): void;
  /** Gives the place back when an object is collected as garbage. */
  releaseWith(instance: object): void;
}

/** The state that the guests of a thread share. */
class Realm {
  /** Compiled modules, by content and limits. */
  readonly modules: ModuleCache<CompiledCode> = new ModuleCache(CACHE);
  /** What stands between guests and functions that wait. */
  readonly bridges: Bridges = new Bridges();
  readonly #helpers = new Map<string, WebAssembly.Module>();
  #watchdog: Promise<Watchdog> | undefined;
  #idle: Watchdog | undefined;
  #trap: (() => never) | undefined;
  #instances = 0;
  readonly #types = new Set<string>();
  #typeBytes = 0;
  readonly #forgotten = new FinalizationRegistry<() => void>((release) =>
    release()
  );

  /** The watchdog, started at first use. */
  watchdog(): Promise<Watchdog> {
    return this.#watchdog ??= this.#start();
  }

  /** A watchdog that stops nothing, for guests whose deadline others keep. */
  get idleWatchdog(): Watchdog {
    return this.#idle ??= new Watchdog();
  }

  /** Traps in the guest that called the host function that calls it. */
  get trap(): () => never {
    return this.#trap ??= makeTrap();
  }

  /**
   * A module of the host's own, which is compiled once.
   *
   * @param name What it is called.
   * @param bytes Gives its bytes, if it is not compiled yet.
   * @returns The module.
   */
  helper(name: string, bytes: () => BufferSource): WebAssembly.Module {
    let module = this.#helpers.get(name);
    if (module === undefined) {
      module = new WebAssembly.Module(bytes());
      this.#helpers.set(name, module);
    }
    return module;
  }

  /** How many instances live. */
  get instances(): number {
    return this.#instances;
  }

  /**
   * Counts the function types of a module that is about to be compiled.
   *
   * @param types Each type, as text.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  admitTypes(types: Iterable<string>): void {
    const fresh = new Set<string>();
    for (const type of types) if (!this.#types.has(type)) fresh.add(type);
    const used = this.#types.size + fresh.size;
    const bytes = [...fresh].reduce((sum, { length }) => sum + length, 0);
    if (
      used > MAX_FUNCTION_TYPES || this.#typeBytes + bytes > MAX_TYPE_BYTES
    ) {
      throw exceeded("functionTypes", {
        allowed: MAX_FUNCTION_TYPES,
        used,
        suggestion: "compile fewer different modules in one process",
      });
    }
    for (const type of fresh) this.#types.add(type);
    this.#typeBytes += bytes;
  }

  /**
   * Counts an instance.
   *
   * @param memories How many memories it has.
   * @returns Its place.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  admit(memories: number): Slot {
    const weight = Math.max(1, memories);
    if (this.#instances + weight > MAX_INSTANCES) {
      throw exceeded("instances", {
        allowed: MAX_INSTANCES,
        used: this.#instances + weight,
        suggestion: "dispose sandboxes that are no longer needed",
      });
    }
    this.#instances += weight;
    const token = {};
    let counted = true;
    const release = () => {
      if (!counted) return;
      counted = false;
      this.#instances -= weight;
      this.#forgotten.unregister(token);
    };
    const releaseWith = (instance: object) => {
      if (counted) this.#forgotten.register(instance, release, token);
    };
    return { release, releaseWith };
  }

  async #start(): Promise<Watchdog> {
    try {
      return await Watchdog.start();
    } catch (error) {
      this.#watchdog = undefined;
      throw error;
    }
  }
}

function exceeded(
  limit: string,
  { allowed, used, suggestion }: {
    allowed: number;
    used: number;
    suggestion: string;
  },
): SandboxError<"limit-exceeded"> {
  return new SandboxError(
    "limit-exceeded",
    `Cannot go beyond ${allowed} ${limit} in one thread (${suggestion})`,
    { details: { limit, allowed, used, suggestion } },
  );
}

/** The state of this thread. */
export const realm: Realm = new Realm();
