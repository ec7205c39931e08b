/** What a pool is made from, read once: each guest is made from the same. */

import type { ModuleSource, OperationOptions } from "../../runtime/types.ts";
import { readSource } from "../../runtime/v8/source.ts";
import { resolveLimits } from "../../security/limits.ts";
import type { GuestOptions } from "../guest_options.ts";

/** What is data or a table of functions, and how deep it is one. */
const TABLES: readonly (readonly [keyof GuestOptions, number])[] = [
  ["limits", 1],
  ["features", 1],
  ["need", 1],
  ["abi", 1],
  ["policy", 1],
  ["hostFunctions", 1],
  ["imports", 2],
  ["linked", 1],
];

/**
 * Reads the modules, and copies what somebody could change before the last
 * guest is made.
 *
 * @typeParam O The options.
 * @param given The options.
 * @param operation Cancellation.
 * @returns The same, with the modules as bytes.
 */
export async function readOnce<O extends GuestOptions>(
  given: O,
  { signal }: OperationOptions,
): Promise<O> {
  const tables = TABLES.filter(([name]) => given[name] !== undefined)
    .map(([name, depth]) => [name, copied(given[name], depth)]);
  const copy: O = { ...given, ...Object.fromEntries(tables) };
  const { moduleBytes: maxBytes } = resolveLimits(copy.limits ?? {});
  const read = (source: ModuleSource) =>
    readSource(source, { maxBytes, signal });
  const linked: [string, Uint8Array][] = [];
  for (const [name, source] of Object.entries(copy.linked ?? {})) {
    linked.push([name, await read(source)]);
  }
  return {
    ...copy,
    module: await read(copy.module),
    ...(copy.linked && { linked: Object.fromEntries(linked) }),
  };
}

/** Copies lists and plain objects so deep; what has a class is left as it is. */
function copied(value: unknown, depth: number): unknown {
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((it) => copied(it, depth - 1));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, it]) => [name, copied(it, depth - 1)]),
  );
}
