/**
 * The conformance suite for channels.
 *
 * @module
 */

import type { Channel, Codec, MaybePromise } from "../communication/types.ts";
import { check, soon } from "./_check.ts";
import { denoTest } from "./_declare.ts";
import {
  type Direction,
  type MakeMessage,
  requestsOf,
  resultsOf,
} from "./_direction.ts";
import { END_CASES } from "./_end_cases.ts";
import { FLOW_CASES } from "./_flow_cases.ts";
import {
  interleave,
  MESSAGE_CASES,
  type MessageLimits,
} from "./_message_cases.ts";

/**
 * Options of {@linkcode testChannel}. The defaults are right for channels whose
 * codecs are `json` or `bytes`.
 *
 * @typeParam T What the host sends.
 * @typeParam R What the guest sends.
 */
export interface ChannelSuiteOptions<T = unknown, R = unknown> {
  /**
   * Registers a test with your runner.
   *
   * @default {Deno.test, with its sanitizers on}
   */
  test?: (name: string, run: () => Promise<void>) => void;
  /**
   * Makes a request: another for each index, of about `length` bytes.
   *
   * @default {what the codec takes}
   */
  request?: (index: number, length: number) => T;
  /**
   * Makes a result: another for each index, of about `length` bytes.
   *
   * @default {what the codec takes}
   */
  result?: (index: number, length: number) => R;
  /**
   * Longest message that the channel carries, in bytes.
   *
   * @default {1048576}
   */
  maxBytes?: number;
  /**
   * How many messages travel each way in the longest test.
   *
   * @default {10000}
   */
  messages?: number;
  /**
   * Bytes that both codecs have to refuse.
   *
   * @default {for json: what is no UTF-8, no JSON or too deep}
   */
  malformed?: readonly Uint8Array[];
  /**
   * Values that `send` and `sendResult` have to refuse.
   *
   * @default {for json: what JSON cannot hold; for bytes: what is no bytes}
   */
  unsendable?: readonly unknown[];
}

/**
 * Registers the tests that every channel has to pass: the whole contract of
 * `Channel`, in both directions. Order, bounds, waiting, cancellation, the end,
 * counters, large messages and malformed ones, and 10,000 messages each way.
 *
 * @example A whole test file
 * ```ts ignore
 * import { MemoryChannel } from "@wasm-sandbox/core/communication";
 * import { testChannel } from "@wasm-sandbox/core/testing";
 *
 * testChannel("MemoryChannel", () => new MemoryChannel());
 * ```
 *
 * @typeParam T What the host sends.
 * @typeParam R What the guest sends.
 * @param name Name of the class, for the names of the tests.
 * @param make Makes a channel, another for each test.
 * @param options Messages and bounds, where the defaults do not fit.
 */
export function testChannel<T, R>(
  name: string,
  make: () => MaybePromise<Channel<T, R>>,
  options: ChannelSuiteOptions<T, R> = {},
): void {
  const { test = denoTest } = options;
  const add = (title: string, run: (suite: Suite) => Promise<void>) =>
    test(`${name}.${title}`, async () => {
      await using channel: Channel = await make();
      await run(suiteOf(channel, options));
    });
  const addBoth = (title: string, run: DirectionRun) => {
    add(
      `send() ${title}`,
      (suite) => run(suite.requests, suite.results, suite),
    );
    add(
      `sendResult() ${title}`,
      (suite) => run(suite.results, suite.requests, suite),
    );
  };

  add("channelType is a name", ({ requests: { channel } }) => {
    const { channelType } = channel;
    check(
      typeof channelType === "string" && channelType !== "",
      "its channelType is no name",
    );
    return Promise.resolve();
  });
  for (const { name, run } of [...FLOW_CASES, ...END_CASES]) addBoth(name, run);
  for (const { name, run } of MESSAGE_CASES) {
    addBoth(name, (direction, _, { limits }) => run(direction, limits));
  }
  add("send() and sendResult() carry many messages at once", (suite) => {
    const { requests, results, limits: { messages } } = suite;
    const travelling = interleave(requests, results, messages);
    return soon(travelling, `${messages} messages each way`);
  });
}

/** A channel under test. */
interface Suite {
  readonly requests: Direction;
  readonly results: Direction;
  readonly limits: MessageLimits;
}

type DirectionRun = (
  direction: Direction,
  other: Direction,
  suite: Suite,
) => Promise<void>;

function suiteOf(
  channel: Channel,
  {
    request,
    result,
    maxBytes = 2 ** 20,
    messages = 10_000,
    malformed,
    unsendable,
  }: ChannelSuiteOptions,
): Suite {
  const { requestCodec, resultCodec } = channel;
  const defaults = DEFAULTS[requestCodec.name];
  return {
    requests: requestsOf(channel, request ?? makerOf(requestCodec, "request")),
    results: resultsOf(channel, result ?? makerOf(resultCodec, "result")),
    limits: {
      maxBytes,
      messages,
      malformed: malformed ?? defaults?.malformed ?? [],
      unsendable: unsendable ?? defaults?.unsendable ?? [],
    },
  };
}

/** What a codec takes, and what it does not. */
interface CodecDefaults {
  readonly make: MakeMessage;
  readonly malformed: readonly Uint8Array[];
  readonly unsendable: readonly unknown[];
}

const DEFAULTS: Readonly<Record<string, CodecDefaults | undefined>> = {
  json: {
    make: (index, length) => ({ index, text: "é".repeat(length / 2) }),
    malformed: [
      Uint8Array.of(),
      Uint8Array.of(0x22, 0xff, 0x22),
      new TextEncoder().encode("{"),
      new TextEncoder().encode("[".repeat(100_000) + "]".repeat(100_000)),
    ],
    unsendable: [1n, NaN, { deep: [-Infinity] }, () => {}],
  },
  bytes: {
    make: (index, length) => {
      const bytes = new Uint8Array(Math.max(length, 4));
      new DataView(bytes.buffer).setUint32(0, index);
      return bytes;
    },
    malformed: [],
    unsendable: [undefined, "text", { length: 1 }],
  },
};

function makerOf({ name }: Codec<unknown>, what: string): MakeMessage {
  const make = Object.hasOwn(DEFAULTS, name) ? DEFAULTS[name]?.make : undefined;
  if (make !== undefined) return make;
  throw new TypeError(
    `Cannot make messages for the codec "${name}": give the suite a ${what}`,
  );
}
