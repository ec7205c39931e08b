/**
 * What a plug-in is made from.
 *
 * @module
 */

import type {
  ExtismFunctions,
  ExtismSettings,
} from "../../communication/extism/types.ts";
import type { PluginOutput } from "../../communication/extism/plugin_output.ts";
import type { LogLevel } from "../../communication/types.ts";
import type { ModuleFeatures } from "../../runtime/types.ts";
import type { ProcessPool } from "../../runtime/process/pool.ts";
import type { Sandbox } from "../../sandbox.ts";
import type { Isolation, SandboxOptions } from "../../sandbox_options.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import type { Capability } from "../../security/types.ts";
import type { SecurityPolicy } from "../../security/policy.ts";

/** One module of a manifest: where it comes from, and what it is called. */
export interface ManifestWasm {
  /** Its bytes; in a manifest that is text, in base64. */
  readonly data?: Uint8Array | ArrayBuffer | string;
  /** Path of its file. */
  readonly path?: string;
  /** Where it is fetched from. */
  readonly url?: string | URL;
  /** How it is fetched. */
  readonly method?: string;
  /** What it is fetched with. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What was fetched. */
  readonly response?: Response;
  /**
   * Not possible here: limits are put into the bytes of a module, and a compiled
   * one does not give them back. It is refused.
   */
  readonly module?: WebAssembly.Module;
  /** What other modules import it as; the one named `main` is called. */
  readonly name?: string;
  /** SHA-256 that its bytes must have, in hexadecimal digits. */
  readonly hash?: string;
}

/** How much of something a plug-in may take. */
export interface ManifestMemory {
  /**
   * Most pages of 65,536 bytes of what host and plug-in hand each other, as the
   * JavaScript SDK counts. Written `max_pages` it is what the native SDKs count:
   * the memory that a plug-in declares must have no more pages, and grows by no
   * more.
   */
  readonly maxPages?: number | null;
  /** Most bytes of one response by HTTP. */
  readonly maxHttpResponseBytes?: number | null;
  /** Most bytes of the values of all variables; 0 for none. */
  readonly maxVarBytes?: number | null;
}

/** What a plug-in is, and what it may do. */
export interface Manifest {
  /** The modules. The one named `main` is called, or else the last. */
  readonly wasm: readonly ManifestWasm[];
  /** What it is configured with. */
  readonly config?: Readonly<Record<string, string>>;
  /**
   * Hosts that it may make requests to: a name, an address, or `*.` and a
   * domain, each at the ports 80 and 443, or with another port after it. This
   * machine (`localhost`, `127.0.0.1`) is meant at every port that a server of
   * one's own has: 1,024 to 9,999, and from 32,768 on.
   */
  readonly allowedHosts?: readonly string[] | null;
  /**
   * Directories, by the path that the plug-in sees. `ro:` before a directory
   * means that it is only read. Written `allowed_paths` it is as the native SDKs
   * have it, the other way round: by the host's path.
   */
  readonly allowedPaths?: Readonly<Record<string, string>> | null;
  /** Longest time of a call, in milliseconds. */
  readonly timeoutMs?: number | null;
  /** How much it may take. */
  readonly memory?: ManifestMemory | null;
}

/** Manifest in the spelling of the native SDKs. */
export interface NativeManifest {
  /** As in {@linkcode Manifest}. */
  readonly wasm: readonly ManifestWasm[];
  /** As in {@linkcode Manifest}. */
  readonly config?: Readonly<Record<string, string>>;
  /** As `allowedHosts` in {@linkcode Manifest}. */
  readonly "allowed_hosts"?: readonly string[] | null;
  /** Directories of the host, and the path that the plug-in sees each at. */
  readonly "allowed_paths"?: Readonly<Record<string, string>> | null;
  /** As `timeoutMs` in {@linkcode Manifest}. */
  readonly "timeout_ms"?: number | null;
  /** As in {@linkcode Manifest}, in this spelling. */
  readonly memory?: {
    /** Most pages that the plug-in's memory has, and grows by. */
    readonly "max_pages"?: number | null;
    /** As `maxHttpResponseBytes`. */
    readonly "max_http_response_bytes"?: number | null;
    /** As `maxVarBytes`. */
    readonly "max_var_bytes"?: number | null;
  } | null;
}

/**
 * A plug-in: a manifest, its text in JSON, the bytes of a module, the path of a
 * module, a URL or a response of either.
 */
export type ManifestLike =
  | Manifest
  | NativeManifest
  | Uint8Array
  | ArrayBuffer
  | string
  | URL
  | Response;

/** What lines of a plug-in's log are given to; `console` will do. */
export type PluginLogger = Readonly<
  Record<LogLevel, (message: string) => void>
>;

