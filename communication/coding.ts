/**
 * Messages through codecs, with the errors that a channel promises.
 *
 * @module
 */

import { quote, reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { Codec } from "./types.ts";

/**
 * Writes a message for a channel.
 *
 * @typeParam T Type of the message.
 * @param channelType The channel.
 * @param codec Its codec.
 * @param message The message.
 * @returns Its bytes.
 * @throws {SandboxError} With code `invalid-message`.
 */
export function encodeMessage<T>(
  channelType: string,
  codec: Codec<T>,
  message: T,
): Uint8Array<ArrayBuffer> {
  try {
    return codec.encode(message);
  } catch (cause) {
    throw invalidMessage(channelType, "send", cause);
  }
}

/**
 * Reads a message of a channel.
 *
 * @typeParam T Type of the message.
 * @param channelType The channel.
 * @param codec Its codec.
 * @param bytes The bytes.
 * @returns The message.
 * @throws {SandboxError} With code `invalid-message`.
 */
export function decodeMessage<T>(
  channelType: string,
  codec: Codec<T>,
  bytes: Uint8Array,
): T {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw invalidMessage(channelType, "receive", cause);
  }
}

/**
 * The error of a channel that is closed.
 *
 * @param channelType The channel.
 * @returns The error.
 */
export function channelClosed(
  channelType: string,
): SandboxError<"channel-closed"> {
  return new SandboxError(
    "channel-closed",
    `Cannot use the ${quote(channelType)} channel: it is closed`,
    { details: { channel: channelType } },
  );
}

/**
 * The error of a message that no channel of this size could carry.
 *
 * @param channelType The channel.
 * @param allowed Most bytes that it holds.
 * @param used Length of the message.
 * @returns The error.
 */
export function messageTooLong(
  channelType: string,
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = `give the channel a maxBytes of at least ${used}`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot send a message of ${used} bytes: the ${
      quote(channelType)
    } channel holds ${allowed} (${suggestion})`,
    { details: { limit: "maxBytes", allowed, used, suggestion } },
  );
}

function invalidMessage(
  channelType: string,
  doing: "send" | "receive",
  cause: unknown,
): SandboxError<"invalid-message"> {
  const problem = reasonOf(cause);
  return new SandboxError(
    "invalid-message",
    `Cannot ${doing} through the ${quote(channelType)} channel: ${problem}`,
    { cause, details: { where: `${channelType} channel`, problem } },
  );
}
