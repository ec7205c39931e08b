/**
 * The runtime extension point: what compiles and runs WebAssembly.
 *
 * @module
 */

import type { SandboxError } from "../errors.ts";
import type {
  LimitName,
  ResolvedLimits,
  ResourceLimits,
} from "../security/limits.ts";
import type { GuestSource, ProcessParts } from "./guest_source.ts";
import type { ModuleFeatures, WasmFeature } from "./v8/features.ts";
import type { ExternalKind, Signature } from "./v8/layout.ts";

export type { ExternalKind, ModuleFeatures, Signature, WasmFeature };
export type { NumberType } from "./v8/layout.ts";

/** Options that every asynchronous operation of this package takes. */
export interface OperationOptions {
  /** Cancels the operation; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Where a module comes from: its bytes, the path of a file, a URL (`file:`,
 * `http:`, `https:` or `data:`), or a response whose body is the module. A
 * ready `WebAssembly.Module` is refused: limits need its bytes.
 */
export type ModuleSource = BufferSource | string | URL | Response;

/** A number as a guest takes and gives it; a 64-bit integer is a bigint. */
export type WasmValue = number | bigint;

/** What an exported function returns: nothing, one value, or several. */
export type WasmResult = WasmValue | readonly WasmValue[] | undefined;

/**
 * A function that the host grants as an import. It takes and gives numbers as
 * the import's type says. If it throws, or gives something else, the guest
 * traps and cannot catch it.
 */
// deno-lint-ignore no-explicit-any -- each import has parameters of its own
export type HostFunction = (...args: any[]) => WasmResult | void;

/**
 * What the host grants a guest to import, by module and name: functions, and
 * numbers for constants. Nothing else can be imported.
 */
export type HostImports = Readonly<
  Record<string, Readonly<Record<string, HostFunction | WasmValue>>>
>;

/**
 * What functions that belong together see of the guest that calls them. Every
 * runtime gives it to the {@linkcode HostModule}s of an instance.
 */
export interface GuestAccess {
  /**
   * The guest's memory as it is now, the export `memory`. A view is stale as
   * soon as the guest runs again. Empty if the guest exports none.
   */
  memory(): Uint8Array<ArrayBuffer>;
  /**
   * Waits in the guest's thread, no longer than the deadline lets it.
   *
   * @param ms How long, in milliseconds.
   */
  sleep(ms: number): void;
  /**
   * Takes fuel, where it is counted, for work that the host does.
   *
   * @param units How much.
   */
  charge(units: number): void;
}

/**
 * Functions of the host that belong together and see the guest's memory, such
 * as WASI. A {@linkcode SandboxError} that they throw ends the guest, which
 * cannot catch it, and reaches the caller as it is.
 */
export interface HostModule {
  /** Name of the module that a guest imports them from. */
  readonly name: string;
  /** Types of the functions. An import of another type is not granted. */
  readonly signatures: Readonly<Record<string, Signature>>;
  /**
   * Those of them that may return a promise of their result: the guest waits
   * for it, where {@linkcode RuntimeFeatures.async} says that it can, under the
   * deadline of its call. What they reject with ends the guest.
   */
  readonly suspending?: readonly string[];
  /**
   * Those of them that are linked as they are, with nothing around them: each
   * must be an export of a WebAssembly instance of the host's own, which takes
   * a short time only and ends in no other way than by returning or trapping.
   * They count as no calls of the host.
   */
  readonly direct?: readonly string[];
  /**
   * Makes the functions for one instance.
   *
   * @param guest The instance.
   * @returns The functions by name; they take and give numbers.
   */
  link(guest: GuestAccess): Readonly<Record<string, HostModuleFunction>>;
}

/** A function of a {@linkcode HostModule}: if it may suspend, of a promise. */
export type HostModuleFunction = (
  // deno-lint-ignore no-explicit-any -- each import has parameters of its own
  ...args: any[]
) => WasmResult | void | Promise<WasmResult | void>;

/** How firmly a limit holds: nothing gets past, most does not, or not at all. */
export type EnforcementLevel = "hard" | "soft" | "none";

/** Who enforces a limit, and how firmly. */
export interface Enforcement {
  /** How firmly it holds. */
  readonly level: EnforcementLevel;
  /** What makes it hold, in a sentence. */
  readonly by: string;
}

/** What a runtime can run and enforce, as data. */
export interface RuntimeFeatures {
  /** Proposals that modules may be allowed to use. */
  readonly wasm: readonly WasmFeature[];
  /** Whether {@linkcode Instance.callSync} works. */
  readonly sync: boolean;
  /** Whether a guest can wait for a host function's promise. */
  readonly async: boolean;
  /**
   * Whether exported functions can be called and functions of the host be
   * imported. Otherwise guests are WASI commands alone, run by `execute`.
   */
  readonly calls: boolean;
  /** Whether several modules can be linked with each other. */
  readonly linked: boolean;
  /** Whether it offers the system calls of WASIX, beside those of WASI. */
  readonly wasix: boolean;
  /** Where guests can run. */
  readonly isolations: readonly ("inline" | "process")[];
  /** How firmly each limit holds. What is missing is not enforced. */
  readonly limits: Readonly<Partial<Record<LimitName | "stack", Enforcement>>>;
  /**
   * What it does not protect from in the calling thread, in whole sentences.
   *
   * @default {[]}
   */
  readonly unprotected?: readonly string[];
}

/** An import that a module needs. */
export interface ModuleImport {
  /** Name of the module it comes from. */
  readonly module: string;
  /** Its name there. */
  readonly name: string;
  /** What it is. */
  readonly kind: ExternalKind;
  /** Signature, if it is a function. */
  readonly signature?: Signature;
}

/** An export of a module. */
export interface ModuleExport {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly kind: ExternalKind;
  /** Signature, if it is a function. */
  readonly signature?: Signature;
}

/** Size of a memory, in pages of 65,536 bytes. */
export interface MemorySize {
  /** Initial size. */
  readonly minPages: number;
  /** Largest size that the module declares, if it does. */
  readonly maxPages?: number;
}

/** A compiled module. Immutable; owns nothing that has to be released. */
export interface Module {
  /** Length of the original, in bytes. */
  readonly byteLength: number;
  /** What it needs. */
  readonly imports: readonly ModuleImport[];
  /** What it offers. */
  readonly exports: readonly ModuleExport[];
  /** Its memories, imported ones included. */
  readonly memories: readonly MemorySize[];
  /** Proposals that it uses. */
  readonly features: readonly WasmFeature[];
  /** Whether it has a start function. */
  readonly hasStart: boolean;
}

/** Options of {@linkcode Runtime.compile}. */
export interface CompileOptions extends OperationOptions {
  /**
   * Limits that the instances of this module will have. A sandbox gives all of
   * them, the defaults filled in, also those that the runtime does not enforce.
   */
  limits?: ResourceLimits;
  /** Which proposals the module may use. */
  features?: ModuleFeatures;
}

/** Options of {@linkcode Runtime.instantiate}. */
export interface InstantiateOptions extends OperationOptions {
  /** What the guest may import. */
  imports?: HostImports;
  /** Functions that see the guest's memory; `imports` cannot replace them. */
  hostModules?: readonly HostModule[];
  /**
   * Other modules that this runtime compiled, by the names that they are
   * imported from: by this one, and by each other. They are instantiated with
   * it, share its limits, and see the same imports and host modules.
   */
  linked?: Readonly<Record<string, Module>>;
  /** The limits that the module was compiled with. */
  limits?: ResourceLimits;
}

/** Names of the functions by which a guest manages the memory of messages. */
export interface GuestAbi {
  /**
   * Export that takes a size and returns a pointer, or 0 if it cannot.
   *
   * @default {"wasm_sandbox_alloc"}
   */
  readonly alloc?: string;
  /**
   * Export that takes a pointer and a size and frees them. Need not exist.
   *
   * @default {"wasm_sandbox_free"}
   */
  readonly free?: string;
}

/** Options of one call. */
export interface CallOptions extends OperationOptions {
  /**
   * A shorter deadline for this call than the instance's, in milliseconds.
   */
  timeoutMs?: number;
}

/** Options of {@linkcode Instance.exchange}. */
export interface ExchangeOptions extends CallOptions {
  /** Names of the guest's memory functions. */
  abi?: GuestAbi;
}

/** What an instance has used of its limits. */
export interface InstanceUsage {
  /** Linear memory, in bytes. */
  readonly memoryBytes: number;
  /** Elements of all tables. */
  readonly tableElements: number;
  /** Fuel, if it is counted. */
  readonly fuel: number | undefined;
  /** Calls of host functions. */
  readonly hostCalls: number;
}

/** What a guest has used of limits that the host's functions count. */
export type HostUsage = Readonly<
  Partial<
    Record<
      | "openFiles"
      | "writtenBytes"
      | "fileEntries"
      | "stdinBytes"
      | "stdoutBytes"
      | "stderrBytes"
      | "cpuMs",
      number
    >
  >
>;

/**
 * A running module. Once a call has not returned as it should (a trap, a
 * limit, a lie) the instance is dead, its memory is let go, and every further
 * call is refused.
 */
export interface Instance extends AsyncDisposable {
  /** What the module exports. */
  readonly exports: readonly ModuleExport[];
  /** Why the instance is dead, if it is. */
  readonly failure: SandboxError | undefined;
  /**
   * Calls an exported function with numbers.
   *
   * @param name Name of the export.
   * @param args One number for each parameter.
   * @param options A shorter deadline, and cancellation.
   * @returns What the function returned.
   * @throws {SandboxError} If the call cannot be made or does not return.
   * @throws {TypeError} If an argument does not fit its parameter.
   */
  call(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): Promise<WasmResult>;
  /** As {@linkcode Instance.call}, in the calling thread. */
  callSync(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): WasmResult;
  /**
   * Sends text or bytes to an exported function and takes its reply, as
   * docs/guest-abi.md describes.
   *
   * @param name Name of the export.
   * @param request What to send.
   * @param options The ABI, a shorter deadline, and cancellation.
   * @returns The reply, in the form of the request.
   * @throws {SandboxError} As `call` does, and if the guest lies.
   */
  exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options?: ExchangeOptions,
  ): Promise<Reply<T>>;
  /** As {@linkcode Instance.exchange}, in the calling thread. */
  exchangeSync<T extends string | Uint8Array>(
    name: string,
    request: T,
    options?: ExchangeOptions,
  ): Reply<T>;
  /** What was used so far. */
  usage(): InstanceUsage;
  /**
   * Sets how much fuel is left.
   *
   * @param fuel The new amount.
   * @throws {SandboxError} If fuel is not counted.
   */
  setFuel(fuel: number): void;
  /** Lets the instance go. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A reply has the form of its request. */
export type Reply<T> = T extends string ? string : Uint8Array<ArrayBuffer>;

/** A WebAssembly engine. Disposing it disposes every instance it made. */
export interface Runtime extends AsyncDisposable {
  /** Registered name, for messages. */
  readonly name: string;
  /** What this runtime can run and enforce. */
  readonly features: RuntimeFeatures;
  /**
   * Looks a module over and compiles it. It refuses what
   * {@linkcode Runtime.features} does not name: a proposal that the module uses,
   * and, with the code `unsupported`, a limit without a default, such as `fuel`.
   *
   * @param source Where the module comes from.
   * @param options Limits, features, and cancellation.
   * @returns The compiled module.
   * @throws {SandboxError} If it cannot be read or is refused.
   */
  compile(source: ModuleSource, options?: CompileOptions): Promise<Module>;
  /**
   * Makes an instance of a module that this runtime compiled, and runs its
   * start function.
   *
   * @param module The module.
   * @param options Imports, host modules, limits, and cancellation.
   * @returns The instance.
   * @throws {SandboxError} If an import is not granted or a limit is reached.
   */
  instantiate(module: Module, options?: InstantiateOptions): Promise<Instance>;
  /**
   * Opens a module in a process of its own, for the isolation `"process"`. A
   * runtime whose {@linkcode RuntimeFeatures.isolations} name it must have it.
   *
   * @param parts The module, its limits and what it is granted.
   * @param operation Cancellation.
   * @returns Makes the instances.
   * @throws {SandboxError} If a process cannot be had, or the module is refused.
   */
  openProcess?(
    parts: ProcessParts,
    operation?: OperationOptions,
  ): Promise<GuestSource>;
  /** Disposes every instance that this runtime made. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Limits with every default filled in, for authors of runtimes. */
export type { ResolvedLimits };
