/**
 * The audit log in files.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { AuditEvent, AuditSink } from "../types.ts";
import { MAX_FILES } from "./_files.ts";
import { eventFields, type Fields } from "./_lines.ts";
import { wholeNumber } from "./_options.ts";
import { Gap, type Pending, PendingQueue } from "./_queue.ts";
import { LogWriter } from "./_writer.ts";
import type { AuditSigner } from "./keys.ts";

/** Options of {@linkcode AuditFile.create}. */
export interface AuditFileOptions {
  /**
   * When a file is full, in bytes, from 1,024. It may be longer by two lines.
   *
   * @default {16_777_216}
   */
  maxBytes?: number;
  /**
   * Most files, the one that is written included: 1 to 1,000. With `audit.jsonl`
   * the older ones are `audit.1.jsonl`, `audit.2.jsonl` and so on; the oldest
   * is deleted.
   *
   * @default {4}
   */
  maxFiles?: number;
  /**
   * Most events that wait to be written: 1 to 1,000,000. Further ones are
   * dropped, and a line says how many.
   *
   * @default {8192}
   */
  maxPendingEvents?: number;
  /**
   * Whether each line holds the hash of the one before it.
   *
   * @default {true}
   */
  chain?: boolean;
  /** Signs the chain, if given; see `auditSigner`. */
  signer?: AuditSigner;
  /**
   * How many lines there are between signatures, 1 to 1,000,000.
   *
   * @default {1000}
   */
  signEvery?: number;
  /**
   * What is done about a part of a line at the end of the file, as a crash
   * leaves it: cut off, which a line of the log tells, or refused.
   *
   * @default {"repair"}
   */
  onPartialLine?: "repair" | "refuse";
  /** Told of each failure to write or to sign. What it throws is ignored. */
  onError?: (error: unknown) => void;
}

/** What an {@linkcode AuditFile} has counted. */
export interface AuditFileCounters {
  /** Events that are in the files. */
  readonly written: number;
  /** Events that wait. */
  readonly pending: number;
  /** Events that are in no file: too many waited, a write failed, it is closed. */
  readonly dropped: number;
  /** How often a write or a signature failed. */
  readonly failures: number;
}

const DEFAULT_MAX_BYTES = 16_777_216;
const MAX_COUNT = 1_000_000;

/** Lines that are encoded without a pause: some 5 ms. */
const BATCH = 512;

