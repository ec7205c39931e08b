/**
 * Sizes, times and counts as people write them.
 *
 * @module
 */

const SIZE_UNITS: Readonly<Record<string, number>> = Object.freeze({
  "": 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
});

const DURATION_UNITS: Readonly<Record<string, number>> = Object.freeze({
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
});

const COUNT_UNITS: Readonly<Record<string, number>> = Object.freeze({
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
});

/** A number without a sign, and a unit. */
const QUANTITY = /^(\d+(?:_\d+)*)(?:\.(\d+))?(?:e(\d{1,2}))? ?([A-Za-z]*)$/;

/**
 * Reads a size in bytes.
 *
 * @param text Such as `64MiB` (of 1,048,576 bytes), `10MB` (of 1,000,000), or
 * `65536`.
 * @returns Bytes.
 * @throws {TypeError} If it is none; says what is.
 */
export function parseSize(text: string): number {
  return parse(text, SIZE_UNITS) ??
    fail(text, "a size", "65536, 512KiB, 64MiB, 1GiB or 10MB");
}

/**
 * Reads a duration.
 *
 * @param text Such as `500ms`, `1.5s`, `2m` or `1h`. The unit must be there.
 * @returns Milliseconds.
 * @throws {TypeError} If it is none; says what is.
 */
export function parseDuration(text: string): number {
  return parse(text, DURATION_UNITS) ??
    fail(text, "a duration of whole milliseconds", "500ms, 2s, 1.5s or 1m");
}

/**
 * Reads a count.
 *
 * @param text Such as `1_000_000`, `10M` or `5e6`.
 * @returns The count.
 * @throws {TypeError} If it is none; says what is.
 */
export function parseCount(text: string): number {
  return parse(text, COUNT_UNITS) ??
    fail(text, "a count", "1000000, 1_000_000, 500k, 10M or 5e6");
}

/** The whole number that is meant, or undefined. Exact: it counts in bigints. */
function parse(
  text: string,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const [, whole, fraction = "", exponent = "0", unit = ""] =
    QUANTITY.exec(text) ?? [];
  if (whole === undefined || !Object.hasOwn(units, unit)) return undefined;
  const digits = BigInt(whole.replaceAll("_", "") + fraction);
  const scaled = digits * BigInt(units[unit] ?? 1) * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(fraction.length);
  const value = Number(scaled / divisor);
  return scaled % divisor === 0n && Number.isSafeInteger(value)
    ? value
    : undefined;
}

function fail(text: string, what: string, accepted: string): never {
  throw new TypeError(
    `${JSON.stringify(text)} is not ${what} (write it like ${accepted})`,
  );
}

/**
 * Writes a size for people.
 *
 * @param bytes How many.
 * @returns Such as `64 MiB`; rounded to a decimal.
 */
export function formatSize(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes} B`;
  if (bytes < 2 ** 20) return `${round(bytes / 2 ** 10)} KiB`;
  if (bytes < 2 ** 30) return `${round(bytes / 2 ** 20)} MiB`;
  return `${round(bytes / 2 ** 30)} GiB`;
}

/**
 * Writes a duration for people.
 *
 * @param ms Milliseconds.
 * @returns Such as `1.2 s`; rounded to a decimal.
 */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${round(ms)} ms`;
  if (ms < 60_000) return `${round(ms / 1_000)} s`;
  return `${round(ms / 60_000)} min`;
}

/**
 * Writes a count for people.
 *
 * @param count How many.
 * @returns Such as `1,000,000`.
 */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/**
 * Writes a size so that it is read as the same number.
 *
 * @param bytes How many.
 * @returns Such as `64MiB`, or the number.
 */
export function writeSize(bytes: number): string | number {
  return exact(bytes, [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) ??
    bytes;
}

/**
 * Writes a duration so that it is read as the same number.
 *
 * @param ms Milliseconds.
 * @returns Such as `1m`, `2s` or `1500ms`.
 */
export function writeDuration(ms: number): string {
  return exact(ms, [[3_600_000, "h"], [60_000, "m"], [1_000, "s"]]) ??
    `${ms}ms`;
}

function exact(
  amount: number,
  units: readonly (readonly [number, string])[],
): string | undefined {
  if (amount === 0) return undefined;
  const [size, unit] = units.find(([each]) => amount % each === 0) ?? [];
  return size === undefined ? undefined : `${amount / size}${unit}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
