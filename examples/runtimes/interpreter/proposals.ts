/**
 * Which proposals a module uses, told from what it contains.
 *
 * @module
 */

import type { ModuleFeatures, WasmFeature } from "@wasm-sandbox/core/runtime";
import { DEFAULT_FEATURES } from "@wasm-sandbox/core/runtime";
import { refused, unsupported } from "./errors.ts";

/** Proposals that this runtime knows, beside those that are always allowed. */
export const KNOWN: readonly WasmFeature[] = Object.freeze([
  "bulkMemory",
  "referenceTypes",
]);

/** Opcodes of proposals that this runtime does not know: first and last. */
const FOREIGN: readonly (readonly [number, number, WasmFeature])[] = [
  [0x06, 0x07, "legacyExceptions"],
  [0x08, 0x08, "exceptions"],
  [0x09, 0x09, "legacyExceptions"],
  [0x0a, 0x0a, "exceptions"],
  [0x12, 0x13, "tailCall"],
  [0x14, 0x15, "functionReferences"],
  [0x18, 0x19, "legacyExceptions"],
  [0x1f, 0x1f, "exceptions"],
  [0xd3, 0xd3, "gc"],
  [0xd4, 0xd6, "functionReferences"],
  [0xfb, 0xfb, "gc"],
  [0xfd, 0xfd, "simd"],
  [0xfe, 0xfe, "threads"],
];

/** Lets through what a module may use, and remembers it. */
export class Proposals {
  readonly #allowed: ModuleFeatures;
  readonly #used = new Set<WasmFeature>();

  /**
   * Constructs it.
   *
   * @param allowed What the caller allows.
   * @throws {SandboxError} If the caller allows what this runtime lacks.
   */
  constructor(allowed: ModuleFeatures = {}) {
    for (const [name, value] of Object.entries(allowed)) {
      if (value && !KNOWN.some((known) => known === name)) {
        throw unsupported(`the feature "${name}"`);
      }
    }
    this.#allowed = { ...DEFAULT_FEATURES, ...allowed };
  }

  /** What the module uses, in alphabetical order. */
  get used(): readonly WasmFeature[] {
    return Object.freeze([...this.#used].sort());
  }

  /**
   * Notes that the module uses a proposal.
   *
   * @param feature The proposal.
   * @param offset Where.
   * @throws {SandboxError} If it may not, or this runtime lacks it.
   */
  use(feature: WasmFeature, offset: number): void {
    if (this.#used.has(feature)) return;
    const isKnown = KNOWN.includes(feature);
    if (isKnown && this.#allowed[feature]) {
      this.#used.add(feature);
      return;
    }
    // another runtime may run it, if the caller lets it
    if (this.#allowed[feature]) throw unsupported(`the feature "${feature}"`);
    const advice = isKnown
      ? `allow it with features: { ${feature}: true }`
      : `the "interpreter" runtime does not provide it`;
    throw refused(
      `it uses the feature "${feature}", which is not allowed (${advice})`,
      { reason: `feature ${feature}`, feature, offset },
    );
  }

  /**
   * Refuses an opcode of a proposal that this runtime lacks.
   *
   * @param op The opcode.
   * @param offset Where.
   */
  refuse(op: number, offset: number): void {
    for (const [first, last, feature] of FOREIGN) {
      if (op >= first && op <= last) this.use(feature, offset);
    }
  }
}
