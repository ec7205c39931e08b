/**
 * Lets a guest wait for the promise of a host function.
 *
 * What the guest imports is a bridge, in WebAssembly: it asks the host, and
 * only if the answer is a promise does it suspend the guest. While the guest
 * waits nothing is armed in the watchdog, and others run. It goes on in a
 * microtask, through `resumed`, which arms the watchdog with the time that is
 * left. How such a segment ends is told by `returned`, or by the next `wait`;
 * nobody tells of a trap, until the promise of the call rejects. If another
 * guest runs before that, the watchdog settles what is still armed.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import {
  type MessageGuest,
  placeRequest,
  type ReplyOptions,
  requestBytes,
  takeReply,
} from "../../communication/guest_abi.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { Signature, WasmResult, WasmValue } from "../types.ts";
import { BRIDGE_EXPORT, BRIDGE_MODULE, type Bridges } from "./bridge.ts";
import {
  PendingCall,
  type PendingOptions,
  type PromisedResult,
} from "./pending.ts";
import { checkedResult } from "./results.ts";
import type { Entry, GuestFunction, HostFailed } from "./functions.ts";
import { Turns } from "./turns.ts";
import type { Segment, Watchdog } from "./watchdog.ts";

/** A function of a guest's that may suspend. */
export type PromisingFunction = (
  ...args: readonly WasmValue[]
) => Promise<WasmResult>;

/** What lets guests wait. */
export interface SuspenderOptions {
  /** What stands between. */
  readonly bridges: Bridges;
  /** Keeps the deadlines. */
  readonly watchdog: Watchdog;
  /** Called when a promise rejects; must trap. */
  readonly failed: HostFailed;
  /** Raises a trap. */
  readonly trap: () => never;
}

/** The types of TypeScript do not know suspended stacks yet. */
const { Suspending, promising } = WebAssembly as unknown as {
  Suspending: new (
    fn: () => Promise<void>,
  ) => WebAssembly.ExportValue;
  promising: (fn: unknown) => (...args: readonly unknown[]) => Promise<unknown>;
};

