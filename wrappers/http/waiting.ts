/** Waits that are bounded: for a turn, and for a guest. */

import type { Sandbox } from "../../sandbox.ts";
import type { Gate } from "../gate.ts";
import type { GuestPool } from "../guest_pool.ts";
import type { Exchange } from "./exchange.ts";
import { unavailable } from "./problem.ts";

/** The time that a request may wait. Its signal is aborted at the end of it. */
class Patience implements Disposable {
  readonly #controller = new AbortController();
  readonly #exchange: Exchange;
  readonly #start: number = performance.now();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #onAbort = () =>
    this.#controller.abort(this.#exchange.signal.reason);

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#timer = setTimeout(
      () => this.#controller.abort(unavailable("the server is busy")),
      exchange.patienceMs,
    );
    if (exchange.signal.aborted) this.#onAbort();
    else exchange.signal.addEventListener("abort", this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#exchange.signal.removeEventListener("abort", this.#onAbort);
    const waited = performance.now() - this.#start;
    this.#exchange.patienceMs = Math.max(
      1,
      this.#exchange.patienceMs - waited,
    );
  }
}

/**
 * Waits for a turn.
 *
 * @param gate Who lets requests in.
 * @param exchange The request.
 * @returns Nothing, at once if there is room.
 * @throws {SandboxError} With code `overloaded`.
 * @throws {HttpProblem} With status 503 if it took too long.
 */
export function enter(
  gate: Gate,
  exchange: Exchange,
): Promise<void> | undefined {
  return gate.hasRoom ? gate.enter() : enterLater(gate, exchange);
}

async function enterLater(gate: Gate, exchange: Exchange): Promise<void> {
  using patience = new Patience(exchange);
  await gate.enter(patience);
}

/**
 * Lends a guest of a pool, and waits for one no longer than the request may.
 *
 * @typeParam T What comes of it.
 * @param pool The guests.
 * @param exchange The request.
 * @param run Uses the guest.
 * @returns What `run` returns.
 */
export function lend<T>(
  pool: GuestPool,
  exchange: Exchange,
  run: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  return pool.isFree ? pool.use(run) : lendLater(pool, exchange, run);
}

async function lendLater<T>(
  pool: GuestPool,
  exchange: Exchange,
  run: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const patience = new Patience(exchange);
  try {
    return await pool.use((sandbox) => {
      // from now on it is the guest's deadline that counts
      patience[Symbol.dispose]();
      return run(sandbox);
    }, patience);
  } finally {
    patience[Symbol.dispose]();
  }
}
