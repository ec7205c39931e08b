/**
 * The host of one Extism plug-in: its kernel, its variables, and the functions
 * that it imports. The same in the host's thread and in a process.
 *
 * @module
 */

import { printable, quote, reasonOf } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type {
  HostModule,
  HostModuleFunction,
  Module,
  ModuleImport,
  Signature,
  WasmResult,
  WasmValue,
} from "../../runtime/types.ts";
import type { StdioSink } from "../../runtime/wasi/types.ts";
import type { GuestServices, LogLevel, MaybePromise } from "../types.ts";
import { decodeLeniently } from "../utf8.ts";
import { type FunctionNames, NOTED_BLOCK, NOTES } from "./functions.ts";
import { HttpRequests } from "./http.ts";
import { DIRECT_FUNCTIONS, Kernel } from "./kernel.ts";
import {
  EXTISM_MODULE,
  type ExtismCall,
  type ExtismMemory,
  type ExtismSettings,
} from "./types.ts";
import { DEFAULT_VAR_BYTES, ExtismVars } from "./vars.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What the host of a plug-in is made from. */
export interface ExtismHostOptions {
  /** What the plug-in is given. */
  readonly settings: ExtismSettings;
  /** Most pages of blocks; `splitMemory` gives them. */
  readonly maxPages: number;
  /** Functions of the host that may be imported. */
  readonly functions: FunctionNames;
  /** Who answers, in the call that runs now. */
  readonly services: () => GuestServices;
}

/** Levels of the log, as plug-ins number them. */
const LEVELS: readonly LogLevel[] = Object.freeze([
  "trace",
  "debug",
  "info",
  "warn",
  "error",
]);

/** What is told to plug-ins that log nothing. */
const SILENT = 2 ** 31 - 1;

/** Longest name of a variable and of a key, and longest line of the log. */
const MAX_NAME_BYTES = 4_096;
const MAX_LINE_BYTES = 65_536;

/** Types of the functions; `i` is i32, `I` i64, and what is given stands last. */
const TYPES: Readonly<Record<string, string>> = Object.freeze({
  alloc: "I:I",
  free: "I:",
  length: "I:I",
  length_unsafe: "I:I",
  load_u8: "I:i",
  load_u64: "I:I",
  store_u8: "Ii:",
  store_u64: "II:",
  input_offset: ":I",
  input_length: ":I",
  input_load_u8: "I:i",
  input_load_u64: "I:I",
  output_set: "II:",
  error_set: "I:",
  error_get: ":I",
  config_get: "I:I",
  var_get: "I:I",
  var_set: "II:",
  http_request: "II:I",
  http_status_code: ":i",
  http_headers: ":I",
  log_trace: "I:",
  log_debug: "I:",
  log_info: "I:",
  log_warn: "I:",
  log_error: "I:",
  get_log_level: ":i",
});

/** The host of one plug-in. */
export class ExtismHost implements Disposable {
  readonly #settings: ExtismSettings;
  readonly #functions: FunctionNames;
  readonly #services: () => GuestServices;
  readonly #kernel: Kernel;
  readonly #vars: ExtismVars;
  readonly #http: HttpRequests;
  readonly #memory: ExtismMemory;
  readonly #level: number;
  #isRunning = false;
  #startedMs = 0;

