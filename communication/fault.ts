/**
 * Errors that a guest is told of as data.
 *
 * @module
 */

/**
 * What the guest ABI numbers them by; see docs/guest-abi.md.
 *
 * | status | meaning |
 * | --- | --- |
 * | `denied` | the policy does not permit it |
 * | `unknown` | there is no such function, channel or stream |
 * | `invalid` | the message is not what it must be |
 * | `failed` | the function failed |
 * | `too-large` | the message is longer than `messageBytes`, or than it may be |
 * | `closed` | the channel or stream is closed |
 * | `timed-out` | it was not done in its time |
 */
export const FAULT_STATUS: {
  readonly denied: 1;
  readonly unknown: 2;
  readonly invalid: 3;
  readonly failed: 4;
  readonly "too-large": 5;
  readonly closed: 6;
  readonly "timed-out": 7;
} = Object.freeze({
  denied: 1,
  unknown: 2,
  invalid: 3,
  failed: 4,
  "too-large": 5,
  closed: 6,
  "timed-out": 7,
});

/** Why a guest did not get what it asked for. */
export type FaultStatus = keyof typeof FAULT_STATUS;

/** Options of {@linkcode GuestFault}. */
export interface GuestFaultOptions extends ErrorOptions {
  /**
   * A word for programs, such as `"not-found"`.
   *
   * @default {the status}
   */
  code?: string;
  /** Anything that JSON can hold. */
  data?: unknown;
}

/**
 * An error that a guest is told of, and can handle: a function of the host
 * that throws it has its message, code and data passed on. Whatever else a
 * function throws, the guest is told no more of than that it failed.
 */
export class GuestFault extends Error {
  /** Name of the class. */
  override readonly name = "GuestFault";
  /** Why, as the ABI numbers it. */
  readonly status: FaultStatus;
  /** A word for programs. */
  readonly code: string;
  /** Anything that JSON can hold. */
  readonly data: unknown;

  /**
   * Constructs it.
   *
   * @param status Why.
   * @param message What the guest is told, in a sentence.
   * @param options Code, data and cause; the guest never sees the cause.
   */
  constructor(
    status: FaultStatus,
    message: string,
    { code = status, data, ...options }: GuestFaultOptions = {},
  ) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.data = data;
  }
}
