/** Guests of one entry, each with the call that it answers. */

import { SandboxError } from "../../errors.ts";
import type { HostFunctions } from "../../communication/host_functions.ts";
import type { ModuleExport, OperationOptions } from "../../runtime/types.ts";
import type { Sandbox } from "../../sandbox.ts";
import { Gate } from "../gate.ts";
import { guestOptionsOf } from "../guest_options.ts";
import { GuestPool } from "../guest_pool.ts";
import { readOnce } from "../pool/read_once.ts";
import type { McpCall } from "./call.ts";
import { hostFunctions } from "./host_functions.ts";
import { MCP_GUEST_DEFAULTS } from "./schema.ts";
import type { McpClientRequest, McpGuestOptions } from "./types.ts";

/** What all guests of a server share. */
export interface GuestTerms {
  /** Lets so many calls of all guests in at a time. */
  readonly gate: Gate;
  /** Longest wait for a guest. */
  readonly queueTimeoutMs: number;
}

/** A place for one guest: its functions know the call that runs there. */
interface Slot {
  readonly pool: GuestPool;
  call: McpCall | undefined;
}

/** The guests of one module. */
export class McpGuest implements AsyncDisposable {
  /** What it may ask clients for. */
  readonly clientRequests: ReadonlySet<McpClientRequest>;
  readonly #options: McpGuestOptions;
  readonly #terms: GuestTerms;
  readonly #gate: Gate;
  readonly #slots = new Set<Slot>();
  readonly #idle: Slot[] = [];
  readonly #disposal = new AbortController();

  private constructor(options: McpGuestOptions, terms: GuestTerms) {
    const { maxConcurrentCalls, maxQueuedCalls } = {
      ...MCP_GUEST_DEFAULTS,
      ...options,
    };
    this.clientRequests = new Set(options.clientRequests ?? []);
    this.#options = options;
    this.#terms = terms;
    this.#gate = new Gate({
      maxInside: maxConcurrentCalls,
      maxWaiting: maxQueuedCalls,
      what: "calls",
    });
  }

  /** Reads the module, and makes the first guest of it. */
  static async create(
    given: McpGuestOptions,
    terms: GuestTerms,
    operation: OperationOptions,
  ): Promise<McpGuest> {
    const options = await readOnce(
      { ...MCP_GUEST_DEFAULTS, ...given },
      operation,
    );
    const guest = new McpGuest(options, terms);
    guest.#idle.push(await guest.#open(operation));
    return guest;
  }

  /** What the module exports. */
  get exports(): readonly ModuleExport[] {
    const [first] = this.#slots;
    return first?.pool.exports ?? [];
  }

  /** Guests that there are. */
  get count(): number {
    return this.#slots.size;
  }

  /** Calls that wait for a guest. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /**
   * Lends a guest.
   *
   * @param run Uses it.
   * @param options The call that it answers, if it does, and cancellation.
   * @returns What `run` returns.
   */
  async use<T>(
    run: (sandbox: Sandbox) => Promise<T>,
    { call, signal }: {
      readonly call?: McpCall | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<T> {
    using wait = new Wait(this.#terms.queueTimeoutMs, signal);
    const waiting = { signal: wait.signal };
    await this.#gate.enter(waiting);
    try {
      // only who has a guest of its own takes a place of all calls
      await this.#terms.gate.enter(waiting);
      try {
        return await this.#lend(run, { call, signal });
      } finally {
        this.#terms.gate.leave();
      }
    } finally {
      this.#gate.leave();
    }
  }

  /** Ends all guests; calls that run or wait are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = disposed();
    this.#gate.close(reason, { refuseWaiting: true });
    this.#disposal.abort(reason);
    await Promise.all(
      [...this.#slots].map(({ pool }) => pool[Symbol.asyncDispose]()),
    );
    await this.#gate.whenEmpty();
  }

  async #lend<T>(
    run: (sandbox: Sandbox) => Promise<T>,
    { call, signal }: {
      readonly call?: McpCall | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<T> {
    const slot = this.#idle.pop() ?? await this.#open({ signal });
    try {
      return await slot.pool.use(async (sandbox) => {
        // not before: what the guest of a cancelled call still says is not ours
        slot.call = call;
        try {
          return await run(sandbox);
        } finally {
          slot.call = undefined;
        }
      }, { signal });
    } finally {
      // the next call need not wait until this one is reset
      this.#idle.unshift(slot);
    }
  }

  async #open({ signal }: OperationOptions): Promise<Slot> {
    const disposal = this.#disposal.signal;
    disposal.throwIfAborted();
    const functions = hostFunctions(() => slot.call);
    const pool = await GuestPool.create(
      {
        ...withFunctions(this.#options, functions),
        instance: this.#options.instance ?? MCP_GUEST_DEFAULTS.instance,
        maxInstances: 1,
      },
      {
        signal: signal === undefined
          ? disposal
          : AbortSignal.any([signal, disposal]),
      },
    );
    const slot: Slot = { pool, call: undefined };
    if (disposal.aborted) {
      await pool[Symbol.asyncDispose]();
      throw disposal.reason;
    }
    this.#slots.add(slot);
    return slot;
  }
}

function withFunctions(options: McpGuestOptions, functions: HostFunctions) {
  const guest = guestOptionsOf(options);
  return {
    ...guest,
    hostFunctions: { ...guest.hostFunctions, ...functions },
  };
}

/** The time that a call may wait. */
class Wait implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #given: AbortSignal;
  readonly #onAbort = () => this.#controller.abort(this.#given.reason);

  constructor(timeoutMs: number, given: AbortSignal) {
    given.throwIfAborted();
    this.#given = given;
    given.addEventListener("abort", this.#onAbort, { once: true });
    this.#timer = setTimeout(
      () =>
        this.#controller.abort(
          new SandboxError(
            "timed-out",
            `Cannot call: no guest was free within ${timeoutMs} ms (call ` +
              "less at a time, or raise maxConcurrentCalls or queueTimeoutMs)",
            { details: { operation: "call", timeoutMs } },
          ),
        ),
      timeoutMs,
    );
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#given.removeEventListener("abort", this.#onAbort);
  }
}

function disposed(): SandboxError<"disposed"> {
  return new SandboxError("disposed", "Cannot call: the server is disposed", {
    details: { kind: "wrapper" },
  });
}