  /**
   * Constructs it.
   *
   * @param options What it offers.
   */
  constructor({ settings, maxPages, functions, services }: ExtismHostOptions) {
    const { logLevel = "info", maxVarBytes = DEFAULT_VAR_BYTES } = settings;
    this.#settings = settings;
    this.#functions = functions;
    this.#services = services;
    this.#kernel = new Kernel(maxPages);
    this.#vars = new ExtismVars(maxVarBytes);
    this.#http = new HttpRequests({ kernel: this.#kernel, services, settings });
    this.#level = logLevel === "silent" ? SILENT : LEVELS.indexOf(logLevel);
    const kernel = this.#kernel;
    this.#memory = {
      read: (handle) => kernel.read(handle),
      store: (bytes) => kernel.store(bytes),
      setError: (message) =>
        kernel.setError(ENCODER.encode(message || "error")),
    };
  }

  /**
   * What is left of the time of the call that runs.
   *
   * @param timeoutMs All of it.
   * @returns At least 1 ms.
   */
  remainingMs(timeoutMs: number): number {
    if (!this.#isRunning) return timeoutMs;
    return Math.max(1, this.#startedMs + timeoutMs - performance.now());
  }

  /** Where WASI's standard streams go; undefined if nowhere. */
  get stdio(): Readonly<Record<"stdout" | "stderr", StdioSink>> | undefined {
    if (this.#settings.enableWasiOutput !== true) return undefined;
    return { stdout: this.#sink("stdout"), stderr: this.#sink("stderr") };
  }

  /** Bytes of its own memory. */
  get memoryBytes(): number {
    return this.#kernel.memoryBytes;
  }

  /**
   * What a plug-in imports: the functions of `extism:host/env`, and those
   * functions of the host that it needs.
   *
   * @param modules The module, and those that it is linked with.
   * @param linked Names of those, which come before functions of the host.
   * @returns Host modules for all of them.
   */
  modules(
    modules: readonly Pick<Module, "imports">[],
    linked: readonly string[] = [],
  ): readonly HostModule[] {
    const needed = modules.flatMap(({ imports }) => imports);
    const own = Object.entries(this.#functions)
      .filter(([namespace]) =>
        namespace !== EXTISM_MODULE && !linked.includes(namespace)
      )
      .map(([namespace, names]) => this.#userModule(namespace, names, needed));
    return [this.#environment(), ...own];
  }

  /**
   * Makes a call of an export of the plug-in: sets the input, runs it, and takes
   * its output.
   *
   * @param name Name of the export, for messages.
   * @param input The input.
   * @param call Runs the export, which takes nothing and gives an i32 or nothing.
   * @returns The output; empty if there is none.
   * @throws {SandboxError} With code `guest-error`, if the plug-in says that it
   * failed; else what `call` throws.
   */
  async run(
    name: string,
    input: Uint8Array,
    call: () => Promise<WasmResult>,
  ): Promise<Bytes> {
    // it will be refused: the instance runs
    if (this.#isRunning) {
      await call();
      return new Uint8Array();
    }
    this.#begin(input);
    try {
      return this.#end(name, await call());
    } catch (error) {
      throw this.#failed(name, error);
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * As {@linkcode ExtismHost.run}, in the calling thread.
   *
   * @param name Name of the export, for messages.
   * @param input The input.
   * @param call Runs the export.
   * @returns The output; empty if there is none.
   */
  runSync(name: string, input: Uint8Array, call: () => WasmResult): Bytes {
    if (this.#isRunning) {
      call();
      return new Uint8Array();
    }
    this.#begin(input);
    try {
      return this.#end(name, call());
    } catch (error) {
      throw this.#failed(name, error);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Lets all blocks go. */
  [Symbol.dispose](): void {
    this.#kernel.reset();
  }

  #sink(name: "stdout" | "stderr"): StdioSink {
    return {
      write: (chunk) => {
        const bytes = new Uint8Array(chunk);
        this.#services().extism?.({
          ...NOTES[name],
          args: [NOTED_BLOCK],
          memory: { ...this.#memory, read: () => bytes },
          vars: new ExtismVars(0),
        });
      },
    };
  }

  #begin(input: Uint8Array): void {
    this.#isRunning = true;
    this.#startedMs = performance.now();
    try {
      this.#http.begin();
      this.#kernel.begin(input);
    } catch (error) {
      this.#isRunning = false;
      throw error;
    }
  }

  #end(name: string, result: WasmResult): Bytes {
    const problem = this.#problem();
    if (problem !== undefined) throw guestError(name, problem);
    if (result !== undefined && result !== 0) {
      throw guestError(name, `Returned non-zero exit code: ${String(result)}`);
    }
    const output = this.#kernel.output;
    if (output !== undefined) return output;
    this.#services().extism?.({ ...NOTES.noOutput, ...this.#call([]) });
    return new Uint8Array();
  }

  /** What has become of a call that did not return. */
  #failed(name: string, error: unknown): unknown {
    if (SandboxError.is(error, "guest-error")) return error;
    const problem = this.#problem();
    // a plug-in that says why it fails mostly traps then
    if (
      problem !== undefined &&
      (SandboxError.is(error, "trap") ||
        SandboxError.is(error, "host-function-failed") ||
        SandboxError.is(error, "guest-exit"))
    ) return guestError(name, problem, error);
    return error;
  }

  #problem(): string | undefined {
    const { error } = this.#kernel;
    return error === undefined ? undefined : decodeLeniently(error);
  }

  #environment(): HostModule {
    const functions: Record<string, HostModuleFunction> = {};
    for (const name of DIRECT_FUNCTIONS) {
      functions[name] = this.#kernel.exports[name] as HostModuleFunction;
    }
    for (const [index, level] of LEVELS.entries()) {
      functions[`log_${level}`] = (handle: bigint) => this.#log(index, handle);
    }
    functions.config_get = (handle: bigint) => this.#configGet(handle);
    functions.var_get = (handle: bigint) => this.#varGet(handle);
    functions.var_set = (key: bigint, value: bigint) =>
      this.#varSet(key, value);
    functions.http_request = (request: bigint, body: bigint) =>
      this.#http.request(request, body);
    functions.http_status_code = () => this.#http.status;
    functions.http_headers = () => this.#http.headers();
    functions.get_log_level = () => this.#level;
    return Object.freeze({
      name: EXTISM_MODULE,
      signatures: SIGNATURES,
      direct: DIRECT_FUNCTIONS,
      suspending: ["http_request"],
      link: () => functions,
    });
  }

  /** Those functions of the host that are imported, by the types wanted. */
  #userModule(
    namespace: string,
    names: readonly string[],
    needed: readonly ModuleImport[],
  ): HostModule {
    const signatures: Record<string, Signature> = Object.create(null);
    const functions: Record<string, HostModuleFunction> = Object.create(null);
    for (const { module, name, signature } of needed) {
      if (module !== namespace || signature === undefined) continue;
      const { params, results } = signature;
      if (!names.includes(name) || name in signatures) continue;
      if ([...params, ...results].includes("other")) continue;
      signatures[name] = signature;
      functions[name] = (...args: WasmValue[]) =>
        this.#callHost({ namespace, name }, signature, args);
    }
    return Object.freeze({
      name: namespace,
      signatures: Object.freeze(signatures),
      suspending: Object.keys(functions),
      link: () => functions,
    });
  }

  #callHost(
    which: Pick<ExtismCall, "namespace" | "name">,
    { results }: Signature,
    args: readonly WasmValue[],
  ): MaybePromise<WasmResult | void> {
    const { extism } = this.#services();
    if (extism === undefined) {
      throw new TypeError("the host has no functions for plug-ins");
    }
    const result = extism({ ...which, ...this.#call(args) });
    return result instanceof Promise
      ? result.then((value) => fitted(value, results))
      : fitted(result, results);
  }

  #call(args: readonly WasmValue[]): Omit<ExtismCall, "namespace" | "name"> {
    return { args, memory: this.#memory, vars: this.#vars };
  }

  #configGet(handle: bigint): bigint {
    const key = this.#takeText(handle);
    const { config = {} } = this.#settings;
    if (key === undefined || !Object.hasOwn(config, key)) return 0n;
    return this.#kernel.store(ENCODER.encode(config[key]));
  }

  #varGet(handle: bigint): bigint {
    const name = this.#takeText(handle);
    const value = name === undefined ? undefined : this.#vars.get(name);
    return value === undefined ? 0n : this.#kernel.store(value);
  }

  #varSet(key: bigint, value: bigint): void {
    const name = this.#text(key);
    if (name === undefined) return;
    if (value === 0n) {
      this.#vars.delete(name);
      return;
    }
    const bytes = this.#kernel.read(value);
    try {
      if (bytes === undefined) {
        throw new RangeError(`invalid handle offset for var value: ${value}`);
      }
      this.#vars.set(name, bytes);
    } catch (error) {
      // the plug-in goes on, and its call fails
      this.#memory.setError(reasonOf(error));
    }
  }

  /** Text of a block that is given away. */
  #takeText(handle: bigint): string | undefined {
    const text = this.#text(handle);
    this.#kernel.free(handle);
    return text;
  }

  #text(handle: bigint): string | undefined {
    const bytes = this.#kernel.read(handle);
    if (bytes === undefined) return "";
    if (bytes.length <= MAX_NAME_BYTES) return decodeLeniently(bytes);
    this.#memory.setError(`a name has more than ${MAX_NAME_BYTES} bytes`);
    return undefined;
  }

  #log(level: number, handle: bigint): void {
    if (level >= this.#level) {
      const bytes = this.#kernel.read(handle) ?? new Uint8Array();
      const line = decodeLeniently(bytes.subarray(0, MAX_LINE_BYTES));
      this.#services().log(LEVELS[level] ?? "error", line);
    }
    this.#kernel.free(handle);
  }
}

