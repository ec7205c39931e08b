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
import type { GuestAbi, GuestAccess, ModuleExport } from "../types.ts";
import type { Bridges } from "./bridge.ts";
import type { CompiledModule } from "./compiled.ts";
import type { Entry, GuestFunction } from "./functions.ts";
import type { HostGuard } from "./guarded.ts";
import { linkedMemoryImports } from "./link.ts";
import { type Grants, inOrder, type Unit } from "./linked.ts";
import { Linker } from "./linker.ts";
import {
  FUEL_EXPORT,
  MEMORY_MODULE,
  SETTLED_EXPORT,
  TABLE_EXPORT,
} from "./rewrite.ts";

/** The engine's side of an instance, until it is let go. */
export interface Live {
  /** The exported functions, by name. */
  readonly functions: ReadonlyMap<string, Entry>;
  /** The memory that messages go through, if it is exported. */
  readonly memory: WebAssembly.Memory | undefined;
  /** The same of each of the modules that are instantiated together. */
  readonly unitMemories: readonly (WebAssembly.Memory | undefined)[];
  /** All memories. */
  readonly memories: readonly WebAssembly.Memory[];
  /** All tables. */
  readonly tables: readonly WebAssembly.Table[];
  /** The fuel that is left, if it is counted. */
  readonly fuel: WebAssembly.Global | undefined;
  /** 1 if the fuel is exact although the guest has trapped. */
  readonly settled: WebAssembly.Global | undefined;
  /** What were the start functions, in order. */
  readonly starts: readonly GuestFunction[];
}

/** What modules are linked with. */
export interface LinkOptions extends HostGuard, Grants {
  /** What host modules see of each module, by its place. */
  readonly access: (unit: number) => GuestAccess;
  /** The memory with the watchdog's flag. */
  readonly flag: WebAssembly.Memory;
  /** What stands between modules that import from each other. */
  readonly bridges: Bridges;
  /** Cap of all memories together. */
  readonly memoryBytes: number;
}

/**
 * Links modules. Nothing of the guest's runs.
 *
 * @param units The modules, the main one first.
 * @param options What they are linked with.
 * @returns The engine's side of the instance.
 * @throws {SandboxError} If they cannot be linked.
 */
export function link(units: readonly Unit[], options: LinkOptions): Live {
  const { flag } = options;
  const memories = makeMemories(units, options);
  const linker = new Linker(units, options);
  for (const step of inOrder(units, options)) {
    const index = units.indexOf(step.unit);
    const all = linker.imports(step, index);
    Object.defineProperty(all, MEMORY_MODULE, { value: memories[index] });
    const whose = units.length === 1 ? "" : `from module ${step.unit.chain}: `;
    const imports = Object.freeze(all);
    linker.add(step.unit, instantiate(step.unit.module, imports, whose));
  }
  const exports = units.map((unit) => linker.exports(unit));
  const [main = {}] = exports;
  const unitMemories = exports.map(({ [MEMORY_EXPORT]: memory }) =>
    memory instanceof WebAssembly.Memory ? memory : undefined
  );
  return {
    functions: functionsOf(units[0]?.module.exports ?? [], main),
    memory: unitMemories[0],
    unitMemories,
    memories: memories.flatMap((each) => Object.values(each))
      .filter((each) => each !== flag),
    tables: exports.flatMap(tablesOf),
    fuel: main[FUEL_EXPORT] as WebAssembly.Global | undefined,
    settled: main[SETTLED_EXPORT] as WebAssembly.Global | undefined,
    starts: linker.starts,
  };
}

function functionsOf(
  described: readonly ModuleExport[],
  exports: WebAssembly.Exports,
): ReadonlyMap<string, Entry> {
  const functions = new Map<string, Entry>();
  for (const { name, kind, signature } of described) {
    if (kind !== "function" || signature === undefined) continue;
    const fn = exports[name] as GuestFunction;
    functions.set(name, { name, fn, signature });
  }
  return functions;
}

function tablesOf(exports: WebAssembly.Exports): WebAssembly.Table[] {
  return Object.entries(exports).filter(([name]) =>
    name.startsWith(TABLE_EXPORT)
  ).map(([, table]) => table as WebAssembly.Table);
}

function makeMemories(
  units: readonly Unit[],
  { memoryBytes, flag }: LinkOptions,
): readonly Record<string, WebAssembly.Memory>[] {
  const layouts = units.map(({ module }) => module.code);
  try {
    return linkedMemoryImports(layouts, memoryBytes, flag);
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
  whose: string,
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
        `Cannot make an instance: ${whose}what is granted does not fit: ${reason}`,
        { details: { missing: [] } },
      );
    }
    throw new SandboxError(
      "trap",
      `Cannot make an instance: ${whose}the engine says: ${reason}`,
      { cause, details: { export: "start", kind: "trap" } },
    );
  }
}

/** What a guest exports that messages may go through. */
export interface MessageParts {
  /** Its functions, by name. */
  readonly functions: Pick<Live["functions"], "get">;
  /** Its memory, if it exports one. */
  readonly memory: MessageGuest["memory"] | undefined;
}

/**
 * The functions that a message goes through.
 *
 * @param entry The export that takes it.
 * @param parts The instance.
 * @param abi Names of the guest's memory functions.
 * @returns The functions, with no guard around them.
 * @throws {SandboxError} With code `guest-protocol`.
 */
export function messageGuest(
  entry: Entry,
  { functions, memory }: MessageParts,
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

/**
 * What an instance has used of its memory and tables.
 *
 * @param live The instance.
 * @returns Bytes and elements.
 */
export function sizeOf(
  { memories, tables }: Live,
): { readonly memoryBytes: number; readonly tableElements: number } {
  return {
    memoryBytes: memories.reduce(
      (sum, { buffer }) => sum + buffer.byteLength,
      0,
    ),
    tableElements: tables.reduce((sum, { length }) => sum + Number(length), 0),
  };
}

/**
 * Takes all that is left of the fuel: a guest that was cut short has used more
 * than it has noted, and could trap on purpose to hide it.
 *
 * @param live The instance.
 */
export function forfeit(live: Live | undefined): void {
  if (live?.fuel !== undefined) live.fuel.value = 0n;
}
