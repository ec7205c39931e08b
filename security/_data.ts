/** Plain data: what is the same in JSON, in YAML and in another process. */

import { SandboxError } from "../errors.ts";
import { Input, isPlainObject } from "./_parse.ts";

/** Deepest nesting of a capability. */
const MAX_DEPTH = 16;

/** Most values in a capability: one object may stand in many places. */
const MAX_VALUES = 100_000;

/**
 * Copies plain data and freezes the copy. Properties without a value are left
 * out, as JSON does.
 *
 * @throws {SandboxError} With code `invalid-capability`, for anything else.
 */
export function copyData(capability: string, value: unknown): unknown {
  const root = new Input(capability, value);
  try {
    return new Copier().copy(root, MAX_DEPTH);
  } catch (error) {
    if (SandboxError.is(error)) throw error;
    throw root.error("cannot be read", error);
  }
}

class Copier {
  #left = MAX_VALUES;

  copy(place: Input, depth: number): unknown {
    if (depth === 0 || --this.#left < 0) {
      throw place.error("is too much: too deep, or too many values");
    }
    const { value } = place;
    if (Array.isArray(value)) {
      return place.list((item) => this.copy(item, depth - 1));
    }
    if (isPlainObject(value)) {
      const fields = place.record((item) => this.copy(item, depth - 1));
      const given = Object.entries(fields).filter(([, each]) =>
        each !== undefined
      );
      return Object.freeze(Object.fromEntries(given));
    }
    const isData = typeof value === "string" || typeof value === "boolean" ||
      value === null || value === undefined || Number.isFinite(value);
    if (!isData) throw place.error("must be plain data, as in JSON");
    return value;
  }
}

/** Whether two values of plain data are the same, in any order of keys. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length &&
      a.every((item, index) => sameData(item, b[index]));
  }
  if (!isPlainObject(a) || !isPlainObject(b)) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameData(a[name], b[name]));
}

/** The items of both lists, those that are the same only once. */
export function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  const seen = new Set(a.map(keyOf));
  return [...a, ...b.filter((item) => !seen.has(keyOf(item)))];
}

/** The same text for the same plain data, in any order of keys. */
function keyOf(value: unknown): string {
  return JSON.stringify(
    value,
    (_, each) =>
      isPlainObject(each)
        ? Object.entries(each).sort(([one], [other]) => one < other ? -1 : 1)
        : each,
  );
}
