/**
 * Resource limits: what a guest may use at the most.
 *
 * @module
 */

import { LIMIT_TABLE, type LimitEntry } from "./limit_table.ts";

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
   * Wall-clock time of one call or run, in milliseconds, host functions included.
   * `Infinity` is allowed only together with `fuel`.
   *
   * @default {5_000}
   */
  readonly timeoutMs?: number;
  /**
   * Fuel for all calls of a sandbox together: about one unit for each
   * instruction, see docs/limits.md. Costs some 10 % of speed together with a
   * deadline, and half of that without. Not counted unless given.
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
  /**
   * CPU time of the guest's process, in milliseconds, rounded up to whole
   * seconds; starting it counts too. Only in a process, where the machine can.
   * Not limited unless given.
   */
  readonly cpuMs?: number;
  /**
   * The guest's stack, in bytes, from 262,144 to 1,007,616. In a process only;
   * inline it is V8's own of some 984 KiB, which nobody can change.
   */
  readonly stackBytes?: number;
  /**
   * Files and directories that a WASI guest holds open at a time, mounts and
   * standard streams included. One more is refused with `EMFILE`, as an
   * operating system does.
   *
   * @default {256}
   */
  readonly openFiles?: number;
  /**
   * Bytes that a WASI guest writes to files in one run, or as one instance if
   * it is called and not run; growing a file without writing counts too.
   *
   * @default {67_108_864}
   */
  readonly writtenBytes?: number;
  /**
   * Files, directories and links that a WASI guest makes in one run, or as one
   * instance if it is called and not run.
   *
   * @default {10_000}
   */
  readonly fileEntries?: number;
  /**
   * Bytes of the standard input of one run.
   *
   * @default {67_108_864}
   */
  readonly stdinBytes?: number;
  /**
   * Bytes of the standard output of one run.
   *
   * @default {16_777_216}
   */
  readonly stdoutBytes?: number;
  /**
   * Bytes of the standard error of one run.
   *
   * @default {1_048_576}
   */
  readonly stderrBytes?: number;
  /**
   * Bytes that one call reads and writes through its streams, `source` and
   * `sink` together.
   *
   * @default {1_073_741_824}
   */
  readonly streamBytes?: number;
  /**
   * Calls of the host's functions, WASI's included, by one instance. Not
   * limited unless given: the deadline bounds them.
   */
  readonly hostCalls?: number;
  /**
   * Messages of one sandbox: requests, replies and those of its channel, in one
   * count. Not limited unless given.
   */
  readonly messages?: number;
  /**
   * Instances that a sandbox makes, one after the other. Not limited unless
   * given.
   */
  readonly instances?: number;
  /** Requests over the network, redirects included. Not limited unless given. */
  readonly networkRequests?: number;
  /**
   * Bytes over the network, both ways, heads and framing included. Not limited
   * unless given.
   */
  readonly networkBytes?: number;
}

/** Name of a limit. */
export type LimitName = keyof ResourceLimits;

/** Limits that do not hold unless they are given. */
export type OptionalLimitName =
  | "fuel"
  | "cpuMs"
  | "stackBytes"
  | "hostCalls"
  | "messages"
  | "instances"
  | "networkRequests"
  | "networkBytes";

/** Limits with every default filled in; some have none. */
export type ResolvedLimits =
  & Required<Omit<ResourceLimits, OptionalLimitName>>
  & Pick<ResourceLimits, OptionalLimitName>;

/** The limits of a sandbox that is given none. */
export const DEFAULT_LIMITS: ResolvedLimits = Object.freeze({
  memoryBytes: 64 * 2 ** 20,
  tableElements: 100_000,
  timeoutMs: 5_000,
  messageBytes: 2 ** 20,
  moduleBytes: 16 * 2 ** 20,
  functionBytes: 2 ** 18,
  openFiles: 256,
  writtenBytes: 64 * 2 ** 20,
  fileEntries: 10_000,
  stdinBytes: 64 * 2 ** 20,
  stdoutBytes: 16 * 2 ** 20,
  stderrBytes: 2 ** 20,
  streamBytes: 2 ** 30,
});

/**
 * Limits for common uses, to start from: `{ ...LIMIT_PRESETS.small }`.
 *
 * | preset | for |
 * | --- | --- |
 * | `small` | a function that is called often: 16 MiB, 0.1 s, little output |
 * | `standard` | the defaults |
 * | `large` | a program that works on files: 1 GiB, a minute, large modules |
 */
export const LIMIT_PRESETS: Readonly<
  Record<"small" | "standard" | "large", ResourceLimits>
> = Object.freeze({
  small: Object.freeze({
    memoryBytes: 16 * 2 ** 20,
    tableElements: 10_000,
    timeoutMs: 100,
    messageBytes: 64 * 2 ** 10,
    moduleBytes: 4 * 2 ** 20,
    openFiles: 16,
    writtenBytes: 2 ** 20,
    fileEntries: 100,
    stdinBytes: 2 ** 20,
    stdoutBytes: 2 ** 20,
    stderrBytes: 64 * 2 ** 10,
    streamBytes: 16 * 2 ** 20,
  }),
  standard: DEFAULT_LIMITS,
  large: Object.freeze({
    memoryBytes: 2 ** 30,
    tableElements: 1_000_000,
    timeoutMs: 60_000,
    messageBytes: 16 * 2 ** 20,
    moduleBytes: 128 * 2 ** 20,
    functionBytes: 2 ** 20,
    openFiles: 1_024,
    writtenBytes: 2 ** 30,
    fileEntries: 100_000,
    stdinBytes: 2 ** 30,
    stdoutBytes: 256 * 2 ** 20,
    stderrBytes: 16 * 2 ** 20,
    streamBytes: 64 * 2 ** 30,
  }),
});

/** What each limit may be set to. */
const RANGES: Readonly<Record<LimitName, LimitEntry>> = LIMIT_TABLE;

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
