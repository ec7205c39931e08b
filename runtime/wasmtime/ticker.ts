/**
 * The ticker: a thread that raises the epoch of the engines by one for each
 * millisecond, while a guest runs. Wasmtime's code looks at the epoch at the
 * beginning of each function and loop, and traps once it is beyond the
 * deadline of its store.
 *
 * @module
 */

import { TICK } from "./symbols.ts";

// words of the shared page
/** How many ticks there were; wraps around. */
const TICKS = 0;
/** How many calls run; {@linkcode ASLEEP} while the ticker must be woken. */
const RUNNING = 1;
const ASLEEP = -1;
/** 1 once the ticker runs, 2 if it cannot. */
const STATE = 2;
/** How many engines there are. */
const ENGINES = 3;
/** Never changed: to sleep on. */
const NEVER = 4;
/** Where the engines' addresses stand, of 64 bits each. */
const ADDRESSES_OFFSET = 64;
/** As many as there are modes, and some room. */
const MAX_ENGINES = 8;
const PAGE_BYTES = ADDRESSES_OFFSET + 8 * MAX_ENGINES;

/** How long to wait for the thread to start, in milliseconds. */
const START_TIMEOUT_MS = 10_000;
/** More than fits between two ticks that wrap around. */
const LONGEST_TICKS = 2 ** 30;

const PROGRAM = `
const { workerData: [path, buffer] } = require("node:worker_threads");
const words = new Int32Array(buffer);
const addresses = new BigUint64Array(buffer, ${ADDRESSES_OFFSET}, ${MAX_ENGINES});
const IDLE_LOOKS = 200;
/** What is missing after a pause of the whole machine is not made up for. */
const MOST_TICKS = 1000;
const { symbols } = open();

function open() {
  try {
    return Deno.dlopen(path, {
      ${TICK}: { parameters: ["pointer"], result: "void" },
    });
  } catch (error) {
    Atomics.store(words, ${STATE}, 2);
    Atomics.notify(words, ${STATE});
    throw error;
  }
}

let last = performance.now();
function look() {
  const now = performance.now();
  const passed = Math.floor(now - last);
  last = passed > MOST_TICKS ? now : last + passed;
  const ticks = Math.min(passed, MOST_TICKS);
  const engines = Atomics.load(words, ${ENGINES});
  for (let index = 0; index < engines; index++) {
    const engine = Deno.UnsafePointer.create(addresses[index]);
    for (let tick = 0; tick < ticks; tick++) symbols.${TICK}(engine);
  }
  Atomics.add(words, ${TICKS}, ticks);
}

Atomics.store(words, ${STATE}, 1);
Atomics.notify(words, ${STATE});
let idle = 0;
for (;;) {
  look();
  idle = Atomics.load(words, ${RUNNING}) === 0 ? idle + 1 : 0;
  if (idle < IDLE_LOOKS) Atomics.wait(words, ${NEVER}, 0, 1);
  else if (
    Atomics.compareExchange(words, ${RUNNING}, 0, ${ASLEEP}) === 0
  ) {
    Atomics.wait(words, ${RUNNING}, ${ASLEEP});
    idle = 0;
    last = performance.now();
  }
}
`;

/** A deadline, as a number of ticks. */
export interface Deadline {
  /** The tick at which it has passed. */
  readonly tick: number;
  /** How many ticks are left, one at least. */
  readonly ticksLeft: number;
  /** Whether it is that of a call around this one, which comes sooner. */
  readonly isOuter: boolean;
}

/** Keeps the time of all calls of one thread. */
export class Ticker {
  readonly #buffer: SharedArrayBuffer = new SharedArrayBuffer(PAGE_BYTES);
  readonly #words: Int32Array<SharedArrayBuffer> = new Int32Array(this.#buffer);
  /** The soonest deadline of the calls that this thread is in. */
  #soonest: number | undefined;
  #running = 0;

  /**
   * Starts a ticker. Its thread sleeps while no guest runs, and does not keep
   * the program from ending.
   *
   * @param path The library, which the thread keeps open.
   * @returns The ticker, once its thread runs.
   */
  static async start(path: string): Promise<Ticker> {
    const ticker = new Ticker();
    const words = ticker.#words;
    const { Worker } = await import("node:worker_threads");
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: [path, ticker.#buffer],
      env: {},
    });
    // told by the state; an event that nobody hears would end the program
    worker.on("error", () => {});
    const ready = Atomics.waitAsync(words, STATE, 0, START_TIMEOUT_MS);
    if (ready.async) await ready.value;
    // only now: waiting alone would not keep the program from ending
    worker.unref();
    if (Atomics.load(words, STATE) !== 1) {
      throw new Error("Cannot start the ticker: its thread does not answer");
    }
    return ticker;
  }

  /**
   * Raises the epoch of an engine from now on, for ever.
   *
   * @param engine Its address.
   */
  add(engine: bigint): void {
    const count = this.#words[ENGINES] ?? 0;
    if (count === MAX_ENGINES) throw new RangeError("Cannot add an engine");
    new BigUint64Array(this.#buffer, ADDRESSES_OFFSET)[count] = engine;
    Atomics.store(this.#words, ENGINES, count + 1);
  }

  /** Ticks so far; wraps around. */
  get ticks(): number {
    return this.#words[TICKS] ?? 0;
  }

  /**
   * Begins a call of this thread.
   *
   * @param timeoutMs Its deadline, from now.
   * @returns The deadline that holds: its own, or one around it.
   */
  arm(timeoutMs: number): Deadline {
    this.begin();
    const now = this.ticks;
    const own = Math.min(Math.ceil(timeoutMs), LONGEST_TICKS) + 1;
    const outer = this.#soonest === undefined
      ? LONGEST_TICKS + 1
      : Math.max(1, (this.#soonest - now) | 0);
    const isOuter = outer < own;
    const ticksLeft = isOuter ? outer : own;
    return { tick: (now + ticksLeft) | 0, ticksLeft, isOuter };
  }

  /** Notes that a call runs, in whatever thread. */
  begin(): void {
    if (this.#running++ > 0) return;
    if (Atomics.exchange(this.#words, RUNNING, 1) === ASLEEP) {
      Atomics.notify(this.#words, RUNNING);
    }
  }

  /** Notes that a call is over. */
  end(): void {
    if (--this.#running === 0) Atomics.store(this.#words, RUNNING, 0);
  }

  /**
   * Makes a deadline that of the calls within.
   *
   * @param tick The deadline of the call that begins to run in this thread, or
   * what was there before it.
   * @returns What was there before.
   */
  enter(tick: number | undefined): number | undefined {
    const before = this.#soonest;
    this.#soonest = tick;
    return before;
  }

  /** Whether a deadline has passed. */
  isPast(tick: number): boolean {
    return ((this.ticks - tick) | 0) >= 0;
  }

  /**
   * Waits in this thread.
   *
   * @param ms How long, in milliseconds.
   * @param tick The deadline, at which it ends.
   */
  sleep(ms: number, tick: number | undefined): void {
    const end = performance.now() + ms;
    for (let rest = ms; rest > 0; rest = end - performance.now()) {
      const left = tick === undefined ? Infinity : (tick - this.ticks) | 0;
      // the ticker may be a little behind
      if (left <= 0) return;
      Atomics.wait(this.#words, NEVER, 0, Math.min(rest, left));
    }
  }
}
