/**
 * What the guests of one thread share: its one call stack and address space
 * ask for one watchdog and one count of instances. It is the only state that
 * this package keeps beside its objects; see RATIONALE.md.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type { CompiledCode } from "./compiled.ts";
import { ModuleCache } from "./cache.ts";
import { makeTrap } from "./trap.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * Most instances that may live at a time. Each takes address space, of which
 * a process that runs out of it dies: at some 32,000 memories.
 */
export const MAX_INSTANCES = 10_000;

/** Bounds of the cache of compiled modules. */
const CACHE = { maxEntries: 64, maxBytes: 128 * 2 ** 20 };

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
  #watchdog: Promise<Watchdog> | undefined;
  #trap: (() => never) | undefined;
  #instances = 0;
  readonly #forgotten = new FinalizationRegistry<() => void>((release) =>
    release()
  );

  /** The watchdog, started at first use. */
  watchdog(): Promise<Watchdog> {
    return this.#watchdog ??= this.#start();
  }

  /** Traps in the guest that called the host function that calls it. */
  get trap(): () => never {
    return this.#trap ??= makeTrap();
  }

  /** How many instances live. */
  get instances(): number {
    return this.#instances;
  }

  /**
   * Counts an instance.
   *
   * @returns Its place.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  admit(): Slot {
    if (this.#instances >= MAX_INSTANCES) {
      const suggestion = "dispose sandboxes that are no longer needed";
      throw new SandboxError(
        "limit-exceeded",
        `Cannot make an instance: ${MAX_INSTANCES} are alive (${suggestion})`,
        {
          details: {
            limit: "instances",
            allowed: MAX_INSTANCES,
            used: this.#instances + 1,
            suggestion,
          },
        },
      );
    }
    this.#instances++;
    const token = {};
    let counted = true;
    const release = () => {
      if (!counted) return;
      counted = false;
      this.#instances--;
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

/** The state of this thread. */
export const realm: Realm = new Realm();
