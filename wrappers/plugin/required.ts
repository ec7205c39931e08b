/** Exports that a plugin must have, and their types. */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { ModuleExport, Signature } from "../../runtime/types.ts";
import { exportNotFound } from "../../runtime/v8/live.ts";
import { refused } from "./errors.ts";
import type { RequiredExports } from "./types.ts";

const TYPE = "(?:i32|i64|f32|f64)";
const LIST = `${TYPE}(?:\\s*,\\s*${TYPE})*`;
const SIGNATURE = new RegExp(
  `^\\(\\s*(${LIST})?\\s*\\)\\s*->\\s*(?:\\(\\s*(${LIST})?\\s*\\)|(${TYPE}))$`,
);

/** What takes JSON or bytes. */
const MESSAGE = "(i32, i32) -> i64";

/**
 * Checks that types can be understood.
 *
 * @throws {TypeError} If one cannot.
 */
export function checkRequired(requires: RequiredExports): void {
  for (const [name, type] of Object.entries(requires)) {
    if (type === "any" || normal(type) !== undefined) continue;
    throw new TypeError(
      `Cannot require the export ${quote(name)}: its type is ${quote(type)}, ` +
        'which is no type of a function (write "(i32, i32) -> i32", ' +
        '"message" or "any")',
    );
  }
}

/**
 * Sees that a module exports what is required.
 *
 * @throws {SandboxError} With code `export-not-found`, or `module-refused` if one
 * is of another type.
 */
export function checkExports(
  plugin: string,
  exports: readonly ModuleExport[],
  requires: RequiredExports,
): void {
  for (const [name, type] of Object.entries(requires)) {
    const found = functionOf(exports, name);
    if (found === undefined) throw missing(plugin, name, exports);
    const is = textOf(found.signature);
    if (type === "any" || is === normal(type)) continue;
    throw refused(
      plugin,
      `its export ${quote(name)} is of type ${is}, and must be ${normal(type)}`,
      "load a module that has it",
    );
  }
}

/** Whether a module takes messages by an export, if it has it. */
export function hasMessage(
  plugin: string,
  exports: readonly ModuleExport[],
  name: string,
): boolean {
  const found = functionOf(exports, name);
  if (found === undefined) return false;
  if (textOf(found.signature) === MESSAGE) return true;
  throw refused(
    plugin,
    `its export ${quote(name)} is of type ${textOf(found.signature)}, and ` +
      `must be ${MESSAGE}`,
    "give it another name, or that type",
  );
}

/** The functions of a module, as text. */
export function describeExports(
  exports: readonly ModuleExport[],
): readonly string[] {
  return Object.freeze(
    exports.filter(({ kind }) => kind === "function")
      .map(({ name, signature }) => `${name}: ${textOf(signature)}`),
  );
}

function functionOf(
  exports: readonly ModuleExport[],
  name: string,
): ModuleExport | undefined {
  return exports.find((each) => each.kind === "function" && each.name === name);
}

function missing(
  plugin: string,
  name: string,
  exports: readonly ModuleExport[],
): SandboxError<"export-not-found"> {
  const cause = exportNotFound(name, exports);
  return new SandboxError(
    "export-not-found",
    `Cannot load the plugin ${quote(plugin)}: it must export ${quote(name)}, ` +
      "and does not",
    { cause, details: cause.details },
  );
}

function normal(type: string): string | undefined {
  if (type === "message") return MESSAGE;
  const match = SIGNATURE.exec(type);
  if (match === null) return undefined;
  const [, params = "", several, single] = match;
  return textOf({
    params: listOf(params),
    results: listOf(several ?? single ?? ""),
  });
}

function listOf(text: string): string[] {
  return text.split(",").map((each) => each.trim()).filter((each) =>
    each !== ""
  );
}

function textOf(
  signature:
    | Signature
    | {
      readonly params: readonly string[];
      readonly results: readonly string[];
    }
    | undefined,
): string {
  const { params = [], results = [] } = signature ?? {};
  const [result] = results;
  const gives = results.length === 1 ? result : `(${results.join(", ")})`;
  return `(${params.join(", ")}) -> ${gives}`;
}
