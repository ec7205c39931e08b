/**
 * What an instance is linked with: its memories, and the functions and values
 * that the host grants, and nothing that could be reached through a prototype.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { hasTypes } from "../../communication/guest_abi.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type {
  HostFunction,
  HostImports,
  HostModule,
  HostModuleFunction,
  ModuleImport,
  NumberType,
  Signature,
  WasmResult,
} from "../types.ts";
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
  layout: Pick<ModuleLayout, "memories">,
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

/** Told of what a host function did wrong. */
export type HostFailed = (
  cause: unknown,
  name: ImportName,
  own: boolean,
) => never;

/** What stands around every host function. */
export interface HostGuard {
  /**
   * Called when a host function throws; must trap. It is told whether the
   * function is a host module's, whose errors are the guest's end as they are.
   */
  readonly failed: HostFailed;
  /** Whether no limit has ended the call that runs; counts the host's calls. */
  readonly mayCall: (name: ImportName) => boolean;
  /** Raises a trap. */
  readonly trap: () => never;
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
    const value = grantedValue(need, granted, guard);
    // one name is one function, whose results are checked for one type
    const key = JSON.stringify([need.module, need.name]);
    const type = JSON.stringify([need.kind, need.signature]);
    const same = (known.get(key) ?? type) === type;
    known.set(key, type);
    if (value === undefined || !same) {
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
  if (missing.length > 0) throw notGranted(missing);
  for (const namespace of Object.values(imports)) Object.freeze(namespace);
  return imports;
}

/** How many missing imports a message names. */
const MAX_NAMED = 8;

function notGranted(
  missing: readonly ImportName[],
): SandboxError<"import-not-granted"> {
  const names = missing.slice(0, MAX_NAMED).map(({ module, name, kind }) =>
    `${kind} ${quote(module)}.${quote(name)}`
  );
  const more = missing.length - names.length;
  if (more > 0) names.push(`${more} more`);
  return new SandboxError(
    "import-not-granted",
    `Cannot make an instance: the module imports ${names.join(", ")}, ` +
      "which nobody grants (functions of numbers, and constants, are granted " +
      "with imports)",
    { details: { missing } },
  );
}

function grantedValue(
  need: ModuleImport,
  { imports, modules }: Granted,
  guard: HostGuard,
): WebAssembly.ImportValue | undefined {
  const { module, name, kind, signature } = need;
  if (modules.has(module)) return ownFunction(need, modules, guard);
  const namespace = Object.hasOwn(imports, module)
    ? imports[module]
    : undefined;
  if (namespace === undefined || !Object.hasOwn(namespace, name)) {
    return undefined;
  }
  const value = namespace[name];
  if (kind === "function" && typeof value === "function" && signature) {
    const { params, results } = signature;
    // a reference to something of the host's is never handed out
    if ([...params, ...results].includes("other")) return undefined;
    return guarded(value, { module, name }, { signature, guard, own: false });
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
  const fn = functions[name] as HostFunction | undefined;
  if (fn === undefined || type === undefined) return undefined;
  if (!hasTypes(signature, type.params, type.results)) return undefined;
  return guarded(fn, { module: from, name }, { signature, guard, own: true });
}

/** A host function whose every way out is checked: what it throws must trap. */
function guarded(
  fn: HostFunction,
  name: ImportName,
  { signature, guard, own }: {
    signature: Signature;
    guard: HostGuard;
    own: boolean;
  },
): HostFunction {
  const { results } = signature;
  const { failed, mayCall, trap } = guard;
  return (...args) => {
    try {
      // a row of calls may have no check between them
      if (mayCall(name)) return checkedResult(fn(...args), results);
    } catch (cause) {
      return failed(cause, name, own);
    }
    return trap();
  };
}

function checkedResult(
  result: unknown,
  results: Signature["results"],
): WasmResult {
  if (results.length === 0) return undefined;
  if (results.length === 1) return checked(result, results[0]);
  if (!Array.isArray(result) || result.length !== results.length) {
    throw new TypeError(`it must return an array of ${results.length}`);
  }
  return results.map((type, index) => checked(result[index], type));
}

function checked(
  value: unknown,
  type: NumberType | "other" | undefined,
): number | bigint {
  const expected = type === "i64" ? "bigint" : "number";
  if (typeof value === "bigint" && type === "i64") return value;
  if (typeof value === "number" && type !== "i64") return value;
  const given = value instanceof Promise ? "a promise" : `a ${typeof value}`;
  throw new TypeError(`it must return a ${expected} for ${type}, not ${given}`);
}
