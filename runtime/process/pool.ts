/**
 * Processes that are ready before they are needed.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { OperationOptions } from "../types.ts";
import { ChildProcess } from "./child_process.ts";
import type { Launch } from "./launch.ts";
import { loadProgram } from "./program.ts";

/** Options of {@linkcode ProcessPool}. */
export interface ProcessPoolOptions {
  /**
   * How many processes to keep ready. They are of the kind that was asked for
   * last: permissions and limits are fixed when a process starts.
   *
   * @default {1}
   */
  readonly spares?: number;
  /**
   * Most processes at a time, ready ones included.
   *
   * @default {64}
   */
  readonly maxProcesses?: number;
  /**
   * What happens to those who ask for one more.
   *
   * @default {"wait"}
   */
  readonly whenFull?: "wait" | "refuse";
}

/** Somebody who waits for a process to end. */
type Waiter = () => void;

/**
 * Keeps processes ready for guests, and bounds how many there are. A process is
 * given to one guest only, ever: what a guest may have done to it is not
 * guessed at.
 *
 * @example Usage
 * ```ts
 * import { ProcessPool } from "@wasm-sandbox/core/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * await using pool = new ProcessPool({ spares: 2, maxProcesses: 8 });
 * assertEquals(pool.size, 0); // nothing starts before the first sandbox
 * ```
 */
export class ProcessPool implements AsyncDisposable {
  readonly #maxSpares: number;
  readonly #maxProcesses: number;
  readonly #waits: boolean;
  readonly #children = new Set<ChildProcess>();
  #spares: readonly ChildProcess[] = [];
  /** Those that are being started. */
  #starting = 0;
  #refills = new Set<Promise<void>>();
  /** Those that are being let go, of which something is left yet. */
  readonly #endings = new Set<Promise<void>>();
  readonly #waiters: Waiter[] = [];
  readonly #disposal = new AbortController();

  /**
   * Constructs an empty pool; nothing starts yet.
   *
   * @param options How many processes there may be.
   * @throws {RangeError} If a number is out of range.
   * @throws {TypeError} If `whenFull` is neither.
   */
  constructor(options: ProcessPoolOptions = {}) {
    const { spares = 1, maxProcesses = 64, whenFull = "wait" } = options;
    check("spares", spares, 0);
    check("maxProcesses", maxProcesses, 1);
    if (whenFull !== "wait" && whenFull !== "refuse") {
      throw new TypeError(
        `Cannot make a pool: whenFull is ${quote(String(whenFull))}, not ` +
          '"wait" or "refuse"',
      );
    }
    this.#maxSpares = spares;
    this.#maxProcesses = maxProcesses;
    this.#waits = whenFull === "wait";
  }

  /** How many processes there are, those that are starting included. */
  get size(): number {
    return this.#children.size + this.#starting;
  }

  /** How many of them are ready and not in use. */
  get ready(): number {
    return this.#spares.length;
  }

