/**
 * What is known of the call of a plug-in that runs.
 *
 * @module
 */

import type {
  ExtismFunction,
  ExtismFunctions,
  ExtismOptions,
} from "../../communication/extism/types.ts";
import { isAsync } from "../../communication/extism/functions.ts";
import type { LogLevel } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import type { AuditEvent } from "../../security/types.ts";
import type { PluginLogger, PluginOptions } from "./types.ts";

/** The call that runs. */
export class PluginScope {
  #hostContext: unknown;
  #hasOutput = true;
  /** What a function of the host has thrown. */
  #thrown: { readonly error: unknown } | undefined;

  /** Whether the plug-in has set its output. */
  get hasOutput(): boolean {
    return this.#hasOutput;
  }

  /**
   * Begins a call.
   *
   * @param hostContext What the caller gives.
   */
  begin(hostContext: unknown): void {
    this.#hostContext = hostContext;
    this.#hasOutput = true;
    this.#thrown = undefined;
  }

  /** Ends the call. */
  end(): void {
    this.#hostContext = undefined;
    this.#thrown = undefined;
  }

  /**
   * What a caller is told of a call that failed: what its own function has
   * thrown, if that is why.
   *
   * @param error What the sandbox has thrown.
   * @returns What to throw.
   */
  explain(error: unknown): unknown {
    const isTheirs = this.#thrown !== undefined &&
      SandboxError.is(error, "host-function-failed");
    return isTheirs ? this.#thrown?.error : error;
  }

  /**
   * What a sandbox needs of it.
   *
   * @param functions The host's functions.
   * @returns Options.
   */
  options(
    functions: ExtismFunctions,
  ): Pick<
    ExtismOptions,
    "functions" | "hostContext" | "onNoOutput" | "onWasiOutput"
  > {
    return {
      onWasiOutput: writeOut,
      functions: mapFunctions(functions, (fn) => this.#watched(fn)),
      hostContext: () => this.#hostContext,
      onNoOutput: () => {
        this.#hasOutput = false;
      },
    };
  }

  #watched(fn: ExtismFunction): ExtismFunction {
    const failed = (error: unknown): never => {
      this.#thrown = { error };
      throw error;
    };
    if (isAsync(fn)) {
      return async (context, ...args) => {
        try {
          return await fn(context, ...args);
        } catch (error) {
          return failed(error);
        }
      };
    }
    return (context, ...args) => {
      try {
        const result = fn(context, ...args);
        return result instanceof Promise ? result.catch(failed) : result;
      } catch (error) {
        return failed(error);
      }
    };
  }
}

/** Writes to a standard stream of this program. */
function writeOut(
  stream: "stdout" | "stderr",
  bytes: Uint8Array<ArrayBuffer>,
): void {
  for (let at = 0; at < bytes.length;) {
    at += Deno[stream].writeSync(bytes.subarray(at));
  }
}

function mapFunctions(
  functions: ExtismFunctions,
  map: (fn: ExtismFunction) => ExtismFunction,
): ExtismFunctions {
  return Object.fromEntries(
    Object.entries(functions).map(([namespace, members]) => [
      namespace,
      Object.fromEntries(
        Object.entries(members).map(([name, fn]) => [
          name,
          typeof fn === "function" ? map(fn) : fn,
        ]),
      ),
    ]),
  );
}

/**
 * Gives lines of the log to a logger, and every event to whoever wants them.
 *
 * @param options The logger, and who wants events.
 * @returns What takes the events.
 */
export function logSink(
  { logger, audit }: Pick<PluginOptions, "logger" | "audit">,
): (event: AuditEvent) => void {
  return (event) => {
    if (typeof audit === "function") audit(event);
    else audit?.record(event);
    if (logger === undefined || event.decision !== "logged") return;
    const level = event.operation.slice("log.".length);
    callLogger(logger, level as LogLevel, event.resource);
  };
}

function callLogger(
  logger: Partial<PluginLogger>,
  level: LogLevel,
  line: string,
): void {
  // as a method: a console needs itself
  logger[level]?.(line);
}
