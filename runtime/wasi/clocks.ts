/**
 * What a guest sees of time.
 *
 * @module
 */

import type { Capability, ClockCapability } from "../../security/types.ts";
import type { WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { WasiError } from "./errno.ts";

/** Clocks by their number, as the audit names them. */
const CLOCKS = Object.freeze(
  ["realtime", "monotonic", "process_cputime", "thread_cputime"] as const,
);

/** Name of a clock. */
export type ClockName = (typeof CLOCKS)[number];

const NS_PER_MS = 1_000_000;

/** What `performance.now` of Deno resolves, with a margin. */
const REAL_RESOLUTION_NS = 1_000n;

/** A monotonic clock starts here: Go takes 0 for a broken one. */
const MONOTONIC_START_NS = 1_000_000_000n;

/** Farthest that a virtual clock goes: more does not fit a signed number. */
const MAX_NS = 2n ** 63n - 1n;

/** How far the two clocks of the host may differ before the wall's counts. */
const MAX_DRIFT_MS = 10;

/**
 * The clocks of one guest. They say what the clock's capability says, and
 * without one nothing at all, not even by the times of files.
 *
 * Both clocks of CPU time give the time since the instance was made, which is
 * no less than what it used.
 */
export class GuestClock {
  readonly #mode: ClockCapability["mode"] | "none";
  readonly #stepNs: bigint;
  readonly #startNs: bigint;
  readonly #startedMs = performance.now();
  /** How far a virtual clock has moved. */
  #elapsedNs = 0n;

  /**
   * Constructs it.
   *
   * @param capabilities All that is granted; a policy has one clock at most.
   */
  constructor(capabilities: readonly Capability[]) {
    const granted = capabilities.find(isClock);
    this.#mode = granted?.mode ?? "none";
    this.#stepNs = BigInt(Math.max(1, Math.floor(granted?.resolutionNs ?? 1)));
    this.#startNs = BigInt(Math.floor(granted?.startMs ?? 0)) *
      BigInt(NS_PER_MS);
  }

  /** Whether it moves by sleeping, and not by itself. */
  get isVirtual(): boolean {
    return this.#mode === "virtual";
  }

  /**
   * Looks at a clock.
   *
   * @param clock Which.
   * @returns What it shows, in nanoseconds.
   * @throws {WasiError} NOTCAPABLE if it is not one that is shown.
   */
  now(clock: ClockName): bigint {
    this.#checkShown(clock);
    const now = this.#now(clock);
    if (this.isVirtual) this.advance(this.#stepNs);
    return now;
  }

  /** As {@linkcode GuestClock.now}, without moving a virtual clock. */
  peek(clock: ClockName): bigint {
    this.#checkShown(clock);
    return this.#now(clock);
  }

  /** The step of a clock, in nanoseconds. */
  resolution(clock: ClockName): bigint {
    this.#checkShown(clock);
    return this.#mode === "real" ? REAL_RESOLUTION_NS : this.#stepNs;
  }

  /** Moves a virtual clock. */
  advance(ns: bigint): void {
    const moved = this.#elapsedNs + ns;
    const most = MAX_NS - this.#startNs - MONOTONIC_START_NS;
    this.#elapsedNs = moved < most ? moved : most;
  }

  /**
   * How long a sleep really is: a coarse clock's ends with one of its steps.
   *
   * @param ns What was asked for.
   * @returns Nanoseconds.
   */
  sleepNs(ns: bigint): bigint {
    if (this.#mode !== "coarse") return ns;
    return (ns + this.#stepNs - 1n) / this.#stepNs * this.#stepNs;
  }

  /**
   * What the guest is told of a time of a file.
   *
   * @param ns The file's.
   * @param isMemory Whether it was made by this clock.
   * @returns Nanoseconds.
   */
  timestamp(ns: bigint, isMemory: boolean): bigint {
    if (this.#mode === "coarse") return ns - ns % this.#stepNs;
    return this.#mode === "real" || isMemory ? ns : 0n;
  }

  /** The time for files that change now; tells no more than the clock does. */
  fileTime(): bigint {
    return this.#mode === "none" ? 0n : this.#now("realtime");
  }

  #checkShown(clock: ClockName): void {
    const isCpu = clock === "process_cputime" || clock === "thread_cputime";
    if (this.#mode === "none" || (isCpu && this.#mode !== "real")) {
      throw new WasiError("NOTCAPABLE");
    }
  }

  #now(clock: ClockName): bigint {
    const start = clock === "realtime" ? this.#startNs : MONOTONIC_START_NS;
    if (this.isVirtual) return start + this.#elapsedNs;
    const now = clock === "realtime"
      ? toNs(wallMs())
      : MONOTONIC_START_NS + toNs(performance.now() - this.#startedMs);
    return this.#mode === "real" ? now : now - now % this.#stepNs;
  }
}

function isClock(capability: Capability): capability is ClockCapability {
  return capability.type === "clock";
}

/** The time of day, in fractions of milliseconds; follows a clock that is set. */
function wallMs(): number {
  const exact = performance.timeOrigin + performance.now();
  const wall = Date.now();
  return Math.abs(exact - wall) > MAX_DRIFT_MS ? wall : exact;
}

function toNs(ms: number): bigint {
  const whole = Math.floor(ms);
  // apart, as the product has more digits than a number holds
  return BigInt(whole) * BigInt(NS_PER_MS) +
    BigInt(Math.floor((ms - whole) * NS_PER_MS));
}

/**
 * A clock by its number.
 *
 * @param id The guest's number.
 * @returns Its name.
 * @throws {WasiError} INVAL.
 */
export function clockName(id: number): ClockName {
  const name = CLOCKS[id];
  if (name === undefined) throw new WasiError("INVAL");
  return name;
}

/** `clock_res_get` and `clock_time_get`. */
export function clockFunctions(
  { clock, decisions, memory }: WasiContext,
): WasiFunctions<"clock_res_get" | "clock_time_get"> {
  const readable = (id: number, via: string): ClockName => {
    const resource = clockName(id);
    decisions.demand({ capability: "clock", action: "read", resource, via });
    return resource;
  };
  return {
    clock_res_get(id, result) {
      memory.check(result, 8);
      memory.setU64(result, clock.resolution(readable(id, "clock_res_get")));
    },
    clock_time_get(id, _precision, result) {
      memory.check(result, 8);
      memory.setU64(result, clock.now(readable(id, "clock_time_get")));
    },
  };
}
