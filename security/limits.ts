/**
 * Resource limits: what a guest may use at the most.
 *
 * @module
 */

/** What a guest may use at the most. What is left out has its default. */
export interface ResourceLimits {
  /**
   * Linear memory of one instance, all its memories together, in bytes.
   * Rounded down to whole pages of 65,536 bytes.
   *
   * @default {67_108_864}
   */
  readonly memoryBytes?: number;
  /**
   * Elements of all tables of one instance together.
   *
   * @default {100_000}
   */
  readonly tableElements?: number;
  /**
   * Wall-clock time of one call, in milliseconds, host functions included.
   * `Infinity` is allowed only together with `fuel`.
   *
   * @default {5_000}
   */
  readonly timeoutMs?: number;
  /**
   * Fuel for all calls of a sandbox together: about one unit for each
   * instruction, see docs/limits.md. Costs some 10 % of speed. Not counted
   * unless given.
   */
  readonly fuel?: number;
  /**
   * Longest request and longest reply of a call by JSON or bytes, in bytes.
   * A reply is parsed after the deadline is off: some 0.1 s and 64 MiB for the
   * worst of 1 MiB.
   *
   * @default {1_048_576}
   */
  readonly messageBytes?: number;
  /**
   * Longest module, in bytes.
   *
   * @default {16_777_216}
   */
  readonly moduleBytes?: number;
  /**
   * Longest function of a module, in bytes. The engine compiles a function as
   * a whole at its first call, and nothing can interrupt it: up to 0.3 s for
   * 256 KiB; it optimizes it later in threads of its own.
   *
   * @default {262_144}
   */
  readonly functionBytes?: number;
}

/** Name of a limit. */
export type LimitName = keyof ResourceLimits;

/** Limits with every default filled in; there is none for `fuel`. */
export type ResolvedLimits =
  & Required<Omit<ResourceLimits, "fuel">>
  & Pick<ResourceLimits, "fuel">;

/** The limits of a sandbox that is given none. */
export const DEFAULT_LIMITS: ResolvedLimits = Object.freeze({
  memoryBytes: 64 * 2 ** 20,
  tableElements: 100_000,
  timeoutMs: 5_000,
  messageBytes: 2 ** 20,
  moduleBytes: 16 * 2 ** 20,
  functionBytes: 2 ** 18,
});

interface Range {
  readonly min: number;
  readonly max: number;
}

/** What each limit may be set to. Timers of more than 2³¹ ms fire at once. */
const RANGES: Readonly<Record<LimitName, Range>> = Object.freeze({
  memoryBytes: { min: 0, max: 4 * 2 ** 30 },
  tableElements: { min: 0, max: 10_000_000 },
  timeoutMs: { min: 1, max: 2 ** 31 - 1 },
  fuel: { min: 0, max: Number.MAX_SAFE_INTEGER },
  messageBytes: { min: 0, max: 512 * 2 ** 20 },
  moduleBytes: { min: 8, max: 2 ** 30 },
  functionBytes: { min: 1, max: 7_000_000 },
});

/** Every limit's name. */
export const LIMIT_NAMES: readonly LimitName[] = Object.freeze(
  Object.keys(RANGES) as LimitName[],
);

/**
 * Checks limits and fills in the defaults.
 *
 * @example Usage
 * ```ts
 * import { resolveLimits } from "@wasm-sandbox/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(resolveLimits({ timeoutMs: 100 }).timeoutMs, 100);
 * assertEquals(resolveLimits({}).memoryBytes, 64 * 2 ** 20);
 * ```
 *
 * @param limits What the caller gave.
 * @returns All limits, frozen.
 * @throws {TypeError} If a name is no limit or a value no whole number.
 * @throws {RangeError} If a value is out of range.
 */
export function resolveLimits(limits: ResourceLimits): ResolvedLimits {
  for (const name in limits) {
    if (!Object.hasOwn(RANGES, name)) {
      throw new TypeError(
        `Cannot set limit "${name}": known are ${LIMIT_NAMES.join(", ")}`,
      );
    }
  }
  const resolved: Record<string, number> = { ...DEFAULT_LIMITS };
  for (const name of LIMIT_NAMES) {
    // by name, so that what is inherited or computed counts too
    const value = limits[name];
    if (value === undefined) continue;
    checkLimit(name, value, limits);
    resolved[name] = value;
  }
  return Object.freeze(resolved) as unknown as ResolvedLimits;
}

function checkLimit(
  name: LimitName,
  value: unknown,
  limits: ResourceLimits,
): void {
  if (name === "timeoutMs" && value === Infinity && limits.fuel !== undefined) {
    return;
  }
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new TypeError(
      `Cannot set limit "${name}" to ${String(value)}: not a whole number` +
        (name === "timeoutMs" && value === Infinity
          ? " (a call without a deadline needs a limit of fuel)"
          : ""),
    );
  }
  const { min, max } = RANGES[name];
  if (value < min || value > max) {
    throw new RangeError(
      `Cannot set limit "${name}" to ${value}: must be from ${min} to ${max}`,
    );
  }
}
