/**
 * Which engine runs a guest in its process.
 *
 * @module
 */

/** An engine, and what the process needs to have it. */
export type ProcessEngine =
  | {
    /** V8, which is part of Deno. */
    readonly name: "v8";
  }
  | {
    /** Wasmtime, which Deno opens as a library. */
    readonly name: "wasmtime";
    /** The library: an absolute path, as the host sees it. */
    readonly library: string;
  };

/** The engine that is part of Deno. */
export const V8: ProcessEngine = Object.freeze({ name: "v8" });

/**
 * The library that a process must be able to load.
 *
 * @param engine The engine.
 * @returns Its path; undefined if it needs none.
 */
export function libraryOf(engine: ProcessEngine): string | undefined {
  return engine.name === "v8" ? undefined : engine.library;
}