/** Options of {@linkcode createPlugin}; they come before those of the manifest. */
export interface PluginOptions
  extends Pick<ExtismSettings, "allowHttpResponseHeaders"> {
  /**
   * Whether the plug-in may use WASI: clocks, random numbers, and the
   * directories that it is given.
   *
   * @default {false}
   */
  readonly useWasi?: boolean;
  /**
   * Functions of the host's, by the module that the plug-in imports them from,
   * mostly `extism:host/user`, and by name. One that is asynchronous must be
   * written as an `async` function.
   *
   * @default {{}}
   */
  readonly functions?: ExtismFunctions;
  /** What the plug-in is configured with. */
  readonly config?: Readonly<Record<string, string>>;
  /** Hosts that it may make requests to. */
  readonly allowedHosts?: readonly string[];
  /** Directories, by the path that the plug-in sees. */
  readonly allowedPaths?: Readonly<Record<string, string>>;
  /**
   * Longest time of a call; null for the longest that there is.
   *
   * @default {5_000}
   */
  readonly timeoutMs?: number | null;
  /** How much it may take. */
  readonly memory?: ManifestMemory;
  /** What lines of its log are given to, with control characters escaped. */
  readonly logger?: Partial<PluginLogger>;
  /**
   * Least level that is logged.
   *
   * @default {"info"}
   */
  readonly logLevel?: LogLevel | "silent";
  /**
   * Whether what it writes to its standard streams is written to those of the
   * host.
   *
   * @default {false}
   */
  readonly enableWasiOutput?: boolean;
  /** Fuel for each call: instructions, roughly. */
  readonly fuelLimit?: number;
  /**
   * Where it runs.
   *
   * @default {"auto"}
   */
  readonly isolation?: Isolation;
  /**
   * As the JavaScript SDK has it: with `true` it runs in a process.
   *
   * @default {false}
   */
  readonly runInWorker?: boolean;
  /**
   * Fetches modules and manifests; the plug-in's own requests do not use it.
   *
   * @default {fetch}
   */
  readonly fetch?: typeof fetch;
  /** Limits, beside those that a manifest has. */
  readonly limits?: ResourceLimits;
  /** What it may do, beside what hosts, paths and `useWasi` stand for. */
  readonly policy?: SecurityPolicy | readonly Capability[];
  /** Takes each decision about what it may do. */
  readonly audit?: SandboxOptions["audit"];
  /** Which proposals of WebAssembly its modules may use. */
  readonly features?: ModuleFeatures;
  /** Bounds of its requests by HTTP. */
  readonly http?: SandboxOptions["http"];
  /** Processes to take one from. */
  readonly pool?: ProcessPool;
  /** Cancels the making of it. */
  readonly signal?: AbortSignal;
}

/** Options of one call. */
export interface PluginCallOptions {
  /** Cancels it; a plug-in that runs inline stops at its deadline only. */
  readonly signal?: AbortSignal;
  /** A shorter deadline, in milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * A plug-in. Calls come one after the other: one that is made while another runs
 * is refused. Its memory and its variables live on from call to call; if a call
 * does not return as it should (a trap, a limit), the next one begins with a new
 * instance, and both are gone.
 */
export interface ExtismPlugin extends AsyncDisposable {
  /** What it runs in: its limits, its audit, what enforces them. */
  readonly sandbox: Sandbox;
  /**
   * Calls an export.
   *
   * @param name Its name.
   * @param input What it reads as its input; text and numbers are written in
   * UTF-8.
   * @param hostContext What functions of the host get by `hostContext()`.
   * @param options Cancellation, and a shorter deadline.
   * @returns The output; null if the plug-in has set none.
   * @throws {SandboxError} With code `guest-error`, if the plug-in says that it
   * failed; `limit-exceeded`, `trap` and others as `Sandbox.call` does. What a
   * function of the host has thrown is thrown as it is.
   */
  call(
    name: string,
    input?: string | number | Uint8Array,
    hostContext?: unknown,
    options?: PluginCallOptions,
  ): Promise<PluginOutput | null>;
  /**
   * Whether there is such a function.
   *
   * @param name Its name.
   * @returns Whether there is.
   */
  functionExists(name: string): Promise<boolean>;
  /**
   * What the main module exports.
   *
   * @returns Names and kinds.
   */
  getExports(): Promise<WebAssembly.ModuleExportDescriptor[]>;
  /**
   * What the main module imports.
   *
   * @returns Names and kinds.
   */
  getImports(): Promise<WebAssembly.ModuleImportDescriptor[]>;
  /**
   * Whether a call runs.
   *
   * @returns Whether one does.
   */
  isActive(): boolean;
  /**
   * Begins anew: the memory of the plug-in and its variables are gone.
   *
   * @returns Whether it was done: not while a call runs.
   */
  reset(): Promise<boolean>;
  /** Lets the plug-in go. Idempotent. */
  close(): Promise<void>;
  /** Lets the plug-in go. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}
