/**
 * The watchdog: a thread that sets the flag when a deadline has passed.
 *
 * Host and watchdog share one page of memory, which every guest also imports
 * to read its first word. Each call that runs has a slot with a number of its
 * own; arming and disarming are one atomic exchange each, and read no clock:
 * the watchdog looks every millisecond, and counts from when it first saw the
 * call. To stop a call it first exchanges the number in its slot for the
 * negative one, which fails if the call has returned; so a call that has
 * returned is never killed, and neither is the one after it.
 *
 * @module
 */

// words of the shared page
/** 1 while guests may run, 0 once a deadline has passed. */
export const FLAG = 0;
/** 1 once the watchdog runs. */
const READY = 1;
/**
 * One word for each nested call: its number while it runs, the negative number
 * once it is late, 0 for none. The first is {@linkcode ASLEEP} while the
 * watchdog sleeps and must be woken.
 */
export const SLOTS = 16;
const ASLEEP = -(2 ** 31);
/** One word for each nested call: its number once the flag is set for it. */
export const ACKS = 80;
/** How deep calls of guests may nest: guest, host function, guest, … */
const MAX_DEPTH = 64;
/** Where the deadlines stand, as 64-bit floating-point numbers. */
const BUDGETS_OFFSET = 1024;

/** How long to wait for the thread to start, in milliseconds. */
const START_TIMEOUT_MS = 10_000;

const PROGRAM = `
const { workerData: buffer } = require("node:worker_threads");
const words = new Int32Array(buffer);
const budgets = new Float64Array(buffer, ${BUDGETS_OFFSET}, ${MAX_DEPTH});
const seen = new Int32Array(${MAX_DEPTH});
const since = new Float64Array(${MAX_DEPTH});
const IDLE_LOOKS = 200;
let idle = 0;

function look() {
  const now = performance.now();
  for (let depth = 0; depth < ${MAX_DEPTH}; depth++) {
    const slot = ${SLOTS} + depth;
    const call = Atomics.load(words, slot);
    if (call === 0) return depth > 0;
    if (call < 0) continue;
    if (call !== seen[depth]) {
      seen[depth] = call;
      since[depth] = now;
    } else if (
      now - since[depth] >= budgets[depth] &&
      Atomics.compareExchange(words, slot, call, -call) === call
    ) {
      Atomics.store(words, ${FLAG}, 0);
      Atomics.store(words, ${ACKS} + depth, call);
      Atomics.notify(words, ${FLAG});
    }
  }
  return true;
}

Atomics.store(words, ${READY}, 1);
Atomics.notify(words, ${READY});
for (;;) {
  idle = look() ? 0 : idle + 1;
  if (idle < IDLE_LOOKS) Atomics.wait(words, ${READY}, 1, 1);
  else if (Atomics.compareExchange(words, ${SLOTS}, 0, ${ASLEEP}) === 0) {
    Atomics.wait(words, ${SLOTS}, ${ASLEEP});
    idle = 0;
  }
}
`;

// (module (memory (import "w" "m") 1 1 shared)
//   (func (export "x") (param i32 i32) (result i32)
//     (i32.atomic.rmw.xchg (local.get 0) (local.get 1))))
const EXCHANGE = Uint8Array.fromHex(
  "0061736d0100000001070160027f7f017f0209010177016d0203010103020100" +
    "070501017800000a0c010a0020002001fe4102000b",
);

/**
 * A part of a call that went on after the guest had waited. The engine resumes
 * it by itself, so nobody is there when it traps.
 */
export interface Segment {
  /** Whether one of the guest's host functions runs. */
  readonly inHost: boolean;
  /** Called if the segment is found to be over: must disarm it. */
  settle(): void;
}

/**
 * Keeps the deadlines of all calls of one thread.
 *
 * A call begins with {@linkcode Watchdog.prototype.arm}. How it ends is written
 * out where calls are made, in `instance.ts`: the stack may be exhausted then,
 * and a call of a function could fail.
 */