const ENCODER = new TextEncoder();

const SIGNATURES: Readonly<Record<string, Signature>> = Object.freeze(
  Object.fromEntries(
    Object.entries(TYPES).map(([name, type]) => {
      const [params = "", results = ""] = type.split(":");
      const typesOf = (letters: string) =>
        Array.from(letters, (letter) => letter === "i" ? "i32" : "i64");
      const signature = { params: typesOf(params), results: typesOf(results) };
      return [name, Object.freeze(signature) as Signature];
    }),
  ),
);

/** Numbers for integers of 64 bits, where a function gives such. */
function fitted(
  value: WasmResult | void,
  results: Signature["results"],
): WasmResult | void {
  if (results.length === 0) return undefined;
  const fit = (each: WasmValue, type: Signature["results"][number]) =>
    type === "i64" && typeof each === "number" && Number.isSafeInteger(each)
      ? BigInt(each)
      : each;
  if (typeof value !== "object") {
    const [type] = results;
    return value === undefined || type === undefined ? value : fit(value, type);
  }
  return value.map((each, index) => fit(each, results[index] ?? "i32"));
}

/** Longest reason of a failure that a message quotes. */
const MAX_PROBLEM = 4_096;

function guestError(
  name: string,
  problem: string,
  cause?: unknown,
): SandboxError<"guest-error"> {
  const text = printable(problem.slice(0, MAX_PROBLEM));
  return new SandboxError(
    "guest-error",
    `Cannot complete ${quote(name)}: Plugin-originated error: ${text}`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { export: name, problem: text },
    },
  );
}

/**
 * Whether one of some modules is an Extism plug-in.
 *
 * @param modules The modules.
 * @returns Whether one of them imports from `extism:host/env`.
 */
export function usesExtism(
  modules: readonly Pick<Module, "imports">[],
): boolean {
  return modules.some(({ imports }) =>
    imports.some(({ module }) => module === EXTISM_MODULE)
  );
}
