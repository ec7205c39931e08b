/**
 * Functions of guests, and what is told of those of the host.
 *
 * @module
 */

import type { ImportName } from "../../errors.ts";
import type { Signature, WasmResult, WasmValue } from "../types.ts";

/** A function of the guest's; takes and gives numbers. */
export type GuestFunction = (...args: readonly WasmValue[]) => WasmResult;

/** An exported function. */
export interface Entry {
  /** Its name. */
  readonly name: string;
  /** The function, with no guard around it. */
  readonly fn: GuestFunction;
  /** Its signature. */
  readonly signature: Signature;
}

/** Told of what a host function did wrong. */
export type HostFailed = (
  cause: unknown,
  name: ImportName,
  own: boolean,
) => never;
