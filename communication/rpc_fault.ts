/**
 * What handlers throw, and what the other side is told of it.
 *
 * @module
 */

import { FAULT_STATUS, GuestFault } from "./fault.ts";
import type { RpcErrorObject } from "./json_rpc.ts";

/** Options of {@linkcode RpcFault}. */
export interface RpcFaultOptions extends ErrorOptions {
  /** Anything that JSON can hold. */
  data?: unknown;
}

/**
 * An error that a handler throws for the other side to be told of, just as it
 * is: number, message and data.
 *
 * @example Usage
 * ```ts
 * import { RPC_ERRORS, RpcFault } from "@wasm-sandbox/core/communication";
 * import { assertEquals } from "@std/assert";
 *
 * const fault = new RpcFault(RPC_ERRORS.invalidParams, "the key is missing");
 * assertEquals(fault.code, -32602);
 * ```
 */
export class RpcFault extends Error {
  /** Name of the class. */
  override readonly name = "RpcFault";
  /** Which error, as the specification or the application numbers it. */
  readonly code: number;
  /** Anything that JSON can hold. */
  readonly data: unknown;

  /**
   * Constructs it.
   *
   * @param code Which error: a whole number.
   * @param message What the other side is told, in a sentence.
   * @param options Data and cause; the other side never sees the cause.
   * @throws {TypeError} If `code` is no whole number.
   */
  constructor(
    code: number,
    message: string,
    { data, ...options }: RpcFaultOptions = {},
  ) {
    super(message, options);
    if (!Number.isSafeInteger(code)) {
      throw new TypeError(
        `Cannot make an rpc error of code ${code}: must be a whole number`,
      );
    }
    this.code = code;
    this.data = data;
  }
}

/** The error code of a {@linkcode GuestFault} is this, less its status. */
const FAULT_BASE = -32010;

/**
 * What the other side is told of something that a handler threw on purpose.
 *
 * @param thrown What was thrown.
 * @returns The error; undefined if it is none of the other side's business.
 */
export function errorObjectOf(thrown: unknown): RpcErrorObject | undefined {
  if (thrown instanceof RpcFault) {
    const { code, message, data } = thrown;
    return data === undefined ? { code, message } : { code, message, data };
  }
  if (thrown instanceof GuestFault) {
    const { status, code, message, data } = thrown;
    return {
      code: FAULT_BASE - FAULT_STATUS[status],
      message,
      data: data === undefined ? { code } : { code, data },
    };
  }
  return undefined;
}
