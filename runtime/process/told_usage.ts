/**
 * What an instance in a process has used.
 *
 * @module
 */

import type { HostUsage, InstanceUsage } from "../types.ts";
import type { ChildProcess } from "./child_process.ts";
import { FRAME } from "./frames.ts";
import type { SentUsage } from "./messages.ts";

const NO_USAGE: InstanceUsage = {
  memoryBytes: 0,
  tableElements: 0,
  fuel: undefined,
  hostCalls: 0,
};

/** What an instance has used, as its process tells it, and the fuel it has. */
export class ToldUsage {
  readonly #child: ChildProcess;
  #now: InstanceUsage & HostUsage = NO_USAGE;
  /** Fuel that was put in, all in all. */
  #given: number | undefined;
  /** Whether some came in while an operation went on. */
  #refuels = false;

  /**
   * Constructs it for an instance that has used nothing yet.
   *
   * @param child The process.
   * @param fuel The fuel that the instance is made with, if that is limited.
   */
  constructor(child: ChildProcess, fuel: number | undefined) {
    this.#child = child;
    this.#given = fuel;
  }

  /** What was told last. */
  get now(): InstanceUsage & HostUsage {
    return this.#now;
  }

  /** Takes what the process tells with an answer, if it tells anything. */
  note(usage: SentUsage | undefined): void {
    if (usage !== undefined) this.#now = { ...NO_USAGE, ...usage };
  }

  /**
   * Sets the fuel that is left.
   *
   * @param fuel The fuel.
   * @param isRunning Whether an operation goes on: what it uses is not known yet.
   */
  setFuel(fuel: number, isRunning: boolean): void {
    this.#given = fuel + (this.#now.fuel ?? 0);
    if (isRunning) this.#refuels = true;
    else this.#child.send(FRAME.fuel, { fuel });
  }

  /** Puts in what came while an operation went on, now that it is over. */
  refuel(): void {
    if (!this.#refuels) return;
    this.#refuels = false;
    const fuel = (this.#given ?? 0) - (this.#now.fuel ?? 0);
    this.#child.send(FRAME.fuel, { fuel });
  }

  /** All fuel counts as used: a process that is gone does not say how much. */
  forfeit(): void {
    this.#now = { ...this.#now, fuel: this.#given };
  }
}
