/**
 * How failures are told: one line, and where a flag helps, a hint.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { printable, quote } from "../_text.ts";
import {
  type AnySandboxError,
  type ImportName,
  SandboxError,
} from "../errors.ts";
import { type ExitCode, exitCodeOf } from "./exit_codes.ts";
import type { CliHost } from "./host.ts";
import { flagOf } from "./limit_flags.ts";
import { canAllow } from "./limits.ts";
import { jsonText } from "./output.ts";
import { type Paint, styleOf } from "./style.ts";
import { wrap } from "./text_width.ts";

/** Options of {@linkcode reportError}. */
export interface ReportOptions {
  /** Whether to print JSON, for a program that reads it. */
  json: boolean;
  /** The command that failed. */
  command?: string | undefined;
}

/**
 * Prints a failure to the standard error, without a stack.
 *
 * @param host Where to.
 * @param error What was thrown.
 * @param options Whether to print JSON.
 * @returns The exit code.
 */
export async function reportError(
  host: CliHost,
  error: unknown,
  { json, command }: ReportOptions,
): Promise<ExitCode> {
  const code = exitCodeOf(error);
  if (json) {
    await host.stderr(`${jsonText({ error: errorJson(error) })}\n`);
    return code;
  }
  const style = styleOf(host, "stderr");
  await print(host, "error:", style.bad, messageOf(error));
  const hint = hintOf(error) ?? usageHint(error, command);
  if (hint !== undefined) await print(host, "hint:", style.notice, hint);
  return code;
}

/** A line; on a terminal as many as it takes, broken between words. */
async function print(
  host: CliHost,
  label: string,
  paint: Paint,
  text: string,
): Promise<void> {
  const width = host.isTerminal("stderr") ? host.columns() : undefined;
  const whole = `${label} ${printable(text)}`;
  const lines = wrap(whole, width ?? Infinity).join("\n");
  await host.stderr(`${paint(label)}${lines.slice(label.length)}\n`);
}

/**
 * A failure as plain data.
 *
 * @param error What was thrown.
 * @returns What `SandboxError.toJSON` gives, or a name and a message.
 */
export function errorJson(error: unknown): unknown {
  if (SandboxError.is(error)) return error.toJSON();
  const name = exitCodeOf(error) === 2 ? "UsageError" : "Error";
  return { name, message: messageOf(error) };
}

/** What an error says; the parser's own ones in the words of all others. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ValidationError)) return message;
  return message
    .replace(
      /\. Did you mean (?:command|option) (".*")\?$/,
      " (did you mean $1?)",
    )
    .replace(/^Missing argument\(s\): /, "Missing argument: ")
    .replace(/^(Unknown .*)\.$/, "$1");
}

/**
 * What the user can do about a failure.
 *
 * @param error What was thrown.
 * @returns A line that names the flag, if there is one.
 */
export function hintOf(error: unknown): string | undefined {
  if (!SandboxError.is(error)) return undefined;
  const failure = error as AnySandboxError;
  switch (failure.code) {
    case "limit-exceeded": {
      const { limit, allowed } = failure.details;
      const found = flagOf(limit);
      if (found === undefined) return undefined;
      const now = found.unit.format(allowed);
      return `${found.flag} raises this limit; it is ${now} now`;
    }
    case "module-refused":
      return featureHint(failure.details.feature);
    case "import-not-granted":
      return importHint(failure.details.missing);
    case "project-unwritable":
      return failure.details.taken === undefined
        ? undefined
        : "--diff shows what would change, --force replaces them";
    case "export-not-found":
      return "the command inspect lists what the module exports";
    default:
      return undefined;
  }
}

/** What a command takes in the place of what it does not. */
const USAGE: Readonly<Record<string, string>> = Object.freeze({
  run: "what the program takes goes after --",
  backends: "its command is install, which takes the name of an engine",
  policy: "its commands are check, explain, schema and import",
  audit:
    "its commands are verify and keygen; with --learn it takes a module, " +
    "and what the program takes goes after --",
});

function usageHint(error: unknown, command = ""): string | undefined {
  if (!(error instanceof ValidationError)) return undefined;
  const { message } = error;
  const isExtra = /^(?:Too many arguments|Unknown option )/.test(message);
  if (isExtra && Object.hasOwn(USAGE, command)) return USAGE[command];
  if (message.includes("Did you mean")) return undefined;
  if (message.startsWith("Unknown command")) return "--help lists the commands";
  return isExtra || message.startsWith("Missing argument")
    ? `${command} --help tells what it takes`.trimStart()
    : undefined;
}

function featureHint(feature: string | undefined): string | undefined {
  if (feature === undefined) return undefined;
  return canAllow(feature)
    ? `--allow-feature ${feature} allows it`
    : `no flag allows the feature ${quote(feature)}: the runtime cannot ` +
      "keep a guest that uses it within its limits";
}

/** Whether an import is one of WASI, of any version. */
export function isWasi({ module }: { readonly module: string }): boolean {
  return /^wasi(?:_|:)/.test(module);
}

function importHint(missing: readonly ImportName[]): string | undefined {
  if (missing.some(isWasi)) {
    return "it imports what WASI preview 1 does not have, or has otherwise";
  }
  const [first] = missing;
  if (first === undefined) return undefined;
  const { module, name, kind = "function" } = first;
  if (kind !== "function" && kind !== "global") {
    return `nothing can grant a ${kind}: hosts grant functions and constants`;
  }
  return "the command line grants no imports; a host program can, with " +
    `Sandbox.create({ module, imports: { ${quote(module)}: { ${
      quote(name)
    }: … } } })`;
}