  /**
   * Gives a process that no guest has run in. Dispose it, never return it.
   *
   * @param launch How it must have been started.
   * @param options Cancellation.
   * @returns The process.
   * @throws {SandboxError} With code `limit-exceeded` if there are too many,
   * `process-failed` or `disposed`.
   * @ignore For sandboxes alone.
   */
  async acquire(
    launch: Launch,
    options: OperationOptions = {},
  ): Promise<ChildProcess> {
    for (;;) {
      this.#use();
      options.signal?.throwIfAborted();
      const child = this.#takeSpare(launch.key) ??
        (this.#hasRoom() ? await this.#start(launch, options) : undefined);
      if (child?.isAlive) {
        this.#refill(launch);
        return child;
      }
      if (child === undefined) await this.#wait(options);
    }
  }

  /** Ends every process, those in use included. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    for (const waiter of this.#waiters.splice(0)) waiter();
    await Promise.all(this.#refills);
    await Promise.all(
      [...this.#children].map((child) => child[Symbol.asyncDispose]()),
    );
    await Promise.all(this.#endings);
  }

  #takeSpare(key: string): ChildProcess | undefined {
    const spare = this.#spares.find((child) => child.launch.key === key);
    this.#spares = this.#spares.filter((child) => child !== spare);
    return spare;
  }

  /** Whether one more may start; one that is ready for others gives way. */
  #hasRoom(): boolean {
    if (this.size < this.#maxProcesses) return true;
    const [oldest] = this.#spares;
    if (oldest === undefined) return false;
    this.#drop(oldest);
    return true;
  }

  async #start(
    launch: Launch,
    { signal }: OperationOptions,
  ): Promise<ChildProcess> {
    this.#starting++;
    const disposal = this.#disposal.signal;
    try {
      const child = await ChildProcess.start(launch, {
        program: await loadProgram(),
        signal: signal ? AbortSignal.any([signal, disposal]) : disposal,
      });
      // disposed at the very moment at which it was ready
      if (disposal.aborted) await child[Symbol.asyncDispose]();
      this.#use();
      this.#children.add(child);
      child.gone.then(() => this.#forget(child));
      return child;
    } catch (error) {
      this.#use();
      throw error;
    } finally {
      this.#starting--;
      this.#waiters.shift()?.();
    }
  }

  /** Starts what is missing of the ready ones, and lets nobody wait for it. */
  #refill(launch: Launch): void {
    const mine = this.#spares.filter(({ launch: { key } }) =>
      key === launch.key
    );
    if (this.#refills.size > 0 || mine.length >= this.#maxSpares) return;
    if (this.#spares.length >= this.#maxSpares) {
      const other = this.#spares.find((child) => !mine.includes(child));
      if (other !== undefined) this.#drop(other);
    }
    if (this.size >= this.#maxProcesses || this.#disposal.signal.aborted) {
      return;
    }
    const refill = this.#start(launch, {}).then(
      (child) => {
        this.#refills.delete(refill);
        if (!child.isAlive) return;
        this.#spares = [...this.#spares, child];
        // whoever waits may be glad of it
        this.#waiters.shift()?.();
        this.#refill(launch);
      },
      // the next one who asks for it is told why
      () => void this.#refills.delete(refill),
    );
    this.#refills.add(refill);
  }

  /** One that has ended makes room; if it was ready, another takes its place. */
  #forget(child: ChildProcess): void {
    this.#children.delete(child);
    const wasSpare = this.#spares.includes(child);
    this.#spares = this.#spares.filter((spare) => spare !== child);
    this.#end(child);
    if (wasSpare) this.#refill(child.launch);
    this.#waiters.shift()?.();
  }

  #drop(spare: ChildProcess): void {
    this.#spares = this.#spares.filter((child) => child !== spare);
    this.#children.delete(spare);
    this.#end(spare);
  }

  /** Whoever disposes the pool waits for it, and nobody else. */
  #end(child: ChildProcess): void {
    const ending = child[Symbol.asyncDispose]().finally(() => {
      this.#endings.delete(ending);
    });
    this.#endings.add(ending);
  }

  async #wait({ signal }: OperationOptions): Promise<void> {
    if (!this.#waits) throw tooMany(this.#maxProcesses);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push(resolve);
    signal?.addEventListener("abort", resolve as () => void);
    await promise;
    signal?.removeEventListener("abort", resolve as () => void);
    const place = this.#waiters.indexOf(resolve);
    if (place >= 0) this.#waiters.splice(place, 1);
    // what this one was woken for is another's
    if (signal?.aborted) this.#waiters.shift()?.();
  }

  #use(): void {
    if (!this.#disposal.signal.aborted) return;
    throw new SandboxError(
      "disposed",
      "Cannot start a process: the pool is disposed",
      { details: { kind: "pool" } },
    );
  }
}

function check(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new RangeError(
    `Cannot make a pool with ${name} of ${value}: must be a whole number from ${min}`,
  );
}

function tooMany(allowed: number): SandboxError<"limit-exceeded"> {
  const suggestion = "raise maxProcesses, or dispose other sandboxes";
  return new SandboxError(
    "limit-exceeded",
    `Cannot start a process: there are ${allowed} already (${suggestion})`,
    { details: { limit: "processes", allowed, suggestion } },
  );
}
