/** What lives behind a sandbox: its instance, and what was used so far. */

import { SandboxError } from "./errors.ts";
import { runsAtStart } from "./runtime/calls.ts";
import type { GuestInstance, GuestSource } from "./runtime/guest_source.ts";
import type { OperationOptions } from "./runtime/types.ts";
import type { InstancePolicy, LimitUsage } from "./sandbox_options.ts";
import {
  LIMIT_NAMES,
  type LimitName,
  type ResolvedLimits,
} from "./security/limits.ts";

/** What instances are made from. */
export interface GuestParts {
  readonly source: GuestSource;
  readonly limits: ResolvedLimits;
  readonly policy: InstancePolicy;
}

/** What was used of each limit that instances use up. */
type Used = Partial<Record<LimitName, number | undefined>>;

/** Makes instances one after the other, and keeps count of what they use. */
export class Guest {
  readonly parts: GuestParts;
  /** The instance; with "fresh" the one for the next call. */
  #instance: GuestInstance | undefined;
  /** Whether the instance has been handed out. */
  #isUsed = false;
  /** Most that one instance that is gone has used. */
  #most: Used = {};
  #instances = 0;
  #fuelGiven: number;
  /** What is left of the fuel, but for what the instance has used of it. */
  #fuelLeft: number;
  /** The reset or fresh call before: they take turns, so that fuel is exact. */
  #turn: Promise<void> = Promise.resolve();
  #disposed = false;

  private constructor(parts: GuestParts) {
    this.parts = parts;
    this.#fuelGiven = this.#fuelLeft = parts.limits.fuel ?? 0;
  }

  static async create(
    parts: GuestParts,
    options: OperationOptions,
  ): Promise<Guest> {
    const guest = new Guest(parts);
    await guest.#renew(options);
    return guest;
  }

  /** The instance that is reused. */
  get instance(): GuestInstance {
    this.#isUsed = true;
    if (this.#instance !== undefined) return this.#instance;
    throw new SandboxError(
      "instance-dead",
      "Cannot call the guest: it was run as a program, or the last reset " +
        "failed (reset the sandbox)",
      { details: { reason: "trap" } },
    );
  }

  get failure(): SandboxError | undefined {
    return this.#instance?.failure;
  }

  /** Runs something on an instance of its own, when its turn comes. */
  fresh<T>(
    run: (instance: GuestInstance) => Promise<T>,
    options: OperationOptions,
  ): Promise<T> {
    return this.#inTurn(async () => {
      options.signal?.throwIfAborted();
      if (this.#isUsed) await this.#retire();
      if (this.#instance === undefined) await this.#renew(options);
      try {
        return await run(this.instance);
      } finally {
        await this.#retire();
      }
    });
  }

  reset(options: OperationOptions): Promise<void> {
    return this.#inTurn(async () => {
      await this.#retire();
      await this.#renew(options);
    });
  }

  /** Lets the instance go for good; what waits its turn is refused. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#retire();
    await this.#turn;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.then(() => {}, () => {});
    return result;
  }

  addFuel(amount: number): void {
    if (this.parts.limits.fuel === undefined) {
      throw new TypeError(
        "Cannot add fuel: the sandbox counts none (set the limit fuel)",
      );
    }
    const left = this.#fuelNow() + amount;
    if (
      !Number.isSafeInteger(amount) || amount < 0 || !Number.isSafeInteger(left)
    ) {
      throw new TypeError(
        `Cannot add fuel of ${String(amount)}: must be a whole number from 0`,
      );
    }
    this.#fuelGiven += amount;
    this.#fuelLeft += amount;
    if (this.#instance !== undefined && this.failure === undefined) {
      this.#instance.setFuel(left);
    }
  }

  /** The error to tell of a call: an instance knows what was left for it. */
  explain(error: unknown): unknown {
    if (!SandboxError.is(error, "limit-exceeded")) return error;
    const { details } = error;
    const allowed = this.#fuelGiven;
    if (details.limit !== "fuel" || details.allowed === allowed) return error;
    return new SandboxError(
      "limit-exceeded",
      `Cannot go on with the guest: fuel of ${allowed} is used up ` +
        `(${details.suggestion})`,
      { cause: error.cause, details: { ...details, allowed } },
    );
  }

  usage(): Readonly<Partial<Record<LimitName, LimitUsage>>> {
    const { limits, source } = this.parts;
    const used: Used = {
      ...this.#mostNow(),
      fuel: this.#fuelGiven - this.#fuelNow(),
      moduleBytes: source.module.byteLength,
      instances: this.#instances,
    };
    const rows: Partial<Record<LimitName, LimitUsage>> = {};
    for (const name of LIMIT_NAMES) {
      const allowed = limits[name];
      if (allowed === undefined) continue;
      const amount = used[name];
      rows[name] = {
        allowed: name === "fuel" ? this.#fuelGiven : allowed,
        ...(amount === undefined ? {} : { used: amount }),
      };
    }
    return rows;
  }

  /** Lets the instance go, and notes what it has used. */
  async #retire(): Promise<void> {
    const instance = this.#instance;
    if (instance === undefined) return;
    // what still runs uses up what it has; that shows at once
    const disposal = instance[Symbol.asyncDispose]();
    this.#fuelLeft = this.#fuelNow();
    this.#most = this.#mostNow();
    this.#instance = undefined;
    await disposal;
  }

  /** The most that one instance has used, the one that lives included. */
  #mostNow(): Used {
    const most = { ...this.#most };
    const now: Used = this.#instance?.usage() ?? {};
    for (const [key, amount = 0] of Object.entries(now)) {
      const name = key as LimitName;
      most[name] = Math.max(most[name] ?? 0, amount);
    }
    return most;
  }

  #fuelNow(): number {
    return this.#fuelLeft - (this.#instance?.usage().fuel ?? 0);
  }

  async #renew(options: OperationOptions): Promise<void> {
    if (this.#disposed) throw disposed();
    const { source, limits } = this.parts;
    if (this.#instances >= (limits.instances ?? Infinity)) {
      throw tooManyInstances(limits.instances ?? 0);
    }
    this.#instances++;
    this.#isUsed = false;
    const fuel = Math.max(0, this.#fuelLeft);
    options.signal?.throwIfAborted();
    const instance = await source.instantiate({
      ...(limits.fuel === undefined ? {} : { fuel }),
      ...options,
    }).catch((error: unknown) => {
      // nobody knows how much of it the start function has used
      if (runsAtStart(source.module)) this.#fuelLeft -= fuel;
      throw error;
    });
    // disposed meanwhile
    if (this.#disposed) {
      await instance[Symbol.asyncDispose]();
      throw disposed();
    }
    this.#instance = instance;
  }
}

function tooManyInstances(
  allowed: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "raise instances, or create another sandbox";
  return new SandboxError(
    "limit-exceeded",
    `Cannot make an instance: the sandbox has made ${allowed} (${suggestion})`,
    {
      details: { limit: "instances", allowed, used: allowed + 1, suggestion },
    },
  );
}

/** The error of a sandbox that is used after its end. */
export function disposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the sandbox: it is disposed",
    {
      details: { kind: "sandbox" },
    },
  );
}
