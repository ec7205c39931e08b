/**
 * What host modules see of an instance.
 *
 * @module
 */

import type { GuestAccess } from "../types.ts";
import type { Live } from "./live.ts";
import { FLAG } from "./watchdog.ts";

/** What a millisecond of sleep takes, if fuel is the only limit of time. */
const SLEEP_FUEL_PER_MS = 100_000;

/** The instance that is seen. */
export interface AccessOptions {
  /** Its engine's side, until it is let go. */
  readonly live: () => Live | undefined;
  /** Which of the modules that are instantiated together it is. */
  readonly unit: number;
  /** Whether neither deadline nor fuel has ended the call that runs. */
  readonly mayGoOn: () => boolean;
  /** The page with the watchdog's flag. */
  readonly flag: Int32Array<SharedArrayBuffer>;
  /** Whether a deadline bounds how long it sleeps. */
  readonly hasDeadline: boolean;
}

/**
 * Lets host modules at an instance.
 *
 * @param options The instance.
 * @returns Its memory, its time and its fuel.
 */
export function guestAccess(
  { live, unit, mayGoOn, flag, hasDeadline }: AccessOptions,
): GuestAccess {
  let view = new Uint8Array();
  function charge(units: number): void {
    const fuel = live()?.fuel;
    if (fuel === undefined) return;
    const left = fuel.value - BigInt(Math.min(units, Number.MAX_SAFE_INTEGER));
    // far below zero it could wrap around in the guest's own counting
    fuel.value = left < 0n ? -1n : left;
  }
  return {
    memory() {
      const memory = live()?.unitMemories[unit];
      if (memory === undefined) return view = new Uint8Array();
      // a memory that grows takes the bytes out of the view it had; and no
      // memory is shared here: the gate refuses threads
      if (view.length === 0) {
        view = new Uint8Array(memory.buffer as ArrayBuffer);
      }
      return view;
    },
    sleep(ms) {
      // with fuel alone, fuel must bound the time too
      if (!hasDeadline) charge(Math.ceil(ms * SLEEP_FUEL_PER_MS));
      if (mayGoOn()) Atomics.wait(flag, FLAG, 1, ms);
    },
    charge,
  };
}
