/**
 * The WebAssembly proposals that a module may use, and which are allowed.
 *
 * @module
 */

/**
 * Proposals beyond WebAssembly 1.0 that the gate can tell apart. Sign
 * extension, saturating conversion, mutable globals, multiple values and
 * extended constants are always allowed.
 */
export type WasmFeature =
  | "bulkMemory"
  | "exceptions"
  | "functionReferences"
  | "gc"
  | "legacyExceptions"
  | "memory64"
  | "multiMemory"
  | "referenceTypes"
  | "relaxedSimd"
  | "simd"
  | "tailCall"
  | "threads";

/** Which proposals a module may use. What is left out has its default. */
export type ModuleFeatures = Readonly<Partial<Record<WasmFeature, boolean>>>;

/** Bit of each feature in a mask. */
export const FEATURE_BITS: Readonly<Record<WasmFeature, number>> = Object
  .freeze({
    bulkMemory: 1,
    exceptions: 2,
    functionReferences: 4,
    gc: 8,
    legacyExceptions: 16,
    memory64: 32,
    multiMemory: 64,
    referenceTypes: 128,
    relaxedSimd: 256,
    simd: 512,
    tailCall: 1024,
    threads: 2048,
  });

/**
 * What is allowed unless the caller says otherwise: what C, C++, Rust, Go and
 * AssemblyScript emit. Garbage collection allocates outside every limit,
 * threads can block where no check reaches, and relaxed SIMD gives results
 * that depend on the machine.
 */
export const DEFAULT_FEATURES: Readonly<Record<WasmFeature, boolean>> = Object
  .freeze({
    bulkMemory: true,
    exceptions: true,
    functionReferences: false,
    gc: false,
    legacyExceptions: true,
    memory64: false,
    multiMemory: false,
    referenceTypes: true,
    relaxedSimd: false,
    simd: true,
    tailCall: true,
    threads: false,
  });

/**
 * Proposals that no limit reaches in the caller's thread: garbage collection
 * allocates outside of memory, threads may wait for ever.
 */
export const OUT_OF_REACH: readonly WasmFeature[] = Object.freeze([
  "gc",
  "threads",
]);

/** Every feature's name, in alphabetical order. */
export const FEATURES: readonly WasmFeature[] = Object.freeze(
  Object.keys(FEATURE_BITS) as WasmFeature[],
);

/**
 * The mask of the allowed features.
 *
 * @param features What the caller allows or refuses.
 * @returns The mask.
 * @throws {TypeError} If a name is no feature or a value no boolean.
 */
export function featureMask(features: ModuleFeatures = {}): number {
  for (const [name, value] of Object.entries(features)) {
    if (!Object.hasOwn(FEATURE_BITS, name)) {
      throw new TypeError(
        `Cannot allow feature "${name}": known are ${FEATURES.join(", ")}`,
      );
    }
    if (value !== undefined && typeof value !== "boolean") {
      throw new TypeError(`Cannot set feature "${name}": not a boolean`);
    }
  }
  return FEATURES.reduce(
    (mask, name) =>
      features[name] ?? DEFAULT_FEATURES[name]
        ? mask | FEATURE_BITS[name]
        : mask,
    0,
  );
}

/**
 * The names in a mask.
 *
 * @param mask Bits of {@linkcode FEATURE_BITS}.
 * @returns The names, in alphabetical order.
 */
export function featureNames(mask: number): readonly WasmFeature[] {
  return FEATURES.filter((name) => (mask & FEATURE_BITS[name]) !== 0);
}
