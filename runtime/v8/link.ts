/**
 * What an instance is linked with: its memories, and the functions and values
 * that the host grants, and nothing that could be reached through a prototype.
 *
 * @module
 */

import type { MemoryLayout, ModuleLayout } from "./layout.ts";
import { FLAG_NAME } from "./rewrite.ts";

/** Bytes of a page of memory. */
export const PAGE_BYTES = 65_536;
/** Most pages that an address of 32 bits reaches. */
const MAX_PAGES = 65_536;

/**
 * The largest size of each memory that a module defines: its own, but all of
 * them together no more than the cap.
 *
 * @param memories The memories that the module defines.
 * @param capBytes The cap, in bytes.
 * @returns One number of pages for each.
 */
export function memoryMaxima(
  memories: readonly MemoryLayout[],
  capBytes: number,
): readonly number[] {
  const cap = Math.floor(capBytes / PAGE_BYTES);
  const initial = memories.reduce((sum, { min }) => sum + min, 0);
  const share = Math.floor((cap - initial) / Math.max(1, memories.length));
  return memories.map(({ min, max, is64 }) =>
    Math.min(max ?? (is64 ? Infinity : MAX_PAGES), min + share)
  );
}

/**
 * Makes the memories of an instance.
 *
 * @param layout The module.
 * @param capBytes Cap of all its memories together, in bytes.
 * @param flag The memory with the watchdog's flag.
 * @returns What the module imports them from.
 * @throws {RangeError} If the engine has no room for them.
 */
export function memoryImports(
  layout: ModuleLayout,
  capBytes: number,
  flag: WebAssembly.Memory,
): Record<string, WebAssembly.Memory> {
  const own = layout.memories.filter(({ imported }) => !imported);
  const maxima = memoryMaxima(own, capBytes);
  const imports: Record<string, WebAssembly.Memory> = Object.create(null);
  own.forEach((memory, index) => {
    imports[String(index)] = makeMemory(memory, maxima[index] ?? memory.min);
  });
  imports[FLAG_NAME] = flag;
  return Object.freeze(imports);
}

function makeMemory(
  { min, shared, is64 }: MemoryLayout,
  maximum: number,
): WebAssembly.Memory {
  const size = (pages: number) => is64 ? BigInt(pages) : pages;
  const descriptor = {
    initial: size(min),
    ...(Number.isFinite(maximum) ? { maximum: size(maximum) } : {}),
    ...(is64 ? { address: "i64" } : {}),
    shared,
  };
  // the types of TypeScript do not know 64-bit memories yet
  return new WebAssembly.Memory(
    descriptor as unknown as WebAssembly.MemoryDescriptor,
  );
}
