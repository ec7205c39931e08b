/**
 * Plans where fuel is charged within one function.
 *
 * Fuel lives in a hidden global. Between two calls a function keeps it in a
 * local, which the optimizer holds in a register. A stretch is what runs as a
 * whole: code between two places at which paths part or meet. Its cost is
 * charged once, before its first call, or at its end if it makes none. Where
 * exceptions are caught the local could be stale, so there the global is
 * charged.
 *
 * @module
 */

import { Insert, type Plan } from "./plan.ts";

/** Largest charge in one place: an entry of the plan holds no more than 28 bits. */
const MAX_CHARGE = 2 ** 26;

/** Plans the charges of one function after the other. */
export class Meter {
  /** Cost of what ran since the last charge. */
  cost = 0;
  /** Whether no path leads here. */
  dead = false;

  readonly #plan: Plan;
  readonly #on: boolean;
  /** Whether the local may not be used. */
  #global = false;
  /** Whether the local holds the fuel, and not the global. */
  #inLocal = false;
  /** The stretch's charge, if it has been made, for costs that follow. */
  #open = -1;
  /** What that charge has come to. */
  #charged = 0;

  /**
   * Constructs a meter.
   *
   * @param plan Where charges go.
   * @param on Whether fuel is counted at all.
   */
  constructor(plan: Plan, on: boolean) {
    this.#plan = plan;
    this.#on = on;
  }

  /** Begins a function, with what its entry costs. */
  begin(cost: number, global: boolean): void {
    this.cost = cost;
    this.dead = false;
    this.#global = global;
    this.#inLocal = false;
    this.#open = -1;
  }

  /** Adds what the instruction there costs beyond one unit. */
  spend(cost: number, at: number): void {
    this.cost += cost;
    if (this.cost > MAX_CHARGE) this.settle(at);
  }

  /** Before paths part: from here on the local holds what is left. */
  settle(at: number): void {
    if (!this.#on || this.dead) return;
    this.#join();
    const { cost } = this;
    if (this.#global) {
      if (cost > 0) this.#plan.add(at, Insert.chargeGlobal, cost);
    } else if (!this.#inLocal) this.#plan.add(at, Insert.load, cost);
    else if (cost > 0) this.#plan.add(at, Insert.charge, cost);
    this.#reset();
  }

  /** Before a call: the global holds what is left. */
  call(at: number): void {
    if (!this.#on || this.dead) return;
    this.#join();
    const { cost } = this;
    const kind = this.#global || !this.#inLocal
      ? Insert.chargeGlobal
      : Insert.spill;
    if (cost > 0 || kind === Insert.spill) {
      this.#open = this.#plan.add(at, kind, cost);
      this.#charged = cost;
    }
    this.cost = 0;
    this.#inLocal = false;
  }

  /** Before all paths leave the function: the global holds what is left. */
  exit(at: number): void {
    this.call(at);
    this.#open = -1;
  }

  /** Settled, and some of the paths leave the function. */
  leave(at: number): void {
    if (this.#on && !this.dead && !this.#global) {
      this.#plan.add(at, Insert.spill);
    }
  }

  /** Where paths meet or begin, each of them settled. */
  meet(dead: boolean): void {
    this.dead = dead;
    this.#reset();
  }

  /** Adds what ran since a call to the charge that was made before it. */
  #join(): void {
    if (this.#open < 0) return;
    this.#charged += this.cost;
    if (this.#charged > MAX_CHARGE) {
      this.#open = -1;
      return;
    }
    this.#plan.raise(this.#open, this.cost);
    this.cost = 0;
  }

  #reset(): void {
    this.cost = 0;
    this.#inLocal = true;
    this.#open = -1;
  }
}
