/**
 * Equality as `@std/assert` means it.
 *
 * It differs from `node:assert` in what tests feel: 0 equals -0, an object
 * without a prototype equals a plain one, and inherited getters count.
 *
 * @module
 */

/** Compared by their text, as their state is hidden. */
const TEXTUAL = [RegExp, URL, URLSearchParams];

/**
 * Compares two values by structure.
 *
 * @param a Any value.
 * @param b Any value.
 * @returns Whether they are equal.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, seen: Map<object, object>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || !samePrototype(a, b)) return false;
  if (seen.get(a) === b) return true;
  if (a instanceof Date) return Object.is(a.getTime(), Number(b));
  if (TEXTUAL.some((type) => a instanceof type)) return `${a}` === `${b}`;
  if (isBuffer(a) && isBuffer(b)) {
    return equal([...new Uint8Array(a)], [...new Uint8Array(b)]);
  }
  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) {
    return equal(Array.from(a as Uint8Array), Array.from(b as Uint8Array));
  }
  seen.set(a, b);
  if (
    a instanceof Map && b instanceof Map || a instanceof Set && b instanceof Set
  ) {
    return compareCollections([...a], [...b], seen);
  }
  return compareKeys(a, b, seen);
}

function compareCollections(
  a: readonly unknown[],
  b: readonly unknown[],
  seen: Map<object, object>,
): boolean {
  return a.length === b.length &&
    a.every((left) => b.some((right) => compare(left, right, seen)));
}

function compareKeys(a: object, b: object, seen: Map<object, object>): boolean {
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  return [...keysOf(a).union(keysOf(b))].every((key) =>
    key in a && key in b &&
    compare(Reflect.get(a, key), Reflect.get(b, key), seen)
  );
}

function keysOf(value: object): Set<string | symbol> {
  const keys = new Set<string | symbol>();
  let at: object | null = value;
  while (at !== null && at !== Object.prototype && at !== Array.prototype) {
    for (const key of Reflect.ownKeys(at)) keys.add(key);
    at = Object.getPrototypeOf(at);
  }
  return keys;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isBuffer(value: object): value is ArrayBuffer | SharedArrayBuffer {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

function samePrototype(a: object, b: object): boolean {
  const plain = (value: object) =>
    Object.getPrototypeOf(value) ?? Object.prototype;
  return plain(a) === plain(b);
}
