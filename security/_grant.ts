/** A capability in force, with what it counts. */

import { printable } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { defuse, messageOf } from "./_foreign.ts";
import { Input, isPlainObject } from "./_parse.ts";
import type { Capability, CapabilityKind, Operation } from "./types.ts";

/** Why an operation is not permitted; undefined, if it is. */
export type Refusal = string | SandboxError<"limit-exceeded"> | undefined;

/** What is used of a limit of a capability's own. */
export interface CounterUsage {
  /** The most that is allowed. */
  readonly allowed: number;
  /** What was used. */
  readonly used: number;
}

interface Counter {
  readonly limit: string;
  readonly allowed: number;
  used: number;
}

/** Why nothing of a type is permitted. */
export const NOT_GRANTED = "no capability of this type is granted";

/** Why it is not permitted, where nothing more can be said. */
const NOT_COVERED = "what is granted does not cover it";

/**
 * A capability in force. Whatever its kind throws or answers, it permits only
 * by a plain `true`, and nothing foreign gets out.
 */
export class Grant {
  readonly #capability: Capability;
  readonly #kind: CapabilityKind;
  readonly #counters: ReadonlyMap<string, Counter>;

  /**
   * Puts a capability in force.
   *
   * @throws {SandboxError} With code `invalid-capability`, if its counters make
   * no sense.
   */
  constructor(capability: Capability, kind: CapabilityKind, name: string) {
    this.#capability = capability;
    this.#kind = kind;
    this.#counters = readCounters(capability, kind, name);
  }

  /** Each counter with its full name. */
  *counters(): Iterable<readonly [string, CounterUsage]> {
    for (const { limit, allowed, used } of this.#counters.values()) {
      yield [limit, { allowed, used }];
    }
  }

  /** Decides, and counts what is permitted. */
  take(operation: Operation): Refusal {
    try {
      const answer: unknown = this.#kind.permits(this.#capability, operation);
      if (answer === true) {
        return this.#counters.size === 0 ? undefined : this.#charge(operation);
      }
      if (answer === false) return NOT_COVERED;
      defuse(answer);
      return "its kind gave no plain answer";
    } catch (error) {
      return `its kind failed: ${messageOf(error)}`;
    }
  }

  /** Counts all or nothing. */
  #charge(operation: Operation): Refusal {
    const costs: unknown = this.#kind.costs?.(this.#capability, operation) ??
      {};
    if (!isPlainObject(costs)) {
      defuse(costs);
      return "its kind gave no plain costs";
    }
    const charges: [Counter, number][] = [];
    for (const name of Object.keys(costs)) {
      const counter = this.#counters.get(name);
      const amount = costs[name];
      if (counter === undefined || !isAmount(amount)) {
        return "its kind gave costs that make no sense";
      }
      if (counter.used + amount > counter.allowed) {
        return usedUp(counter, amount);
      }
      charges.push([counter, amount]);
    }
    for (const [counter, amount] of charges) counter.used += amount;
    return undefined;
  }
}

function readCounters(
  capability: Capability,
  kind: CapabilityKind,
  name: string,
): ReadonlyMap<string, Counter> {
  const input = new Input(kind.type, capability);
  try {
    const declared: unknown = kind.counters?.(capability) ?? {};
    if (!isPlainObject(declared)) {
      defuse(declared);
      throw input.error("declares no counters");
    }
    return new Map(
      Object.keys(declared).map((key) => {
        const allowed = declared[key];
        if (!isAmount(allowed)) {
          throw input.error(`counts ${printable(key)} up to no whole number`);
        }
        return [key, { limit: `${name}.${printable(key)}`, allowed, used: 0 }];
      }),
    );
  } catch (error) {
    if (SandboxError.is(error, "invalid-capability")) throw error;
    throw input.error(`has a kind that failed: ${messageOf(error)}`, error);
  }
}

function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function usedUp(
  { limit, allowed, used }: Counter,
  amount: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "grant more of it in the policy";
  return new SandboxError(
    "limit-exceeded",
    `Cannot go on: the limit ${limit} of ${allowed} is used up (${suggestion})`,
    { details: { limit, allowed, used: used + amount, suggestion } },
  );
}