/**
 * Writes events to a file, one line of JSON each, in the background.
 *
 * Recording only queues, never waits and never throws. What cannot be written
 * is counted; a line tells how many events are missing there. All is ASCII:
 * whatever text a guest puts into a path, it stays within its line.
 *
 * With `chain`, which is on, no line can be changed, taken out or put in
 * without a trace for {@linkcode verifyAudit}, unless the whole rest of the
 * chain is made anew; with a `signer` that takes the private key. Lines at the
 * end that no signature follows yet can be cut off unseen.
 *
 * @example Usage
 * ```ts
 * import { AuditFile, verifyAudit } from "@wasm-sandbox/core/audit";
 * import { assert } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const path = `${folder}/audit.jsonl`;
 * {
 *   await using file = await AuditFile.create(path);
 *   file.record({
 *     sequence: 1,
 *     time: new Date().toISOString(),
 *     sandbox: "one",
 *     decision: "allowed",
 *     operation: "clock.read",
 *     capability: "clock",
 *     resource: "monotonic",
 *   });
 * }
 * assert((await verifyAudit([path])).ok);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class AuditFile implements AuditSink, AsyncDisposable {
  readonly #writer: LogWriter;
  readonly #queue: PendingQueue;
  readonly #onError: (error: unknown) => void;
  /** Events that were taken out of the queue and are not in the file yet. */
  #inFlight = 0;
  #written = 0;
  #dropped = 0;
  #failures = 0;
  #closing: Promise<void> | undefined;
  #draining: Promise<boolean> | undefined;

  private constructor(
    writer: LogWriter,
    maxPending: number,
    onError: (error: unknown) => void,
  ) {
    this.#writer = writer;
    this.#queue = new PendingQueue(maxPending);
    this.#onError = onError;
  }

  /**
   * Opens a file, or makes it, readable by this user only. A chain that it
   * holds already, or that its older files hold, is continued.
   *
   * @param path The file's path.
   * @param options Bounds, chain and signatures.
   * @returns The open file; dispose it when done.
   * @throws {RangeError} If a number is out of its range.
   * @throws {TypeError} If there is a signer, but no chain to sign.
   * @throws {SandboxError} With code `invalid-argument`, if the file cannot be
   * opened or continued, or something else writes to it.
   */
  static async create(
    path: string,
    options: AuditFileOptions = {},
  ): Promise<AuditFile> {
    const { chain = true, signer, maxPendingEvents = 8192 } = options;
    if (!chain && signer !== undefined) {
      throw new TypeError("Cannot sign an audit file without a chain");
    }
    const pending = ["maxPendingEvents", maxPendingEvents, MAX_COUNT] as const;
    const maxPending = wholeNumber(...pending);
    let onSignError = (_error: unknown) => {};
    const writer = new LogWriter(path, {
      onSignError: (error) => onSignError(error),
      chain,
      signer,
      repair: options.onPartialLine !== "refuse",
      maxBytes: maxBytesOf(options.maxBytes),
      maxFiles: wholeNumber("maxFiles", options.maxFiles ?? 4, MAX_FILES),
      signEvery: wholeNumber("signEvery", options.signEvery ?? 1000, MAX_COUNT),
    });
    try {
      await writer.open();
    } catch (cause) {
      throw cannotOpen(path, cause);
    }
    const onError = options.onError ?? (() => {});
    const file = new AuditFile(writer, maxPending, onError);
    onSignError = (error) => file.#fail(error);
    return file;
  }

  /** What was counted so far. */
  get counters(): AuditFileCounters {
    return {
      written: this.#written,
      pending: this.#queue.events + this.#inFlight,
      dropped: this.#dropped,
      failures: this.#failures,
    };
  }

  /** Takes one event, to be written soon. Never throws. */
  record(event: AuditEvent): void {
    if (this.#closing !== undefined || !this.#queue.push(event)) {
      this.#dropped++;
      return;
    }
    if (this.#draining === undefined) this.#drain();
  }

  /**
   * Waits until what was recorded is on the disk, or has failed to get there,
   * which the counters tell.
   */
  async flush(): Promise<void> {
    while (await this.#drain() && !this.#queue.isEmpty);
    await this.#attempt(() => this.#writer.sync());
  }

  /**
   * Writes what waits and a line that says that the log was closed, signed if
   * there is a signer. Closing again does nothing.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** Closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.flush();
    await this.#attempt(() => this.#writer.close());
    this.#dropped += this.#queue.clear();
  }

  /** Writes until the queue is empty or a write fails. One at a time. */
  #drain(): Promise<boolean> {
    this.#draining ??= this.#writeQueue();
    return this.#draining;
  }

  async #writeQueue(): Promise<boolean> {
    // not in the middle of the guest's call
    await Promise.resolve();
    try {
      while (!this.#queue.isEmpty) {
        if (!await this.#writeBatch(this.#queue.take(BATCH))) return false;
      }
      return true;
    } finally {
      // at once: what is recorded from here on starts anew
      this.#draining = undefined;
    }
  }

  async #writeBatch(items: readonly Pending[]): Promise<boolean> {
    let done = 0;
    this.#inFlight = eventsIn(items);
    const ok = await this.#attempt(() =>
      this.#writer.write(items.map(fieldsOf), (count) => {
        this.#written += eventsIn(items.slice(done, done + count));
        done += count;
        this.#inFlight = eventsIn(items.slice(done));
      })
    );
    this.#inFlight = 0;
    const lost = items.slice(done);
    this.#dropped += eventsIn(lost);
    this.#queue.putGap(missingIn(lost));
    return ok;
  }

  async #attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    this.#failures++;
    try {
      const result: unknown = this.#onError(error);
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // its own failure helps nobody here
    }
  }
}

function fieldsOf(item: Pending): Fields {
  if (item instanceof Gap) return gapFields(item.count);
  try {
    return eventFields(item);
  } catch {
    // no event, but something that throws when it is looked at
    return gapFields(1);
  }
}

function gapFields(count: number): Fields {
  return { type: "dropped", count, time: new Date().toISOString() };
}

function eventsIn(items: readonly Pending[]): number {
  return items.filter((item) => !(item instanceof Gap)).length;
}

/** Events that are not in the file if these lines are not. */
function missingIn(items: readonly Pending[]): number {
  return items.reduce(
    (sum, item) => sum + (item instanceof Gap ? item.count : 1),
    0,
  );
}

function maxBytesOf(maxBytes = DEFAULT_MAX_BYTES): number {
  if (Number.isSafeInteger(maxBytes) && maxBytes >= 1024) return maxBytes;
  throw new RangeError(
    `Cannot use maxBytes ${maxBytes}: it must be a whole number from 1024`,
  );
}

function cannotOpen(path: string, cause: unknown): SandboxError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot write the audit log ${quote(path)}: ${problem}`;
  return new SandboxError("invalid-argument", message, {
    cause,
    details: { operation: "AuditFile.create", problem },
  });
}
