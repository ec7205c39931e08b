/**
 * The engine's side of an instance: what it is linked with, and what of its
 * exports is used.
 *
 * @module
 */

import { nearest, printable, quote } from "../../_text.ts";
import {
  ALLOC_EXPORT,
  broken,
  FREE_EXPORT,
  hasTypes,
  isMessageHandler,
  MEMORY_EXPORT,
  type MessageGuest,
} from "../../communication/guest_abi.ts";
import { SandboxError } from "../../errors.ts";
import type {
  GuestAbi,
  GuestAccess,
  HostImports,
  HostModule,
  ModuleExport,
  Signature,
  WasmResult,
  WasmValue,
} from "../types.ts";
import type { CompiledModule } from "./compiled.ts";
import { type HostGuard, hostImports, memoryImports } from "./link.ts";
import {
  FUEL_EXPORT,
  MEMORY_MODULE,
  SETTLED_EXPORT,
  START_EXPORT,
  TABLE_EXPORT,
} from "./rewrite.ts";

/** A function of the guest's; takes and gives numbers. */
export type GuestFunction = (...args: readonly WasmValue[]) => WasmResult;

/** An exported function. */
export interface Entry {
  /** Its name. */
  readonly name: string;
  /** The function, with no guard around it. */
  readonly fn: GuestFunction;
  /** Its signature. */
  readonly signature: Signature;
}

/** The engine's side of an instance, until it is let go. */
export interface Live {
  /** The exported functions, by name. */
  readonly functions: ReadonlyMap<string, Entry>;
  /** The memory that messages go through, if it is exported. */
  readonly memory: WebAssembly.Memory | undefined;
  /** All memories. */
  readonly memories: readonly WebAssembly.Memory[];
  /** All tables. */
  readonly tables: readonly WebAssembly.Table[];
  /** The fuel that is left, if it is counted. */
  readonly fuel: WebAssembly.Global | undefined;
  /** 1 if the fuel is exact although the guest has trapped. */
  readonly settled: WebAssembly.Global | undefined;
  /** What was the start function, if there is one. */
  readonly start: GuestFunction | undefined;
}

/** What a module is linked with. */
export interface LinkOptions extends HostGuard {
  /** What the host grants. */
  readonly imports: HostImports;
  /** Functions that see the guest's memory. */
  readonly hostModules: readonly HostModule[];
  /** What they see. */
  readonly access: GuestAccess;
  /** The memory with the watchdog's flag. */
  readonly flag: WebAssembly.Memory;
}

/**
 * Links a module. Nothing of the guest's runs.
 *
 * @param module The module, with the limits of the instance.
 * @param options What it is linked with.
 * @returns The engine's side of the instance.
 * @throws {SandboxError} If it cannot be linked.
 */
export function link(
  module: CompiledModule,
  { imports, hostModules, access, flag, ...guard }: LinkOptions,
): Live {
  const modules = new Map(
    hostModules.map((each) => [
      each.name,
      { module: each, functions: each.link(access) },
    ]),
  );
  const all = hostImports(module.imports, { imports, modules }, guard);
  const memories = makeMemories(module, flag);
  Object.defineProperty(all, MEMORY_MODULE, { value: memories });
  const exports = instantiate(module, Object.freeze(all));
  const functions = new Map<string, Entry>();
  for (const { name, kind, signature } of module.exports) {
    if (kind !== "function" || signature === undefined) continue;
    const fn = exports[name] as GuestFunction;
    functions.set(name, { name, fn, signature });
  }
  const memory = exports[MEMORY_EXPORT];
  return {
    functions,
    memory: memory instanceof WebAssembly.Memory ? memory : undefined,
    memories: Object.values(memories).filter((each) => each !== flag),
    tables: Object.entries(exports).filter(([name]) =>
      name.startsWith(TABLE_EXPORT)
    ).map(([, table]) => table as WebAssembly.Table),
    fuel: exports[FUEL_EXPORT] as WebAssembly.Global | undefined,
    settled: exports[SETTLED_EXPORT] as WebAssembly.Global | undefined,
    start: exports[START_EXPORT] as GuestFunction | undefined,
  };
}

