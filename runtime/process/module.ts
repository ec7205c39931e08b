/**
 * What a child says of its module.
 *
 * @module
 */

import type { Module } from "../types.ts";
import { FEATURES } from "../v8/features.ts";
import { KINDS } from "../v8/layout.ts";
import {
  type Check,
  isArrayOf,
  isBoolean,
  isCount,
  isOneOf,
  isShaped,
  isText,
} from "./check.ts";
import { ProtocolError } from "./frames.ts";
import type { SentModule } from "./messages.ts";

const MAX_ENTRIES = 1_000_000;

const isTypes: Check = isArrayOf(
  isOneOf(["i32", "i64", "f32", "f64", "other"]),
  1_000,
);
const isSignature = isShaped({
  required: { params: isTypes, results: isTypes },
});
const isKind = isOneOf(KINDS);

const isModule: Check = isShaped({
  required: {
    imports: isArrayOf(
      isShaped({
        required: { module: isText, name: isText, kind: isKind },
        optional: { signature: isSignature },
      }),
      MAX_ENTRIES,
    ),
    exports: isArrayOf(
      isShaped({
        required: { name: isText, kind: isKind },
        optional: { signature: isSignature },
      }),
      MAX_ENTRIES,
    ),
    memories: isArrayOf(
      isShaped({
        required: { minPages: isCount },
        optional: { maxPages: isCount },
      }),
      MAX_ENTRIES,
    ),
    features: isArrayOf(isOneOf(FEATURES), FEATURES.length),
    hasStart: isBoolean,
    asks: isBoolean,
  },
});

/** What a child says of its module. */
export interface ParsedModule {
  /** The module. */
  readonly module: Module;
  /** Whether it, or one that it imports from, asks for services. */
  readonly asks: boolean;
}

/**
 * Reads what a child says of its module.
 *
 * @param body JSON, or anything.
 * @param byteLength Length of the module, which the host knows.
 * @returns The module, and whether it asks for services.
 * @throws {ProtocolError} If it says something else.
 */
export function parseModule(
  body: Uint8Array,
  byteLength: number,
): ParsedModule {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new ProtocolError("a module that is no JSON", { cause });
  }
  if (!isModule(data)) throw new ProtocolError("a malformed module");
  const { asks, ...module } = data as SentModule;
  return { module: Object.freeze({ ...module, byteLength }), asks };
}
