/**
 * What an instance is made of, and what it keeps of its calls.
 *
 * @module
 */

import type { MessageGuest } from "../../communication/guest_abi.ts";
import type { GuestAbi, HostImports, HostModule, Instance } from "../types.ts";
import type { Bridges } from "./bridge.ts";
import type { CompiledModule } from "./compiled.ts";
import type { Unit } from "./linked.ts";
import type { Exchange } from "./suspend.ts";
import type { Watchdog } from "./watchdog.ts";

/** What an instance is made of. */
export interface InstanceParts {
  /** The module, with the limits of the instance. */
  readonly module: CompiledModule;
  /** It, and the modules that are instantiated together with it. */
  readonly units: readonly Unit[];
  /** What the host grants it to import. */
  readonly imports: HostImports;
  /** Functions that see the guest's memory. */
  readonly hostModules: readonly HostModule[];
  /** Keeps the deadlines. */
  readonly watchdog: Watchdog;
  /** What stands between a guest and functions that wait. */
  readonly bridges: Bridges;
  /** Raises a trap. */
  readonly trap: () => never;
  /** Called once, when the instance lets go of its memory. */
  readonly release: (instance: Instance) => void;
}

/** The functions of the last message, and the ABI that named them. */
export interface LastMessage {
  /** The functions. */
  readonly guest: MessageGuest;
  /** Their names. */
  readonly abi: GuestAbi | undefined;
  /** The same as one function that may suspend, once it was needed. */
  exchange?: Exchange;
}

/** A call that may wait. */
export interface WaitingCall {
  /** The export. */
  readonly name: string;
  /** Its deadline. */
  readonly timeoutMs: number;
  /** Cancels it while it waits. */
  readonly signal: AbortSignal | undefined;
}

/** How a call ended that did not end well. */
export interface BadEnd {
  /** Its deadline, if that has passed. */
  readonly late: number | undefined;
  /** Whether a call around it is late. */
  readonly outerLate: boolean;
  /** What was thrown. */
  readonly error: unknown;
}

/**
 * Calls a function; without a spread for the few arguments that are usual.
 *
 * @param fn The function.
 * @param args Its arguments.
 * @returns What it returns.
 */
export function invoke<A, R>(
  fn: (...args: readonly A[]) => R,
  args: readonly A[],
): R {
  switch (args.length) {
    case 0:
      return fn();
    case 1:
      return fn(args[0] as A);
    case 2:
      return fn(args[0] as A, args[1] as A);
    default:
      return fn(...args);
  }
}
