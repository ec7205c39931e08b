/**
 * The host of one Extism plug-in: its kernel, its variables, and the functions
 * that it imports. The same in the host's thread and in a process.
 *
 * @module
 */

import { printable, quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type {
  HostModule,
  Module,
  WasmResult,
  WasmValue,
} from "../../runtime/types.ts";
import type { StdioSink } from "../../runtime/wasi/types.ts";
import type { GuestServices, MaybePromise } from "../types.ts";
import { decodeLeniently } from "../utf8.ts";
import { type FunctionNames, NOTED_BLOCK, NOTES } from "./functions.ts";
import { HttpRequests } from "./http.ts";
import { Environment } from "./environment.ts";
import { Kernel } from "./kernel.ts";
import { type CallHost, userModule } from "./user_module.ts";
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

/** The host of one plug-in. */
export class ExtismHost implements Disposable {
  readonly #settings: ExtismSettings;
  readonly #functions: FunctionNames;
  readonly #services: () => GuestServices;
  readonly #kernel: Kernel;
  readonly #vars: ExtismVars;
  readonly #http: HttpRequests;
  readonly #memory: ExtismMemory;
  readonly #environment: Environment;
  #isRunning = false;
  #startedMs = 0;

  /**
   * Constructs it.
   *
   * @param options What it offers.
   */
  constructor({ settings, maxPages, functions, services }: ExtismHostOptions) {
    const { maxVarBytes = DEFAULT_VAR_BYTES } = settings;
    this.#settings = settings;
    this.#functions = functions;
    this.#services = services;
    this.#kernel = new Kernel(maxPages);
    this.#vars = new ExtismVars(maxVarBytes);
    this.#http = new HttpRequests({ kernel: this.#kernel, services, settings });
    const kernel = this.#kernel;
    this.#memory = {
      read: (handle) => kernel.read(handle),
      store: (bytes) => kernel.store(bytes),
      setError: (message) =>
        kernel.setError(ENCODER.encode(message || "error")),
    };
    this.#environment = new Environment({
      kernel,
      memory: this.#memory,
      vars: this.#vars,
      http: this.#http,
      services,
      settings,
    });
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
    const callHost: CallHost = (namespace, name, args) =>
      this.#callHost(namespace, name, args);
    const own = Object.entries(this.#functions)
      .filter(([namespace]) =>
        namespace !== EXTISM_MODULE && !linked.includes(namespace)
      )
      .map(([namespace, names]) =>
        userModule({ namespace, names, needed, callHost })
      );
    return [this.#environment.module, ...own];
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
      return this.#failed(name, error);
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
      return this.#failed(name, error);
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
    return this.#output();
  }

  #output(): Bytes {
    const output = this.#kernel.output;
    if (output !== undefined) return output;
    const { namespace, name } = NOTES.noOutput;
    this.#services().extism?.(this.#call(namespace, name, []));
    return new Uint8Array();
  }

  /** What has become of a call that did not return. */
  #failed(name: string, error: unknown): Bytes {
    if (SandboxError.is(error, "guest-error")) throw error;
    const problem = this.#problem();
    const isExit = SandboxError.is(error, "guest-exit");
    if (problem === undefined) {
      // a program that ends itself has come to its end
      if (isExit && error.details.exitCode === 0) return this.#output();
      throw error;
    }
    // a plug-in that says why it fails mostly traps then
    const isOwn = isExit || SandboxError.is(error, "trap") ||
      SandboxError.is(error, "host-function-failed");
    throw isOwn ? guestError(name, problem, error) : error;
  }

  #problem(): string | undefined {
    const { error } = this.#kernel;
    return error === undefined ? undefined : decodeLeniently(error);
  }

  #callHost(
    namespace: string,
    name: string,
    args: readonly WasmValue[],
  ): MaybePromise<WasmResult | void> {
    const { extism } = this.#services();
    if (extism !== undefined) return extism(this.#call(namespace, name, args));
    throw new TypeError("the host has no functions for plug-ins");
  }

  #call(
    namespace: string,
    name: string,
    args: readonly WasmValue[],
  ): ExtismCall {
    return { namespace, name, args, memory: this.#memory, vars: this.#vars };
  }
}

const ENCODER = new TextEncoder();

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
