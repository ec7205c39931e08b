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
  const message = error instanceof Error ? error.message : String(error);
  await host.stderr(`error: ${printable(message)}\n`);
  const hint = hintOf(error) ?? usageHint(error, command);
  if (hint !== undefined) await host.stderr(`hint: ${hint}\n`);
  return code;
}

/**
 * A failure as plain data.
 *
 * @param error What was thrown.
 * @returns What `SandboxError.toJSON` gives, or a name and a message.
 */
export function errorJson(error: unknown): unknown {
  if (SandboxError.is(error)) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  const name = exitCodeOf(error) === 2 ? "UsageError" : "Error";
  return { name, message };
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
  const isExtra = error instanceof ValidationError &&
    /^(?:Too many arguments|Unknown option )/.test(error.message);
  return isExtra && Object.hasOwn(USAGE, command) ? USAGE[command] : undefined;
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
