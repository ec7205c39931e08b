/**
 * What a guest did, summed up: the ground that policies are learned on.
 *
 * @module
 */

import type { AuditEvent, AuditSink, Operation } from "../types.ts";
import { wholeNumber } from "./_options.ts";

/** Options of {@linkcode AuditRecorder}. */
export interface AuditRecorderOptions {
  /**
   * Most different operations that are kept, 1 to 1,000,000. With more than
   * that nothing can be learned.
   *
   * @default {100_000}
   */
  maxOperations?: number;
}

/** An operation, and what became of it. */
export interface RecordedOperation extends Operation {
  /** Whether it was permitted. */
  readonly allowed: boolean;
  /** How often it was asked for. */
  readonly count: number;
}

/** An operation while it is counted. */
interface Counted extends Operation {
  readonly allowed: boolean;
  count: number;
}

const MAX_OPERATIONS = 1_000_000;

/** Most text of all operations together, in UTF-16 units. */
const MAX_UNITS = 67_108_864;

/**
 * Keeps each different operation once, however often it is asked for. Give it
 * to a sandbox as its sink, and then to `learnPolicy`.
 */
export class AuditRecorder implements AuditSink {
  readonly #operations = new Map<string, Counted>();
  readonly #maxOperations: number;
  /** By sandbox: how many events came, and the highest of their numbers. */
  readonly #sandboxes = new Map<string, { count: number; highest: number }>();
  #units = 0;
  #overflowed = false;

  /**
   * Constructs a new instance.
   *
   * @param options How much is kept.
   * @throws {RangeError} If `maxOperations` is no whole number of that range.
   */
  constructor(options: AuditRecorderOptions = {}) {
    const { maxOperations = 100_000 } = options;
    this.#maxOperations = wholeNumber(
      "maxOperations",
      maxOperations,
      MAX_OPERATIONS,
    );
  }

  /** Why this is not all that the guests did; undefined, if it is. */
  get problem(): string | undefined {
    if (this.#overflowed) {
      return `there were more than ${this.#maxOperations} different ` +
        "operations, or their names are too long";
    }
    for (const { count, highest } of this.#sandboxes.values()) {
      if (count < highest) return `${highest - count} events are missing`;
    }
    return undefined;
  }

  /** Takes one event. */
  record(event: AuditEvent): void {
    this.#count(event);
    // a line of a log is no operation that a policy could grant
    if (event.decision === "logged") return;
    const { operation, resource, via = "", decision } = event;
    const key = `${decision}\0${operation}\0${via}\0${resource}`;
    const known = this.#operations.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    this.#units += key.length;
    if (
      this.#operations.size >= this.#maxOperations || this.#units > MAX_UNITS
    ) this.#overflowed = true;
    else this.#operations.set(key, counted(event));
  }

  /**
   * What was asked for.
   *
   * @returns Each operation once, in the order in which they came.
   */
  operations(): RecordedOperation[] {
    return Array.from(this.#operations.values(), (each) => ({ ...each }));
  }

  #count({ sandbox, sequence }: AuditEvent): void {
    const seen = this.#sandboxes.get(sandbox);
    if (seen === undefined) {
      this.#sandboxes.set(sandbox, { count: 1, highest: sequence });
      return;
    }
    seen.count++;
    seen.highest = Math.max(seen.highest, sequence);
  }
}

function counted(event: AuditEvent): Counted {
  const { capability, operation, resource, via, decision } = event;
  return {
    capability,
    action: operation.slice(capability.length + 1),
    resource,
    ...(via === undefined ? {} : { via }),
    allowed: decision === "allowed",
    count: 1,
  };
}