export class Watchdog {
  /** The page with the flag, for guests to import. */
  readonly memory: WebAssembly.Memory;
  /** The page's words. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** How many calls of guests run, each in a host function of the one before. */
  depth = 0;
  /**
   * The resumed segment that is armed. It was resumed on an empty stack, so its
   * slot is the first; and if a call begins that is not within one of its host
   * functions, it is over.
   */
  segment: Segment | undefined;
  readonly #budgets: Float64Array<SharedArrayBuffer>;
  /** Exchanges a word, by its offset in bytes: faster than Atomics. */
  readonly #exchange: (offset: number, value: number) => number;
  #call = 0;

  /**
   * Constructs one without a thread: it stops nothing. For guests whose
   * deadline somebody else keeps.
   */
  constructor() {
    const memory = new WebAssembly.Memory({
      initial: 1,
      maximum: 1,
      shared: true,
    });
    // a shared memory's buffer is a SharedArrayBuffer
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    this.memory = memory;
    this.words = new Int32Array(buffer);
    this.#budgets = new Float64Array(buffer, BUDGETS_OFFSET, MAX_DEPTH);
    this.words[FLAG] = 1;
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(EXCHANGE),
      { w: { m: memory } },
    );
    this.#exchange = exports.x as (offset: number, value: number) => number;
  }

  /**
   * Starts a watchdog. Its thread sleeps while nothing is armed, and does not
   * keep the program from ending.
   *
   * @returns The watchdog, once its thread runs.
   */
  static async start(): Promise<Watchdog> {
    const watchdog = new Watchdog();
    const { words } = watchdog;
    // loaded only here: a guest's process needs no thread, and starts faster
    const { Worker } = await import("node:worker_threads");
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: words.buffer,
      env: {},
    });
    const ready = Atomics.waitAsync(words, READY, 0, START_TIMEOUT_MS);
    if (ready.async) await ready.value;
    // only now: waiting alone would not keep the program from ending
    worker.unref();
    if (Atomics.load(words, READY) !== 1) {
      throw new Error("Cannot start the watchdog: its thread does not answer");
    }
    return watchdog;
  }

  /**
   * Begins a call.
   *
   * @param timeoutMs Its deadline, from now.
   * @returns How many calls are around it: what `depth` must be again.
   * @throws {RangeError} If calls nest too deep.
   */
  arm(timeoutMs: number): number {
    if (this.segment !== undefined && !this.segment.inHost) {
      this.segment.settle();
    }
    const { depth } = this;
    if (depth === MAX_DEPTH) {
      throw new RangeError(
        `Cannot call a guest: more than ${MAX_DEPTH} calls are nested`,
      );
    }
    const call = this.#call = (this.#call + 1) & 0x7fffffff || 1;
    this.#budgets[depth] = timeoutMs;
    // may throw for want of stack: only what is behind it counts the call
    const before = this.#exchange(4 * (SLOTS + depth), call);
    this.depth = depth + 1;
    if (before !== 0) Atomics.notify(this.words, SLOTS + depth);
    return depth;
  }

  /**
   * Ends the innermost call, where the stack is known to have room.
   *
   * @returns Whether its deadline has passed.
   */
  disarm(): boolean {
    const { words } = this;
    const depth = --this.depth;
    const before = Atomics.exchange(words, SLOTS + depth, 0);
    if (before >= 0) return false;
    // claimed: the flag follows at once, and must not stay, unless a call
    // around this one is late too
    while (Atomics.load(words, ACKS + depth) !== -before);
    Atomics.store(words, FLAG, 1);
    for (let outer = 0; outer < depth; outer++) {
      if (Atomics.load(words, SLOTS + outer) < 0) Atomics.store(words, FLAG, 0);
    }
    return true;
  }

  /** Whether the deadline of a call around the one that ended has passed. */
  get outerLate(): boolean {
    return Atomics.load(this.words, FLAG) === 0;
  }
}
