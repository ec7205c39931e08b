/** What a guest may ask of its server while it runs. */

import type {
  HostFunctionContext,
  HostFunctions,
} from "../../communication/host_functions.ts";
import { GuestFault } from "../../communication/fault.ts";
import { LOG_LEVELS, type LogLevel, type McpCall } from "./call.ts";
import { isObject, type JsonObject, own, textProblem } from "./names.ts";

/** Longest message of progress, and name of a logger, in characters. */
const MAX_TEXT = 1_024;

/** Longest line of the log, as JSON, in UTF-16 units. */
const MAX_LOG = 8 * 1_024;

/** Names of the functions; nobody else may use them. */
export const FUNCTION_PREFIX = "mcp.";

/**
 * The functions for one guest.
 *
 * @param current The call that the guest answers, if it does.
 * @returns The functions by name.
 */
export function hostFunctions(
  current: () => McpCall | undefined,
): HostFunctions {
  const call = () => {
    const running = current();
    if (running !== undefined) return running;
    throw new GuestFault("closed", "no call of a client runs");
  };
  return {
    "mcp.progress": (input) => call().progress(progressOf(input)).then(nothing),
    "mcp.log": (input) => {
      const { level, ...params } = logOf(input);
      return call().log(level, params).then(nothing);
    },
    "mcp.sample": (input, { signal }: HostFunctionContext) =>
      call().ask("sampling", tableOf(input), signal),
    "mcp.elicit": (input, { signal }: HostFunctionContext) =>
      call().ask("elicitation", tableOf(input), signal),
    "mcp.notify_resource_updated": (input) => {
      const uri = isObject(input) ? own(input, "uri") : undefined;
      if (typeof uri !== "string") throw invalid("uri", "is no text");
      call().updated(uri);
      return null;
    },
  };
}

function nothing(): null {
  return null;
}

function progressOf(input: unknown) {
  const table = tableOf(input);
  const progress = own(table, "progress");
  const total = own(table, "total");
  const message = own(table, "message");
  if (typeof progress !== "number") throw invalid("progress", "is no number");
  if (total !== undefined && typeof total !== "number") {
    throw invalid("total", "is no number");
  }
  return {
    progress,
    ...(total !== undefined && { total }),
    ...(message !== undefined && { message: textOf(message, "message") }),
  };
}

function logOf(
  input: unknown,
): { readonly level: LogLevel; readonly [name: string]: unknown } {
  const table = tableOf(input);
  const level = LOG_LEVELS.find((each) => each === own(table, "level"));
  if (level === undefined) {
    throw invalid("level", `is none of ${LOG_LEVELS.join(", ")}`);
  }
  const logger = own(table, "logger");
  const data = own(table, "data") ?? null;
  if (JSON.stringify(data).length > MAX_LOG) {
    throw new GuestFault(
      "too-large",
      `data is longer than ${MAX_LOG} characters`,
    );
  }
  return {
    level,
    ...(logger !== undefined && { logger: textOf(logger, "logger") }),
    data,
  };
}

function tableOf(input: unknown): Record<string, unknown> & JsonObject {
  if (isObject(input)) return input as Record<string, unknown>;
  throw new GuestFault("invalid", "the input is no object");
}

function textOf(value: unknown, name: string): string {
  const problem = textProblem(value, MAX_TEXT);
  if (problem === undefined) return value as string;
  throw invalid(name, problem);
}

function invalid(name: string, problem: string): GuestFault {
  return new GuestFault("invalid", `${name} ${problem}`);
}
