/**
 * Modules for engines other than V8: the code stays as it is, and what their
 * memories and tables may grow to is written into the module.
 *
 * @module
 */

import type { ResolvedLimits } from "../security/limits.ts";
import { checkMemory } from "./v8/admission.ts";
import { type GatedModule, validate } from "./v8/gate.ts";
import {
  KINDS,
  type Limits,
  type MemoryLayout,
  type ModuleLayout,
} from "./v8/layout.ts";
import { memoryMaxima } from "./v8/link.ts";
import { writeNames } from "./v8/names.ts";
import { writeSize, writeTables } from "./v8/rewrite.ts";
import { ByteWriter } from "./v8/writer.ts";

/** Options of {@linkcode capped}. */
export interface CappedOptions {
  /**
   * Whether the engine makes the memories that the module imports, in the size
   * that the import declares: then they share the cap, and the module must
   * import nothing but memories and functions.
   *
   * @default {false}
   */
  readonly makesImports?: boolean;
}

const IMPORT = 2;
const TABLE = 4;
const MEMORY = 5;
/** More than sizes can take beyond what stood there. */
const SIZE_BYTES = 32;

/**
 * Writes a module whose memories and tables cannot grow beyond their caps: the
 * maximum of each is its own, but all together hold no more. Custom sections
 * are dropped, but for names, whose text is made printable.
 *
 * @param gated The module; the gate has let it pass with the same
 * `tableElements`.
 * @param limits The caps.
 * @param options What imports count as.
 * @returns The new module, which is valid if the old one is.
 * @throws {SandboxError} With code `limit-exceeded` if its memories are larger
 * from the start, `invalid-module` if their sizes are not valid.
 */
export function capped(
  { layout }: Pick<GatedModule, "layout">,
  limits: Pick<ResolvedLimits, "memoryBytes" | "tableElements">,
  { makesImports = false }: CappedOptions = {},
): Uint8Array<ArrayBuffer> {
  const { bytes, memories, sections } = layout;
  const made = memories.filter(({ imported }) => makesImports || !imported);
  checkMemory([{ memories: made }], limits);
  // a smaller maximum could make it valid
  if (memories.some(isBeyondAddresses)) validate(bytes);
  const maxima = memoryMaxima(made, limits.memoryBytes);
  const sizes = made.map((each, index) => ({ ...each, max: maxima[index] }));
  const entries = memories.length + layout.tables.length + sections.size;
  const out = new ByteWriter(bytes.length + entries * SIZE_BYTES);
  out.copy(bytes, 0, 8);
  for (const { id, start, end } of sections.values()) {
    if (id === TABLE) writeTables(out, layout, limits.tableElements);
    else if (id === MEMORY) writeMemories(out, sizes);
    else if (id === IMPORT && makesImports) writeImports(out, layout, sizes);
    else out.byte(id).u32(end - start).copy(bytes, start, end);
  }
  writeNames(out, layout);
  return out.bytes;
}

/** Pages that addresses of 32 and of 64 bits reach, as engines take them. */
const REACH = 2 ** 16;
const REACH_64 = 2 ** 48;

function isBeyondAddresses({ max = 0, is64 }: Limits): boolean {
  return max > (is64 ? REACH_64 : REACH);
}

function writeMemories(
  out: ByteWriter,
  sizes: readonly MemoryLayout[],
): void {
  const own = sizes.filter(({ imported }) => !imported);
  out.byte(MEMORY).sized(() => {
    out.u32(own.length);
    for (const size of own) writeSize(out, size, size.max);
  });
}

/** Writes imports of functions and memories; there are no others. */
function writeImports(
  out: ByteWriter,
  { imports }: ModuleLayout,
  sizes: readonly MemoryLayout[],
): void {
  const memories = sizes.filter(({ imported }) => imported).values();
  out.byte(IMPORT).sized(() => {
    out.u32(imports.length);
    for (const { module, name, kind, type } of imports) {
      out.name(module).name(name).byte(KINDS.indexOf(kind));
      const { value } = kind === "memory" ? memories.next() : {};
      if (value !== undefined) writeSize(out, value, value.max);
      else if (kind === "function") out.u32(type);
      else throw new TypeError(`Cannot cap a module that imports a ${kind}`);
    }
  });
}
