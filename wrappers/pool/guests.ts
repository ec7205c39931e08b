/** The guests of a pool: who has them, who makes them, who waits for one. */

import type { OperationOptions } from "../../runtime/types.ts";
import type { Sandbox } from "../../sandbox.ts";

/** What guests come from. */
export interface GuestsParts {
  /** The first of them. */
  readonly first: Sandbox;
  /** Most that there are at a time. */
  readonly max: number;
  /** Makes another one. */
  readonly open: (options: OperationOptions) => Promise<Sandbox>;
}

type Wish = PromiseWithResolvers<Sandbox>;

/**
 * Hands guests out. Whoever finds none has one made, but takes one that comes
 * back before: a process takes longer to start than most calls take.
 *
 * No more ask at a time than there may be guests, so that each who waits has one
 * that is being made.
 */
export class Guests {
  readonly #parts: GuestsParts;
  readonly #all = new Set<Sandbox>();
  readonly #idle: Sandbox[] = [];
  readonly #wishes = new Set<Wish>();
  readonly #end = new AbortController();
  readonly #making = new Set<Promise<void>>();

  constructor(parts: GuestsParts) {
    this.#parts = parts;
    this.#all.add(parts.first);
    this.#idle.push(parts.first);
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** Whether one could be taken at once. */
  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  /** Aborted when they are let go. */
  get end(): AbortSignal {
    return this.#end.signal;
  }

  /** Takes one, which is nobody else's until it is given or let go. */
  take(options: OperationOptions): Sandbox | Promise<Sandbox> {
    const idle = this.#idle.pop();
    if (idle !== undefined && idle.failure === undefined) return idle;
    // its process has ended, for example
    if (idle !== undefined) void this.letGo(idle);
    return this.#wish(options);
  }

  /** Gives one back: to whoever has waited longest, if anybody has. */
  give(sandbox: Sandbox): void {
    if (this.#end.signal.aborted) return;
    const [wish] = this.#wishes;
    if (wish === undefined) return void this.#idle.push(sandbox);
    this.#wishes.delete(wish);
    wish.resolve(sandbox);
  }

  /** Lets one go that was taken. */
  async letGo(sandbox: Sandbox): Promise<void> {
    this.#all.delete(sandbox);
    try {
      await sandbox[Symbol.asyncDispose]();
    } catch {
      // nobody is left who could do anything about it
    }
  }

  /** Lets all of them go; who waits is told why. */
  async dispose(reason: unknown): Promise<void> {
    this.#end.abort(reason);
    this.#idle.length = 0;
    for (const wish of this.#wishes) wish.reject(reason);
    this.#wishes.clear();
    const all = [...this.#all];
    this.#all.clear();
    const ended = await Promise.allSettled(
      all.map((each) => each[Symbol.asyncDispose]()),
    );
    await Promise.all(this.#making);
    const failed = ended.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  async #wish({ signal }: OperationOptions): Promise<Sandbox> {
    signal?.throwIfAborted();
    this.#end.signal.throwIfAborted();
    const wish: Wish = Promise.withResolvers();
    this.#wishes.add(wish);
    if (this.#all.size + this.#making.size < this.#parts.max) this.#make(wish);
    const onAbort = () => {
      if (this.#wishes.delete(wish)) wish.reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await wish.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #make(wish: Wish): void {
    const making = this.#open().then((sandbox) => {
      this.#making.delete(making);
      if (sandbox !== undefined) this.give(sandbox);
    }, (error) => {
      this.#making.delete(making);
      // if whom it was for has got another, somebody waits in vain
      const [first] = this.#wishes;
      const told = this.#wishes.has(wish) ? wish : first;
      if (told === undefined) return;
      this.#wishes.delete(told);
      told.reject(error);
    });
    this.#making.add(making);
  }

  async #open(): Promise<Sandbox | undefined> {
    const { signal } = this.#end;
    const sandbox = await this.#parts.open({ signal });
    if (signal.aborted) {
      await sandbox[Symbol.asyncDispose]();
      return undefined;
    }
    this.#all.add(sandbox);
    return sandbox;
  }
}
