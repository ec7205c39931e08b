/**
 * The guest's end of a channel, during one call.
 *
 * @module
 */

import { reasonOf } from "../_text.ts";
import { type CallScope, Operation } from "./call_scope.ts";
import { type FaultStatus, GuestFault } from "./fault.ts";
import { isFault, isSandboxError } from "./host_errors.ts";
import type { Channel } from "./types.ts";

/** What a guest talks through. */
export interface CallChannelOptions {
  /** The channel. */
  readonly channel: Channel;
  /** The call during which the guest talks. */
  readonly scope: CallScope;
  /** Longest message, in bytes. */
  readonly messageBytes: number;
  /** Counts a message; throws what ends the guest. */
  readonly countMessage: () => void;
  /** Tells the host of what the guest is not told of. */
  readonly fail: (name: string, error: unknown) => GuestFault;
}

/** What a channel's errors are to the guest. */
const STATUSES: Readonly<Record<string, FaultStatus>> = Object.freeze({
  "channel-closed": "closed",
  "disposed": "closed",
  "invalid-message": "invalid",
  "limit-exceeded": "too-large",
});

/** The guest's end of a channel. */
export class CallChannel {
  readonly #options: CallChannelOptions;

  /**
   * Constructs it.
   *
   * @param options The channel, and the call.
   */
  constructor(options: CallChannelOptions) {
    this.#options = options;
  }

  /**
   * Takes the next message.
   *
   * @param timeoutMs How long to wait; with 0 it takes what is there.
   * @returns The message; undefined if none came in time.
   * @throws {GuestFault} With status `closed`, `too-large`, `failed`.
   */
  async receive(
    timeoutMs: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { channel, scope, messageBytes, countMessage, fail } = this.#options;
    const operation = new Operation("a message");
    const { signal } = operation;
    const late = new DOMException("No message came in time", "TimeoutError");
    // the channel alone decides whether the message or the end came first
    const timer = timeoutMs === Infinity
      ? undefined
      : setTimeout(() => operation.cancel(late), timeoutMs);
    let message: unknown;
    try {
      const taken = promised(() => channel.receive({ signal }));
      message = await scope.wait(operation, taken);
    } catch (error) {
      if (error === late) return undefined;
      throw told("receive", error, fail);
    } finally {
      clearTimeout(timer);
    }
    if (message === undefined) throw closed();
    countMessage();
    const bytes = encode(channel, message, fail);
    if (bytes.length <= messageBytes) return bytes;
    throw new GuestFault(
      "too-large",
      "the message is longer than messageBytes, and was dropped",
    );
  }

  /**
   * Sends a message; waits for room.
   *
   * @param bytes The message.
   * @throws {GuestFault} With status `closed`, `invalid`, `too-large`, `failed`.
   */
  async send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { channel, scope, messageBytes, countMessage, fail } = this.#options;
    if (bytes.length > messageBytes) {
      throw new GuestFault(
        "too-large",
        "the message is longer than messageBytes",
      );
    }
    const message = decode(channel, bytes);
    countMessage();
    const operation = new Operation("room in the channel");
    const { signal } = operation;
    try {
      const sent = promised(() => channel.sendResult(message, { signal }));
      await scope.wait(operation, sent);
    } catch (error) {
      throw told("send", error, fail);
    }
  }
}

/** What an error of the channel is to the guest. */
function told(
  name: string,
  error: unknown,
  fail: CallChannelOptions["fail"],
): GuestFault {
  if (isFault(error)) return error;
  const status = isSandboxError(error) ? STATUSES[error.code] : undefined;
  if (status === undefined) return fail(name, error);
  return status === "closed"
    ? closed()
    : new GuestFault(status, reasonOf(error), { cause: error });
}

/** What a class of the host's throws at once is no other than what it rejects. */
async function promised<T>(run: () => Promise<T>): Promise<T> {
  return await run();
}

function decode(channel: Channel, bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    return channel.resultCodec.decode(bytes);
  } catch (cause) {
    throw new GuestFault("invalid", `the message: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function encode(
  channel: Channel,
  message: unknown,
  fail: CallChannelOptions["fail"],
): Uint8Array<ArrayBuffer> {
  try {
    return channel.requestCodec.encode(message);
  } catch (error) {
    throw fail("receive", error);
  }
}

function closed(): GuestFault {
  return new GuestFault("closed", "the channel is closed");
}
