/**
 * What a host of Extism plug-ins is told, and what a plug-in asks it for.
 *
 * @module
 */

import type {
  HostFunction,
  WasmResult,
  WasmValue,
} from "../../runtime/types.ts";
import type { LogLevel, MaybePromise } from "../types.ts";
import type { CallContext } from "./call_context.ts";
import type { ExtismVars } from "./vars.ts";

/** Module that every plug-in imports the functions of its host from. */
export const EXTISM_MODULE = "extism:host/env";

/** A function of the host that a plug-in imports; it takes handles or numbers. */
export type ExtismFunction = (
  context: CallContext,
  ...args: Parameters<HostFunction>
) => MaybePromise<WasmResult | void>;

/** Functions by the module that they are imported from, and their name. */
export type ExtismFunctions = Readonly<
  Record<string, Readonly<Record<string, ExtismFunction>>>
>;

/** What a plug-in is given, as plain data: it crosses to a process. */
export interface ExtismSettings {
  /**
   * What `config_get` gives.
   *
   * @default {{}}
   */
  readonly config?: Readonly<Record<string, string>>;
  /**
   * Least level that is logged.
   *
   * @default {"info"}
   */
  readonly logLevel?: LogLevel | "silent";
  /**
   * Most pages of 65,536 bytes that input, output and everything else that host
   * and plug-in hand each other may take together. What it takes is taken out
   * of the limit `memoryBytes`.
   *
   * @default {a quarter of memoryBytes}
   */
  readonly maxPages?: number;
  /**
   * Most bytes of the values of all variables; 0 for none.
   *
   * @default {1_048_576}
   */
  readonly maxVarBytes?: number;
  /**
   * Most bytes of one response by HTTP.
   *
   * @default {52_428_800}
   */
  readonly maxHttpResponseBytes?: number;
  /**
   * Whether `http_headers` gives the headers of the last response.
   *
   * @default {false}
   */
  readonly allowHttpResponseHeaders?: boolean;
  /**
   * Whether what it writes to its standard streams is passed on.
   *
   * @default {false}
   */
  readonly enableWasiOutput?: boolean;
}

/** What a sandbox that runs an Extism plug-in is given. */
export interface ExtismOptions extends ExtismSettings {
  /**
   * Functions of the host's, by the module that a plug-in imports them from,
   * mostly `extism:host/user`, and by name. They run with all rights of the host,
   * on what the plug-in chooses.
   *
   * @default {{}}
   */
  readonly functions?: ExtismFunctions;
  /** What `hostContext()` of a context gives during the call that runs. */
  readonly hostContext?: () => unknown;
  /** Told of a call that set no output; its reply is empty. */
  readonly onNoOutput?: () => void;
  /** Takes what is written to standard streams, with `enableWasiOutput`. */
  readonly onWasiOutput?: (
    stream: "stdout" | "stderr",
    bytes: Uint8Array<ArrayBuffer>,
  ) => void;
}

/**
 * The blocks of a plug-in, as its host sees them: all of them in the thread that
 * the plug-in runs in, those that the arguments point to in another process.
 */
export interface ExtismMemory {
  /**
   * Copies a block.
   *
   * @param handle The block.
   * @returns Its bytes; undefined if there is no such block.
   */
  read(handle: bigint): Uint8Array<ArrayBuffer> | undefined;
  /**
   * Makes a block.
   *
   * @param bytes What it holds.
   * @returns Its handle; 0 for no bytes.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  store(bytes: Uint8Array): bigint;
  /**
   * Says that the call failed, and why.
   *
   * @param message Why.
   */
  setError(message: string): void;
}

/** A call of a function of the host. */
export interface ExtismCall {
  /** Module that it is imported from. */
  readonly namespace: string;
  /** Its name there. */
  readonly name: string;
  /** Its arguments; those of 64 bits are mostly handles. */
  readonly args: readonly WasmValue[];
  /** The plug-in's blocks. */
  readonly memory: ExtismMemory;
  /** The plug-in's variables. */
  readonly vars: ExtismVars;
}

/** Answers calls of functions of the host. */
export type ExtismService = (
  call: ExtismCall,
) => MaybePromise<WasmResult | void>;
