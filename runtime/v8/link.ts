/**
 * What an instance is linked with: its memories, and the functions and values
 * that the host grants, and nothing that could be reached through a prototype.
 *
 * @module
 */

import { hasTypes } from "../../communication/guest_abi.ts";
import type { ImportName } from "../../errors.ts";
import type {
  HostFunction,
  HostImports,
  HostModule,
  HostModuleFunction,
  ModuleImport,
} from "../types.ts";
import {
  direct,
  guarded,
  type GuardedFunction,
  type HostGuard,
  waiting,
} from "./guarded.ts";
import type { MemoryLayout, ModuleLayout } from "./layout.ts";
import { isGranted, notGranted } from "./linked.ts";
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
  layout: Pick<ModuleLayout, "memories">,
  capBytes: number,
  flag: WebAssembly.Memory,
): Record<string, WebAssembly.Memory> {
  const [imports = {}] = linkedMemoryImports([layout], capBytes, flag);
  return imports;
}

/**
 * Makes the memories of modules that are instantiated together.
 *
 * @param layouts The modules.
 * @param capBytes Cap of all their memories together, in bytes.
 * @param flag The memory with the watchdog's flag.
 * @returns What each imports them from.
 * @throws {RangeError} If the engine has no room for them.
 */
export function linkedMemoryImports(
  layouts: readonly Pick<ModuleLayout, "memories">[],
  capBytes: number,
  flag: WebAssembly.Memory,
): readonly Record<string, WebAssembly.Memory>[] {
  const own = layouts.map(({ memories }) =>
    memories.filter(({ imported }) => !imported)
  );
  const maxima = memoryMaxima(own.flat(), capBytes).values();
  return own.map((memories) => {
    const imports: Record<string, WebAssembly.Memory> = Object.create(null);
    memories.forEach((memory, index) => {
      const { value = memory.min } = maxima.next();
      imports[String(index)] = makeMemory(memory, value);
    });
    imports[FLAG_NAME] = flag;
    return Object.freeze(imports);
  });
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

/**
 * Whether a module imports a function that may suspend it.
 *
 * @param needed What the module imports.
 * @param modules Host modules.
 * @returns Whether it does.
 */
export function mayWait(
  needed: readonly ModuleImport[],
  modules: readonly HostModule[],
): boolean {
  return needed.some(({ module, name }) =>
    modules.some((each) =>
      each.name === module && each.suspending?.includes(name)
    )
  );
}

/** What a host grants, and a guest links with. */
export interface Granted {
  /** Functions of numbers, and constants. */
  readonly imports: HostImports;
  /** Host modules, and their functions for this instance. */
  readonly modules: ReadonlyMap<
    string,
    {
      readonly module: HostModule;
      readonly functions: Readonly<Record<string, HostModuleFunction>>;
    }
  >;
  /** What modules offer that are instantiated together with it. */
  readonly linked?: (need: ModuleImport) => WebAssembly.ImportValue | undefined;
  /** How it is told from them, in messages. */
  readonly chain?: string;
}

/**
 * The functions and values that a module imports, each of them granted.
 *
 * @param needed What the module imports.
 * @param granted What the host grants.
 * @param guard What stands around every host function.
 * @returns What the module imports them from; nothing has a prototype.
 * @throws {SandboxError} With code `import-not-granted`.
 */
export function hostImports(
  needed: readonly ModuleImport[],
  granted: Granted,
  guard: HostGuard,
): Record<string, Record<string, WebAssembly.ImportValue>> {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> =
    Object.create(null);
  const missing: ImportName[] = [];
  const known = new Map<string, string>();
  for (const need of needed) {
    // one name is one function, whose results are checked for one type
    const key = JSON.stringify([need.module, need.name]);
    const type = JSON.stringify([need.kind, need.signature]);
    const before = known.get(key);
    if (before === type) continue;
    known.set(key, type);
    const value = before === undefined
      ? grantedValue(need, granted, guard)
      : undefined;
    if (value === undefined) {
      const { module, name, kind } = need;
      missing.push({ module, name, kind });
      continue;
    }
    const namespace = imports[need.module] ??= Object.create(null) as Record<
      string,
      WebAssembly.ImportValue
    >;
    namespace[need.name] = value;
  }
  if (missing.length > 0) throw notGranted(missing, granted.chain);
  for (const namespace of Object.values(imports)) Object.freeze(namespace);
  return imports;
}

function grantedValue(
  need: ModuleImport,
  { imports, modules, linked }: Granted,
  guard: HostGuard,
): WebAssembly.ImportValue | undefined {
  const { module, name, kind, signature } = need;
  if (modules.has(module)) return ownFunction(need, modules, guard);
  if (!isGranted(imports, need)) return linked?.(need);
  const value = imports[module]?.[name];
  if (kind === "function" && typeof value === "function" && signature) {
    const { params, results } = signature;
    // a reference to something of the host's is never handed out
    if ([...params, ...results].includes("other")) return undefined;
    const id: ImportName = { module, name };
    return guarded(value, { name: id, signature, guard, own: false });
  }
  if (kind !== "global" || typeof value === "function") return undefined;
  // a bigint for a constant of 64 bits, which TypeScript does not know
  return value as WebAssembly.ImportValue;
}

/** A function of a host module, if the guest imports it as what it is. */
function ownFunction(
  { module: from, name, kind, signature }: ModuleImport,
  modules: Granted["modules"],
  guard: HostGuard,
): WebAssembly.ImportValue | undefined {
  const { module, functions } = modules.get(from) ?? {};
  if (module === undefined || functions === undefined) return undefined;
  if (kind !== "function" || signature === undefined) return undefined;
  if (!Object.hasOwn(module.signatures, name)) return undefined;
  const type = module.signatures[name];
  const fn = Object.hasOwn(functions, name)
    ? functions[name] as HostFunction | undefined
    : undefined;
  if (fn === undefined || type === undefined) return undefined;
  if (!hasTypes(signature, type.params, type.results)) return undefined;
  const id: ImportName = { module: from, name };
  if (module.direct?.includes(name)) return direct(fn, id);
  const { suspender } = guard;
  const options: GuardedFunction = { name: id, signature, guard, own: true };
  return suspender !== undefined && module.suspending?.includes(name)
    ? waiting(fn, options, suspender)
    : guarded(fn, options);
}
