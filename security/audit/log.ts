/**
 * The audit log in memory.
 *
 * @module
 */

import type { AuditEvent, AuditSink } from "../types.ts";
import { wholeNumber } from "./_options.ts";

/** Options of {@linkcode AuditLog}. */
export interface AuditLogOptions {
  /**
   * Most events that are kept: a whole number from 1 to 1,000,000. The oldest
   * make room.
   *
   * @default {4096}
   */
  maxEvents?: number;
  /**
   * Called with each event, before the guest goes on. What it throws, and what
   * it rejects with, is counted and goes no further.
   */
  onEvent?: (event: AuditEvent) => unknown;
}

/** What an {@linkcode AuditLog} has counted. */
export interface AuditLogCounters {
  /** Events that were recorded. */
  readonly recorded: number;
  /** Events among them that are no longer kept. */
  readonly dropped: number;
  /** Events that came after the log was closed, and were not recorded. */
  readonly refused: number;
  /** How often `onEvent` failed. */
  readonly failures: number;
}

/** Events of a log, one after the other; see {@linkcode AuditLog}. */
export interface AuditIterator extends AsyncIterableIterator<AuditEvent> {
  /** Events that were dropped before this iterator came to them. */
  readonly missed: number;
}

const MAX_EVENTS = 1_000_000;

/**
 * Keeps the last events, for any number of readers.
 *
 * Each iterator begins at the oldest event that is kept, and waits for more
 * until the log is closed. All of them read the one buffer, so a slow one
 * costs no memory: it misses the oldest events, and says in `missed` how many.
 *
 * Recording takes the same short time always, and never throws. One log may
 * serve several sandboxes: the number of an event is within its sandbox.
 *
 * @example Usage
 * ```ts
 * import { AuditLog } from "@wasm-sandbox/core/security";
 * import { assertEquals } from "@std/assert";
 *
 * const log = new AuditLog({ maxEvents: 100 });
 * log.record({
 *   sequence: 1,
 *   time: new Date().toISOString(),
 *   sandbox: "one",
 *   decision: "denied",
 *   operation: "filesystem.read",
 *   capability: "filesystem",
 *   resource: "/etc/passwd",
 * });
 * log.close();
 *
 * const resources: string[] = [];
 * for await (const event of log) resources.push(event.resource);
 * assertEquals(resources, ["/etc/passwd"]);
 * ```
 */
export class AuditLog
  implements AuditSink, AsyncIterable<AuditEvent>, Disposable {
  readonly #ring: (AuditEvent | undefined)[] = [];
  readonly #maxEvents: number;
  readonly #onEvent: ((event: AuditEvent) => unknown) | undefined;
  /** Each is called once, when there is more or the end. */
  readonly #waiting = new Set<() => void>();
  #recorded = 0;
  #refused = 0;
  #failures = 0;
  #closed = false;

  /**
   * Constructs a new instance.
   *
   * @param options How much is kept, and who is told.
   * @throws {RangeError} If `maxEvents` is no whole number of that range.
   */
  constructor(options: AuditLogOptions = {}) {
    const { maxEvents = 4096, onEvent } = options;
    this.#maxEvents = wholeNumber("maxEvents", maxEvents, MAX_EVENTS);
    this.#onEvent = onEvent;
  }

  /** What was counted so far. */
  get counters(): AuditLogCounters {
    return {
      recorded: this.#recorded,
      dropped: this.#oldest,
      refused: this.#refused,
      failures: this.#failures,
    };
  }

  /** Whether the log was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes one event. Never throws. */
  record(event: AuditEvent): void {
    if (this.#closed) {
      this.#refused++;
      return;
    }
    this.#ring[this.#recorded++ % this.#maxEvents] = event;
    if (this.#waiting.size > 0) this.#wake();
    if (this.#onEvent !== undefined) this.#tell(this.#onEvent, event);
  }

  /**
   * The events that are kept.
   *
   * @returns A copy, the oldest first.
   */
  events(): AuditEvent[] {
    const kept: AuditEvent[] = [];
    for (let at = this.#oldest; at < this.#recorded; at++) {
      const event = this.#ring[at % this.#maxEvents];
      if (event !== undefined) kept.push(event);
    }
    return kept;
  }

  /** Takes no more events. Iterators end after what is kept. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Closes the log. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Reads the events that are kept, and then those to come.
   *
   * @returns An iterator of its own.
   */
  [Symbol.asyncIterator](): AuditIterator {
    return new LogIterator({
      event: (at) => this.#ring[at % this.#maxEvents],
      oldest: () => this.#oldest,
      end: () => this.#recorded,
      ended: () => this.#closed,
      wait: (wake) => this.#waiting.add(wake),
      leave: (wake) => this.#waiting.delete(wake),
    });
  }

  /** How many events have made room, and so the place of the oldest kept. */
  get #oldest(): number {
    return Math.max(0, this.#recorded - this.#maxEvents);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #tell(onEvent: (event: AuditEvent) => unknown, event: AuditEvent): void {
    try {
      const result = onEvent(event);
      if (result instanceof Promise) result.catch(() => this.#failures++);
    } catch {
      this.#failures++;
    }
  }
}

/** What an iterator sees of its log. Places count from 0, and never wrap. */
interface LogView {
  event(at: number): AuditEvent | undefined;
  oldest(): number;
  end(): number;
  ended(): boolean;
  wait(wake: () => void): void;
  leave(wake: () => void): void;
}

class LogIterator implements AuditIterator {
  readonly #log: LogView;
  #at = 0;
  #ended = false;
  #missed = 0;
  /** What ends the waits that are under way. */
  readonly #waits = new Set<() => void>();

  constructor(log: LogView) {
    this.#log = log;
    this.#at = log.oldest();
  }

  get missed(): number {
    return this.#missed;
  }

  async next(): Promise<IteratorResult<AuditEvent, undefined>> {
    while (!this.#ended) {
      const oldest = this.#log.oldest();
      if (this.#at < oldest) {
        this.#missed += oldest - this.#at;
        this.#at = oldest;
      }
      if (this.#at < this.#log.end()) {
        const value = this.#log.event(this.#at++);
        if (value !== undefined) return { done: false, value };
        continue;
      }
      if (this.#log.ended()) this.#ended = true;
      else await this.#more();
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<AuditEvent, undefined>> {
    this.#ended = true;
    for (const wake of this.#waits) {
      this.#log.leave(wake);
      wake();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waits.add(resolve);
    this.#log.wait(resolve);
    await promise;
    this.#waits.delete(resolve);
  }
}
