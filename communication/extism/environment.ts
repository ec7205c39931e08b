/**
 * The functions of `extism:host/env` that are more than memory.
 *
 * @module
 */

import { reasonOf } from "../../_text.ts";
import type {
  HostModule,
  HostModuleFunction,
  Signature,
} from "../../runtime/types.ts";
import type { GuestServices, LogLevel, MaybePromise } from "../types.ts";
import { decodeLeniently } from "../utf8.ts";
import type { HttpRequests } from "./http.ts";
import { DIRECT_FUNCTIONS, type Kernel } from "./kernel.ts";
import {
  EXTISM_MODULE,
  type ExtismMemory,
  type ExtismSettings,
} from "./types.ts";
import type { ExtismVars } from "./vars.ts";

/** What the functions work on. */
export interface EnvironmentOptions {
  /** The plug-in's blocks. */
  readonly kernel: Kernel;
  /** The same, with the error. */
  readonly memory: ExtismMemory;
  /** Its variables. */
  readonly vars: ExtismVars;
  /** Its requests. */
  readonly http: HttpRequests;
  /** Who answers, in the call that runs now. */
  readonly services: () => GuestServices;
  /** What it is given. */
  readonly settings: ExtismSettings;
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

/** The functions of one plug-in. */
export class Environment {
  /** What the plug-in is linked with. */
  readonly module: HostModule;
  readonly #settings: ExtismSettings;
  readonly #services: () => GuestServices;
  readonly #kernel: Kernel;
  readonly #memory: ExtismMemory;
  readonly #vars: ExtismVars;
  readonly #http: HttpRequests;
  readonly #level: number;

  /**
   * Constructs it.
   *
   * @param options What they work on.
   */
  constructor(
    { kernel, memory, vars, http, services, settings }: EnvironmentOptions,
  ) {
    const { logLevel = "info" } = settings;
    this.#kernel = kernel;
    this.#memory = memory;
    this.#vars = vars;
    this.#http = http;
    this.#services = services;
    this.#settings = settings;
    this.#level = logLevel === "silent" ? SILENT : LEVELS.indexOf(logLevel);
    this.module = this.#module();
  }

  #module(): HostModule {
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
      suspending: ["http_request", ...LEVELS.map((level) => `log_${level}`)],
      link: () => functions,
    });
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

  #log(level: number, handle: bigint): MaybePromise<void> {
    const line = level < this.#level ? undefined : this.#line(handle);
    this.#kernel.free(handle);
    return line === undefined
      ? undefined
      : this.#services().log(LEVELS[level] ?? "error", line);
  }

  #line(handle: bigint): string {
    const bytes = this.#kernel.read(handle) ?? new Uint8Array();
    return decodeLeniently(bytes.subarray(0, MAX_LINE_BYTES));
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