function makeMemories(
  { code, limits: { memoryBytes } }: CompiledModule,
  flag: WebAssembly.Memory,
): Record<string, WebAssembly.Memory> {
  try {
    return memoryImports(code, memoryBytes, flag);
  } catch (cause) {
    const suggestion = "dispose other sandboxes, or lower memoryBytes";
    throw new SandboxError(
      "limit-exceeded",
      `Cannot make an instance: the machine has no room for its memory (${suggestion})`,
      {
        cause,
        details: { limit: "memoryBytes", allowed: memoryBytes, suggestion },
      },
    );
  }
}

function instantiate(
  module: CompiledModule,
  imports: Record<string, Record<string, WebAssembly.ImportValue>>,
): WebAssembly.Exports {
  try {
    return new WebAssembly.Instance(module.code.compiled, imports).exports;
  } catch (cause) {
    const reason = printable(
      cause instanceof Error ? cause.message : String(cause),
    );
    if (cause instanceof WebAssembly.LinkError) {
      throw new SandboxError(
        "import-not-granted",
        `Cannot make an instance: what is granted does not fit: ${reason}`,
        { details: { missing: [] } },
      );
    }
    throw new SandboxError(
      "trap",
      `Cannot make an instance: the engine says: ${reason}`,
      { cause, details: { export: "start", kind: "trap" } },
    );
  }
}

/**
 * The functions that a message goes through.
 *
 * @param entry The export that takes it.
 * @param live The instance.
 * @param abi Names of the guest's memory functions.
 * @returns The functions, with no guard around them.
 * @throws {SandboxError} With code `guest-protocol`.
 */
export function messageGuest(
  entry: Entry,
  { functions, memory }: Live,
  abi: GuestAbi = {},
): MessageGuest {
  const { name, fn, signature } = entry;
  const allocName = abi.alloc ?? ALLOC_EXPORT;
  const freeName = abi.free ?? FREE_EXPORT;
  const alloc = functions.get(allocName);
  const free = functions.get(freeName);
  if (memory === undefined) {
    throw broken(entry, `it exports no memory as "${MEMORY_EXPORT}"`);
  }
  if (!isMessageHandler(signature)) {
    throw broken(entry, `${quote(name)} is not of type (i32, i32) -> i64`);
  }
  if (!alloc || !hasTypes(alloc.signature, ["i32"], ["i32"])) {
    throw broken(
      entry,
      `it exports no ${quote(allocName)} of type (i32) -> i32`,
    );
  }
  if (free && !hasTypes(free.signature, ["i32", "i32"], [])) {
    throw broken(entry, `${quote(freeName)} is not of type (i32, i32) -> ()`);
  }
  return {
    name,
    memory,
    alloc: alloc.fn as MessageGuest["alloc"],
    free: free?.fn as MessageGuest["free"],
    handle: fn as unknown as MessageGuest["handle"],
  };
}

/**
 * The error of a call of an export that does not exist.
 *
 * @param name The name that was called.
 * @param exports What the module exports.
 * @returns The error.
 */
export function exportNotFound(
  name: string,
  exports: readonly ModuleExport[],
): SandboxError<"export-not-found"> {
  const functions = exports.filter(({ kind }) => kind === "function")
    .map((each) => each.name);
  const suggestion = nearest(name, functions);
  const other = exports.find((each) => each.name === name);
  const reason = other === undefined
    ? "the module exports no such function"
    : `it is a ${other.kind}, not a function`;
  const known = functions.length === 0
    ? "it exports none"
    : suggestion === undefined
    ? `it exports ${functions.slice(0, 8).map(quote).join(", ")}`
    : `did you mean ${quote(suggestion)}?`;
  return new SandboxError(
    "export-not-found",
    `Cannot call ${quote(name)}: ${reason} (${known})`,
    { details: { name, ...(suggestion === undefined ? {} : { suggestion }) } },
  );
}
