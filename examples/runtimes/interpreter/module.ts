/**
 * A module, checked and made ready to run.
 *
 * @module
 */

import type {
  MemorySize,
  Module,
  ModuleExport,
  ModuleFeatures,
  ModuleImport,
  ResolvedLimits,
  WasmFeature,
} from "@wasm-sandbox/core/runtime";
import { Body } from "./body.ts";
import { Emitter, HOST } from "./emitter.ts";
import { beyond } from "./errors.ts";
import { operatorTable } from "./operators.ts";
import { Proposals } from "./proposals.ts";
import { Sections } from "./sections.ts";
import {
  type MachineCode,
  type ModuleParts,
  PAGE_BYTES,
  signatureOf,
} from "./types.ts";

/** A compiled module. */
export class InterpretedModule implements Module {
  readonly byteLength: number;
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  readonly memories: readonly MemorySize[];
  readonly features: readonly WasmFeature[];
  readonly hasStart: boolean;
  /** What it declares. */
  readonly parts: ModuleParts;
  /** What the machine runs. */
  readonly code: MachineCode;
  /** The limits that it was compiled with. */
  readonly limits: ResolvedLimits;

  /**
   * Constructs it.
   *
   * @param byteLength Length of the original.
   * @param parts What it declares.
   * @param code What the machine runs.
   * @param made The limits that it was compiled with, and what it uses.
   */
  constructor(
    byteLength: number,
    parts: ModuleParts,
    code: MachineCode,
    made: {
      readonly limits: ResolvedLimits;
      readonly features: readonly WasmFeature[];
    },
  ) {
    this.byteLength = byteLength;
    this.parts = parts;
    this.code = code;
    this.limits = made.limits;
    this.features = made.features;
    this.hasStart = parts.start !== undefined;
    this.imports = frozen(
      parts.imports.map(({ module, name, kind, type }) =>
        type === undefined
          ? { module, name, kind }
          : { module, name, kind, signature: signatureOf(type) }
      ),
    );
    this.exports = frozen(parts.exports.map(({ name, kind, index }) => {
      const type = kind === "function" ? parts.functions[index] : undefined;
      return type === undefined
        ? { name, kind }
        : { name, kind, signature: signatureOf(type) };
    }));
    this.memories = frozen(
      parts.memories.map(({ min, max, hasMax }) =>
        hasMax ? { minPages: min, maxPages: max } : { minPages: min }
      ),
    );
  }
}

function frozen<T>(items: readonly T[]): readonly T[] {
  return Object.freeze(items.map((item) => Object.freeze(item)));
}

/** How long a module is compiled before the event loop has its turn. */
const TURN_MS = 20;

/** What a module is compiled with. */
export interface CompilePlan {
  readonly limits: ResolvedLimits;
  readonly features: ModuleFeatures;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks a module, and writes the code that the machine runs.
 *
 * @param bytes The module; nobody else may change it.
 * @param plan Limits, what it may use, and cancellation.
 * @returns The module.
 * @throws {SandboxError} If it is not valid, not allowed or too large.
 */
export async function compileModule(
  bytes: Uint8Array<ArrayBuffer>,
  { limits, features, signal }: CompilePlan,
): Promise<InterpretedModule> {
  const proposals = new Proposals(features);
  const { parts } = new Sections(bytes, proposals);
  checkSizes(parts, limits);
  const emitter = new Emitter(bytes.length);
  const code = codeOf(parts, emitter);
  const options = {
    bytes,
    parts,
    proposals,
    emitter,
    operators: operatorTable(),
  };
  let since = performance.now();
  for (const [index, [start, end]] of parts.bodies.entries()) {
    if (end - start > limits.functionBytes) {
      throw beyond("functionBytes", limits.functionBytes, end - start);
    }
    const place = parts.importedFunctions + index;
    code.entries[place] = emitter.here;
    const { locals, slots } = new Body(index, options);
    code.locals[place] = locals;
    code.slots[place] = slots;
    if (performance.now() - since < TURN_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    since = performance.now();
  }
  return new InterpretedModule(
    bytes.length,
    parts,
    { ...code, code: emitter.finish() },
    { limits, features: proposals.used },
  );
}

/** The code of the imports: each calls the host from a frame of its own. */
function codeOf(
  { functions, importedFunctions }: ModuleParts,
  emitter: Emitter,
): Omit<MachineCode, "code"> {
  const count = functions.length;
  const code = {
    entries: new Int32Array(count),
    types: Int32Array.from(functions, ({ id }) => id),
    params: Int32Array.from(functions, ({ params }) => params.length),
    locals: Int32Array.from(functions, ({ params }) => params.length),
    slots: Int32Array.from(
      functions,
      ({ params, results }) => Math.max(params.length + 1, results.length),
    ),
  };
  for (let index = 0; index < importedFunctions; index++) {
    code.entries[index] = emitter.here;
    emitter.add(HOST, index);
  }
  return code;
}

/**
 * Throws if a module is larger from the start than it may become.
 *
 * @param parts What it declares.
 * @param limits The limits.
 * @throws {SandboxError} With code `limit-exceeded`.
 */
export function checkSizes(
  { memories, tables, imports }: ModuleParts,
  limits: ResolvedLimits,
): void {
  // an import of a memory or a table is never granted
  if (imports.some(({ kind }) => kind === "memory" || kind === "table")) return;
  const bytes = memories.reduce((sum, { min }) => sum + min * PAGE_BYTES, 0);
  if (bytes > limits.memoryBytes) {
    throw beyond("memoryBytes", limits.memoryBytes, bytes);
  }
  const elements = tables.reduce((sum, { min }) => sum + min, 0);
  if (elements > limits.tableElements) {
    throw beyond("tableElements", limits.tableElements, elements);
  }
}
