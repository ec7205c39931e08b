/**
 * What all runtimes of one thread share that use the same library: the library,
 * its engines, their code, and the thread that keeps the deadlines. Like the
 * realm of V8, it is kept beside the objects that use it; see RATIONALE.md.
 *
 * @module
 */

import { printable } from "../../_text.ts";
import { refused } from "../v8/bounds.ts";
import { type Code, CodeCache } from "./code_cache.ts";
import type { CodeStore } from "./code_store.ts";
import { type EngineMode, makeEngine, versionOf } from "./engine.ts";
import { type PreparedCache, preparedCache } from "./module.ts";
import { Native, type Pointer, required } from "./native.ts";
import { Ticker } from "./ticker.ts";

/** Modules up to this length are compiled at once: a thread costs more. */
const SMALL_BYTES = 1024;
/** Those that are more work would keep the event loop waiting. */
const SMALL_WORK = 500_000;

/** An engine, and the code that was compiled for it. */
export interface SharedEngine {
  /** The engine. */
  readonly pointer: Pointer;
  /** What it writes into code. */
  readonly mode: EngineMode;
  /** Its code. */
  readonly codes: CodeCache;
}

/** What is to be compiled. */
export interface CodeSource {
  /** Names the module, for as long as the process lives. */
  readonly key: string;
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How much work it is, see `v8/work.ts`; little for what is the host's. */
  readonly work?: number;
  /** Where code is kept from one run of the program to the next, if anywhere. */
  readonly store: CodeStore | undefined;
}

/** A library, while somebody uses it. */
export class SharedLibrary {
  /** Where it is. */
  readonly path: string;
  /** What was prepared for it. */
  readonly prepared: PreparedCache = preparedCache();
  readonly #engines = new Map<string, SharedEngine>();
  /** Those whose epoch the ticker raises. */
  readonly #ticked = new Set<SharedEngine>();
  #native: Native | undefined;
  #version: number | undefined;
  #users = 0;
  #ticker: Promise<Ticker> | undefined;

  /**
   * Constructs it, not opened yet.
   *
   * @param path Where it is.
   */
  constructor(path: string) {
    this.path = path;
  }

  /** The opened library. */
  get native(): Native {
    if (this.#native !== undefined) return this.#native;
    throw new TypeError("Cannot use the library: it is closed");
  }

  /** The first number of its version. */
  get version(): number {
    return this.#version ?? 0;
  }

  /**
   * Opens it, unless it is open, and looks at its version.
   *
   * @throws {SandboxError} With code `runtime-unavailable`.
   */
  open(): void {
    if (this.#native === undefined) {
      const native = new Native(this.path);
      try {
        this.#native = native;
        const { pointer } = this.engine({ deadline: true, fuel: false });
        this.#version ??= versionOf(native, pointer);
      } catch (error) {
        this.#native = undefined;
        this.#engines.clear();
        native[Symbol.dispose]();
        throw error;
      }
    }
    this.#users++;
  }

  /** Closes it, once as often as it was opened. */
  close(): void {
    if (--this.#users > 0) return;
    const native = this.#native;
    // where it would be gone for good, what it made must not outlive it
    if (native === undefined || !native.stays) return;
    this.#native = undefined;
    native[Symbol.dispose]();
  }

  /** The engine of a mode, made at first use. */
  engine(mode: EngineMode): SharedEngine {
    const key = JSON.stringify([mode.deadline, mode.fuel]);
    let engine = this.#engines.get(key);
    if (engine === undefined) {
      const pointer = makeEngine(this.native, mode);
      const codes = new CodeCache((module) =>
        this.native.symbols.wasmtime_module_delete(module)
      );
      engine = { pointer, mode, codes };
      this.#engines.set(key, engine);
      const made = engine;
      this.#ticker?.then((ticker) => this.#addTo(ticker, made), () => {});
    }
    return engine;
  }

  /** The ticker, started at first use. */
  async ticker(): Promise<Ticker> {
    try {
      return await (this.#ticker ??= this.#start());
    } catch (error) {
      this.#ticker = undefined;
      throw error;
    }
  }

  /**
   * Code of a module, which must be given back.
   *
   * @param engine Whose code.
   * @param source The module.
   * @returns The code.
   * @throws {SandboxError} With code `module-refused`, if the engine does not
   * take it.
   */
  code(engine: SharedEngine, source: CodeSource): Promise<Code> {
    const { key, bytes, store, work = 0 } = source;
    const isSmall = bytes.length <= SMALL_BYTES && work <= SMALL_WORK;
    return engine.codes.take({
      key,
      byteLength: bytes.length,
      compile: async () => {
        const { native } = this;
        const kept = await store?.load(bytes, engine, native);
        if (kept !== undefined) return kept;
        const module = await compile(native, engine.pointer, bytes, isSmall);
        await store?.save(bytes, engine, { native, module });
        return module;
      },
    });
  }

  async #start(): Promise<Ticker> {
    const ticker = await Ticker.start(this.path);
    for (const engine of this.#engines.values()) this.#addTo(ticker, engine);
    return ticker;
  }

  #addTo(ticker: Ticker, engine: SharedEngine): void {
    if (!engine.mode.deadline || this.#ticked.has(engine)) return;
    this.#ticked.add(engine);
    ticker.add(Deno.UnsafePointer.value(engine.pointer));
  }
}

async function compile(
  native: Native,
  engine: Pointer,
  bytes: Uint8Array<ArrayBuffer>,
  isSmall: boolean,
): Promise<Pointer> {
  const { symbols } = native;
  const box = new BigUint64Array(1);
  const length = BigInt(bytes.length);
  const error = isSmall
    ? symbols.wasmtime_module_new(engine, bytes, length, box)
    : await symbols.compileElsewhere(engine, bytes, length, box);
  const reason = native.takeError(error);
  if (reason !== undefined) {
    throw refused(`the engine does not take it: ${printable(reason)}`, {
      reason: `engine limit, at ${bytes.length} bytes`,
    });
  }
  return required(Deno.UnsafePointer.create(box[0] ?? 0n));
}

/** The libraries of a thread, by their paths. */
class Libraries {
  readonly #all = new Map<string, SharedLibrary>();

  /**
   * Whether a library has been opened before.
   *
   * @param path Where it is.
   */
  has(path: string): boolean {
    return this.#all.has(path);
  }

  /**
   * Opens a library. It must be closed.
   *
   * @param path Where it is.
   * @returns The library.
   */
  open(path: string): SharedLibrary {
    const library = this.#all.get(path) ?? new SharedLibrary(path);
    library.open();
    this.#all.set(path, library);
    return library;
  }
}

/** The libraries of this thread. */
export const libraries: Libraries = new Libraries();
