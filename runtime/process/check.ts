/**
 * Checks what a child says: every field by name and by type.
 *
 * @module
 */

import { printable } from "../../_text.ts";
import {
  SandboxError,
  type SandboxErrorCode,
  type SerializedError,
} from "../../errors.ts";
import { type Header, ProtocolError } from "./frames.ts";

/** Whether a value is what a field should hold. */
export type Check = (value: unknown) => boolean;

/** The fields of an object. */
export interface Shape {
  /** Those that must be there. */
  readonly required: Readonly<Record<string, Check>>;
  /** Those that may be there. */
  readonly optional?: Readonly<Record<string, Check>>;
}

/** A whole number that is not negative. */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
/** Any text. */
export function isText(value: unknown): boolean {
  return typeof value === "string";
}
/** True or false. */
export function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

/** An array of what a check takes. */
export function isArrayOf(check: Check, maxLength: number): Check {
  return (value) =>
    Array.isArray(value) && value.length <= maxLength && value.every(check);
}

/** One of some words. */
export function isOneOf(words: readonly string[]): Check {
  return (value) => typeof value === "string" && words.includes(value);
}

/** An object of a shape. */
export function isShaped({ required, optional = {} }: Shape): Check {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return false;
    }
    const entries = Object.entries(value);
    const needed = Object.keys(required);
    return needed.every((name) => Object.hasOwn(value, name)) &&
      entries.every(([name, field]) => {
        const check = Object.hasOwn(required, name)
          ? required[name]
          : Object.hasOwn(optional, name)
          ? optional[name]
          : undefined;
        return check !== undefined && check(field);
      });
  };
}

/**
 * Takes a header for what it should be.
 *
 * @typeParam T What it should be.
 * @param header The header.
 * @param check The check for it.
 * @param what What it is called if it is not.
 * @returns The header.
 * @throws {ProtocolError} If it is not.
 */
export function checked<T>(header: unknown, check: Check, what: string): T {
  if (!check(header)) throw new ProtocolError(`a malformed ${what}`);
  return header as T;
}

/** Use of limits by name. */
export const isUsage: Check = isShaped({
  required: {},
  optional: Object.fromEntries(
    [
      "memoryBytes",
      "tableElements",
      "fuel",
      "openFiles",
      "writtenBytes",
      "fileEntries",
      "stdinBytes",
      "stdoutBytes",
      "stderrBytes",
      "hostCalls",
      "cpuMs",
    ].map((name) => [name, isCount]),
  ),
});

const MAX_MESSAGE = 16_384;
const MAX_CAUSES = 8;
/** Of a guest's line of 4,096 bytes, each may be escaped. */
const MAX_PROBLEM = 32_768;

const isShortText: Check = (value) =>
  typeof value === "string" && value.length <= MAX_MESSAGE;
const isNumber: Check = (value) => typeof value === "number";
const isImport: Check = isShaped({
  // names of the guest's may be of any length
  required: { module: isText, name: isText },
  optional: { kind: isShortText },
});
const AUDITED: Shape = {
  required: {
    capability: isShortText,
    operation: isShortText,
    resource: isShortText,
  },
};

/** The errors that a child may report, and what their details hold. */
const DETAILS: Readonly<Partial<Record<SandboxErrorCode, Shape>>> = Object
  .freeze({
    "invalid-module": {
      required: { byteLength: isCount },
      optional: { offset: isCount },
    },
    "module-refused": {
      required: { reason: isShortText },
      optional: { feature: isShortText, offset: isCount },
    },
    "import-not-granted": {
      required: { missing: isArrayOf(isImport, 1_000_000) },
    },
    "export-not-found": {
      required: { name: isText },
      optional: { suggestion: isText },
    },
    "trap": {
      required: { export: isText, kind: isOneOf(["trap", "exception"]) },
    },
    "guest-protocol": {
      required: { export: isText, problem: isShortText },
    },
    "guest-error": {
      required: {
        export: isText,
        problem: (value) =>
          typeof value === "string" && value.length <= MAX_PROBLEM,
      },
    },
    "host-function-failed": { required: { import: isImport } },
    "limit-exceeded": {
      required: {
        limit: isShortText,
        allowed: isNumber,
        suggestion: isShortText,
      },
      optional: { used: isNumber },
    },
    "runtime-unavailable": {
      required: {
        runtime: isShortText,
        reason: isShortText,
        suggestion: isShortText,
      },
    },
    "unsupported": { required: { runtime: isShortText, feature: isShortText } },
    "capability-not-granted": AUDITED,
    "access-denied": AUDITED,
    "invalid-argument": {
      required: { operation: isShortText, problem: isShortText },
    },
    "guest-exit": { required: { exitCode: isCount } },
  });

/**
 * Makes an error out of what a child says went wrong.
 *
 * @param sent What it sent.
 * @returns The error; its texts are escaped.
 * @throws {ProtocolError} If a child cannot honestly say so.
 */
export function childError(sent: unknown): SandboxError {
  if (!isError(sent, MAX_CAUSES)) throw new ProtocolError("a malformed error");
  const plain = sent as SerializedError;
  const shape = plain.code === undefined ? undefined : DETAILS[plain.code];
  if (shape === undefined) {
    throw new ProtocolError(
      `an error of its own: ${printable(plain.message.slice(0, 400))}`,
    );
  }
  return SandboxError.fromJSON(escaped(plain));
}

function isError(value: unknown, depth: number): boolean {
  return depth >= 0 && isShaped({
    required: { name: isShortText, message: isText },
    optional: {
      code: (code) =>
        typeof code === "string" && Object.hasOwn(DETAILS, code) &&
        isShaped(DETAILS[code as SandboxErrorCode] ?? { required: {} })(
          (value as Header)["details"],
        ),
      details: (details) => typeof details === "object",
      cause: (cause) => isError(cause, depth - 1),
    },
  })(value);
}

/** Messages hold text of the guest's that was escaped; a liar's was not. */
function escaped(error: SerializedError): SerializedError {
  const { name, message, code, details, cause } = error;
  return {
    name: printable(name),
    message: printable(message.slice(0, MAX_MESSAGE)),
    ...(code === undefined ? {} : { code, details: escapedData(details) }),
    ...(cause === undefined ? {} : { cause: escaped(cause) }),
  };
}

function escapedData(value: unknown): unknown {
  if (typeof value === "string") return printable(value);
  if (Array.isArray(value)) return value.map(escapedData);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, escapedData(field)]),
  );
}
