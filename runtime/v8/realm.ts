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
import { Watchdog } from "./watchdog.ts";

/**
 * Most instances that may live at a time. Each takes address space, of which
 * a process that runs out of it dies: at some 32,000 memories.
 */
export const MAX_INSTANCES = 10_000;

/** Bounds of the cache of compiled modules. */
const CACHE = { maxEntries: 64, maxBytes: 128 * 2 ** 20 };

/** The state that the guests of a thread share. */
class Realm {
  /** Compiled modules, by content and limits. */
  readonly modules: ModuleCache<CompiledCode> = new ModuleCache(CACHE);
  #watchdog: Promise<Watchdog> | undefined;
  #instances = 0;
  readonly #forgotten = new FinalizationRegistry<() => void>((release) =>
    release()
  );

  /** The watchdog, started at first use. */
  watchdog(): Promise<Watchdog> {
    return this.#watchdog ??= this.#start();
  }

  /** How many instances live. */
  get instances(): number {
    return this.#instances;
  }

  /**
   * Counts an instance.
   *
   * @returns Uncounts it, once.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  admit(): () => void {
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
    let counted = true;
    const release = () => {
      if (counted) this.#instances--;
      counted = false;
    };
    return release;
  }

  /**
   * Has an instance released when it is collected as garbage.
   *
   * @param instance The instance.
   * @param release What to call; must not hold the instance.
   */
  releaseWhenForgotten(instance: object, release: () => void): void {
    this.#forgotten.register(instance, release);
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
