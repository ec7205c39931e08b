/** Handlers: exports that take a request and give a reply. */

import { SandboxError } from "../../errors.ts";
import type { SandboxCallOptions } from "../../sandbox_options.ts";
import type { GuestPool } from "../guest_pool.ts";
import type { Bodies } from "./body.ts";
import { tooLarge } from "./body_stream.ts";
import type { Answer, Exchange } from "./exchange.ts";
import {
  formatOf,
  type MessageFormat,
  type Reply,
  type RequestParts,
} from "./message.ts";
import { badReply } from "./problem.ts";
import { hasBody, toResponse } from "./reply.ts";
import type { Settings } from "./settings.ts";
import { replyToUnread } from "./unread.ts";
import { lend } from "./waiting.ts";

/** Something that answers by a guest. */
export interface Answerer {
  /**
   * Answers a request without a body, whose turn it is, before it returns.
   *
   * @param exchange The request.
   * @returns The answer; undefined if it takes longer.
   * @throws {HttpProblem} Or anything that a sandbox throws.
   */
  answerNow?(exchange: Exchange): Answer | undefined;
  /**
   * Answers a request, whose turn it is.
   *
   * @param exchange The request.
   * @returns The answer.
   * @throws {HttpProblem} Or anything that a sandbox throws.
   */
  answer(exchange: Exchange): Promise<Answer>;
}

const ENCODER = new TextEncoder();
const NOTHING = new Uint8Array();
const AS_BYTES: SandboxCallOptions = Object.freeze({ abi: "bytes" });

/** Answers by messages that are there as a whole. */
export class Handler implements Answerer {
  readonly #pool: GuestPool;
  readonly #settings: Settings;
  readonly #format: MessageFormat;
  readonly #forwards: ReadonlySet<string> | undefined;
  readonly #bodies: Bodies;
  readonly #isSync: boolean;
  readonly #maxMessageBytes: number;

  constructor(
    pool: GuestPool,
    settings: Settings,
    { bodies, isSync, maxMessageBytes }: {
      readonly bodies: Bodies;
      /** Whether a call is over when it returns: nothing can happen meanwhile. */
      readonly isSync: boolean;
      readonly maxMessageBytes: number;
    },
  ) {
    this.#pool = pool;
    this.#settings = settings;
    this.#format = formatOf(settings.format, settings);
    this.#forwards = forwardsOf(settings);
    this.#bodies = bodies;
    this.#isSync = isSync;
    this.#maxMessageBytes = maxMessageBytes;
  }

  answerNow(exchange: Exchange): Answer | undefined {
    if (!this.#isSync || !this.#pool.isFree) return undefined;
    const headers = exchange.headers(this.#settings, this.#forwards);
    return this.#callNow({ exchange, headers, body: NOTHING });
  }

  async answer(exchange: Exchange): Promise<Answer> {
    const settings = this.#settings;
    const headers = exchange.headers(settings, this.#forwards);
    const body = await this.#bodies.read(exchange);
    const request = { exchange, headers, body };
    if (this.#isSync && this.#pool.isFree) return this.#callNow(request);
    return this.#answerBy(exchange, await this.#call(request));
  }

  #callNow(request: RequestParts): Answer {
    const { handler } = this.#settings;
    const message = this.#message(request, true);
    // of bytes, and without options, which would have to be looked at
    const reply = this.#pool.useNow((sandbox) =>
      sandbox.callSync<Uint8Array>(handler, message)
    );
    return this.#answerBy(request.exchange, reply);
  }

  #call(request: RequestParts): Promise<Uint8Array> {
    const { handler } = this.#settings;
    const message = this.#message(request, false);
    // a guest that cannot wait holds up the signal, too
    const options = this.#isSync
      ? AS_BYTES
      : { ...AS_BYTES, signal: request.exchange.signal };
    return lend(
      this.#pool,
      request.exchange,
      (sandbox) => sandbox.call<Uint8Array>(handler, message, options),
    );
  }

  #message(request: RequestParts, isShared: boolean): Uint8Array {
    const message = this.#format.write(request, isShared);
    if (message.length > this.#maxMessageBytes) throw tooLarge();
    return message;
  }

  #answerBy(exchange: Exchange, reply: Uint8Array): Answer {
    const { maxResponseBytes } = this.#settings;
    return wholeAnswer(exchange, this.#format.read(reply), maxResponseBytes);
  }
}

/**
 * A reply that is there as a whole, as an answer.
 *
 * @param exchange The request.
 * @param reply The reply, its head checked.
 * @param maxBytes How long its body may be.
 * @returns The answer.
 * @throws {HttpProblem} With status 502 if the body is longer.
 */
export function wholeAnswer(
  exchange: Exchange,
  { head, body }: Reply,
  maxBytes: number,
): Answer {
  const bytes = typeof body === "string" ? utf8Length(body) : body.length;
  if (bytes > maxBytes) throw badReply("its body is too long");
  if (!hasBody(exchange.method, head.status)) {
    return { response: toResponse(head, null), bytes: 0 };
  }
  if (!exchange.isUnread) return { response: toResponse(head, body), bytes };
  const whole = typeof body === "string" ? ENCODER.encode(body) : body;
  return { response: replyToUnread(exchange.request, whole, head.init), bytes };
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // half of a pair that takes four bytes; one alone becomes U+FFFD, of three
    const isPair = unit >= 0xd800 && unit <= 0xdbff &&
      (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : isPair ? 4 : 3;
    if (isPair) at++;
  }
  return bytes;
}

/**
 * The names of the headers that a guest is told of.
 *
 * @param settings The settings.
 * @returns The names in lower case; undefined for all.
 */
export function forwardsOf(
  { forwardHeaders }: Settings,
): ReadonlySet<string> | undefined {
  return forwardHeaders &&
    new Set(forwardHeaders.map((name) => name.toLowerCase()));
}

/** The error of a handler that takes no messages. */
export function noHandler(name: string): SandboxError<"guest-protocol"> {
  const problem = "it takes no messages: its type must be (i32, i32) -> i64, " +
    "and the guest must export wasm_sandbox_alloc";
  return new SandboxError(
    "guest-protocol",
    `Cannot serve by the export "${name}": ${problem}`,
    { details: { export: name, problem } },
  );
}