/** What one instance waits for, one call after the other. */
export class Suspender implements Segment {
  /** Whether one of the guest's host functions runs. */
  inHost = false;
  readonly #options: SuspenderOptions;
  /** Tells a bridge that what the host gave is a promise. */
  readonly #suspended = new WebAssembly.Global(
    { value: "i32", mutable: true },
    0,
  );
  readonly #wait = new Suspending(() => this.#suspend());
  readonly #promising = new Map<GuestFunction, PromisingFunction>();
  readonly #turns = new Turns();
  #call: PendingCall | undefined;
  #promised: PromisedResult | undefined;

  /**
   * Constructs it.
   *
   * @param options What lets guests wait.
   */
  constructor(options: SuspenderOptions) {
    this.#options = options;
  }

  /**
   * Makes what a guest imports of a function that may wait.
   *
   * @param start Asks the host; gives what {@linkcode Suspender.promised} gave,
   * if the answer is a promise.
   * @param signature Its type.
   * @returns A function of WebAssembly.
   */
  waiting(
    start: (...args: readonly WasmValue[]) => WasmResult,
    signature: Signature,
  ): GuestFunction {
    return this.#bridge(this.#options.bridges.waiting(signature), {
      start,
      suspended: this.#suspended,
      wait: this.#wait,
      resumed: () => this.#resume(),
    }) as GuestFunction;
  }

  /** A promise of a turn of the event loop, if one is due in this call. */
  turn(): Promise<void> | undefined {
    return this.#call === undefined ? undefined : this.#turns.due();
  }

  /**
   * Notes that a host function has answered with a promise.
   *
   * @param promised The promise, and what it is of.
   * @returns What the host function gives meanwhile.
   * @throws {SandboxError} With code `unsupported`, if the call cannot wait.
   */
  promised(promised: PromisedResult): WasmResult {
    if (this.#call === undefined) {
      promised.promise.then(ignore, ignore);
      throw cannotWait(promised.name);
    }
    this.#promised = promised;
    this.#suspended.value = 1;
    const nothing = promised.results.map((type) => type === "i64" ? 0n : 0);
    return nothing.length < 2 ? nothing[0] : nothing;
  }

  /** An exported function, as one that may suspend. */
  promising({ fn, signature }: Entry): PromisingFunction {
    let made = this.#promising.get(fn);
    if (made === undefined) {
      const bridge = this.#bridge(this.#options.bridges.calling(signature), {
        inner: fn,
        returned: () => this.#returned(),
      });
      made = promising(bridge) as PromisingFunction;
      this.#promising.set(fn, made);
    }
    return made;
  }

  /** The exchange of messages with a guest, as a function that may suspend. */
  exchanging(guest: MessageGuest): Exchange {
    // the one that runs; one that has just returned still has its own
    let running: Exchanged | undefined;
    const run = promising(
      this.#bridge(this.#options.bridges.exchanging, {
        alloc: guest.alloc,
        handle: guest.handle,
        free: guest.free ?? ignore,
        place(pointer: number) {
          if (running !== undefined) {
            placeRequest(guest, running.request, pointer);
          }
        },
        take(pointer: number, length: number) {
          const where = { pointer: pointer >>> 0, length: length >>> 0 };
          if (running !== undefined) {
            running.reply = takeReply(guest, where, running.options);
          }
        },
        returned: () => this.#returned(),
      }),
    );
    return async (message, maxBytes) => {
      const request = requestBytes(message, maxBytes);
      const options = { isText: typeof message === "string", maxBytes };
      const own: Exchanged = running = { request, options, reply: NO_BYTES };
      try {
        await run(request.length);
        return own.reply;
      } finally {
        if (running === own) running = undefined;
      }
    };
  }

  /** Begins a call that may wait; the watchdog is armed next. */
  begin(options: PendingOptions): PendingCall {
    this.#turns.begin();
    return this.#call = new PendingCall(options);
  }

  /**
   * Ends a call; what it waited for is let go. Another may have begun.
   *
   * @param call The call.
   */
  finish(call: PendingCall): void {
    if (this.#call === call) {
      this.settle();
      this.#turns.end();
      this.#call = undefined;
      this.#promised = undefined;
    }
    call.close();
  }

  /**
   * Ends the guest, if it waits: at once, whatever it waits for.
   *
   * @param errorOf What the call is to throw, by the name of its export.
   * @returns Settles when the call is over.
   */
  async end(errorOf: (name: string) => Error): Promise<void> {
    const call = this.#call;
    if (call === undefined) return;
    call.end({ error: errorOf(call.name) });
    if (call.isWaiting) await call.over;
  }

  /** Lets go of the guest's functions, and with them of its memory. */
  forget(): void {
    this.#promising.clear();
  }

  /** Disarms a segment that is over. */
  settle(): void {
    const { watchdog } = this.#options;
    if (watchdog.segment !== this) return;
    this.#disarm();
  }

  #bridge(
    module: WebAssembly.Module,
    functions: Record<string, unknown>,
  ): (...args: readonly WasmValue[]) => unknown {
    const { exports } = new WebAssembly.Instance(module, {
      [BRIDGE_MODULE]: functions as WebAssembly.ModuleImports,
    });
    return exports[BRIDGE_EXPORT] as (...args: readonly WasmValue[]) => unknown;
  }

  /** What a bridge suspends for. Whatever is thrown here traps. */
  #suspend(): Promise<void> {
    const call = this.#call;
    const promised = this.#promised;
    this.#promised = undefined;
    if (call === undefined || promised === undefined) {
      throw new TypeError("Cannot suspend a guest that waits for nothing");
    }
    const resumption = call.wait(promised);
    this.#disarm();
    call.requireTime();
    return resumption;
  }

  /** Goes on, in the guest that was suspended. */
  #resume(): WasmResult {
    const { watchdog, failed, trap } = this.#options;
    const call = this.#call;
    const outcome = call?.goOn();
    if (call === undefined || outcome === undefined) return trap();
    const { name, results } = outcome.promised;
    let result: WasmResult;
    try {
      if (outcome.isRejected) throw outcome.value;
      result = checkedResult(outcome.value, results);
    } catch (cause) {
      return failed(cause, name, true);
    }
    watchdog.arm(call.remainingMs());
    watchdog.segment = this;
    return result;
  }

  /** Told by the guest's bridge that the call has returned. */
  #returned(): void {
    this.#disarm();
    if (this.#call !== undefined) this.#call.hasReturned = true;
    this.#call = undefined;
  }

  /** The guest is the innermost that runs: takes it off. */
  #disarm(): void {
    const { watchdog } = this.#options;
    // first: if the stack had no room for it, nothing would have changed
    const isLate = watchdog.disarm();
    if (watchdog.segment === this) watchdog.segment = undefined;
    if (isLate && this.#call !== undefined) this.#call.isLate = true;
  }
}

/** A message, and its reply. */
interface Exchanged {
  readonly request: Uint8Array;
  readonly options: ReplyOptions;
  reply: string | Uint8Array<ArrayBuffer>;
}

/** Sends a message, and gives the reply. */
export type Exchange = (
  message: string | Uint8Array,
  maxBytes: number,
) => Promise<string | Uint8Array<ArrayBuffer>>;

const NO_BYTES = new Uint8Array();

function ignore(): void {}

function cannotWait(
  { module, name }: ImportName,
): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    `Cannot wait for the host function ${quote(module)}.${quote(name)} in ` +
      "the calling thread: it answered with a promise (use call, not callSync; a start " +
      "function cannot wait at all)",
    {
      details: {
        runtime: "v8",
        feature: "callSync with a host function that waits",
      },
    },
  );
}
