/** Handlers that read a request and write a reply piece by piece. */

import { GuestFault } from "../../communication/fault.ts";
import type { HostFunctionOptions } from "../../communication/host_functions.ts";
import type { OperationOptions } from "../../runtime/types.ts";
import { Sandbox } from "../../sandbox.ts";
import type { SandboxOptions } from "../../sandbox_options.ts";
import type { GuestPool } from "../guest_pool.ts";
import type { Bodies } from "./body.ts";
import { type BodyStream, tooLarge } from "./body_stream.ts";
import type { Answer, Exchange } from "./exchange.ts";
import { type Answerer, forwardsOf, wholeAnswer } from "./handler.ts";
import type { Header } from "./head.ts";
import { formatOf, type MessageFormat } from "./message.ts";
import { checkHead } from "./reply.ts";
import { ReplyStream } from "./reply_body.ts";
import type { Settings } from "./settings.ts";
import { lend } from "./waiting.ts";

/** Name of the function by which a guest begins its reply. */
export const RESPOND = "http.respond";

/** Takes the head of the reply that a guest is working on. */
type Respond = (head: unknown) => void;

/** Makes guests that can begin a reply, and knows where it goes. */
export class Responders {
  readonly #current = new WeakMap<Sandbox, { respond: Respond | undefined }>();

  /** Makes a guest; for the option `open` of a pool. */
  readonly open = async (
    options: SandboxOptions,
    operation: OperationOptions,
  ): Promise<Sandbox> => {
    const current: { respond: Respond | undefined } = { respond: undefined };
    const respond: HostFunctionOptions = {
      handler: (head) => {
        if (current.respond === undefined) {
          throw new GuestFault("unknown", "there is no request to respond to");
        }
        current.respond(head);
        return null;
      },
    };
    const { hostFunctions } = options;
    const sandbox = await Sandbox.create({
      ...options,
      hostFunctions: { ...hostFunctions, [RESPOND]: respond },
    }, operation);
    this.#current.set(sandbox, current);
    return sandbox;
  };

  /**
   * Says where a guest's reply goes.
   *
   * @param sandbox The guest.
   * @param respond Takes the head; undefined when there is no request any more.
   */
  set(sandbox: Sandbox, respond: Respond | undefined): void {
    const current = this.#current.get(sandbox);
    if (current !== undefined) current.respond = respond;
  }
}

/** What a handler streams. */
export interface StreamingDirections {
  /** Whether it reads the request's body piece by piece. */
  readonly reads: boolean;
  /** Whether it writes the reply's body piece by piece. */
  readonly writes: boolean;
}

/** What is there for one call. */
interface Call {
  readonly exchange: Exchange;
  readonly message: Uint8Array;
  readonly source: BodyStream | undefined;
  readonly reply: ReplyStream | undefined;
}

const NOTHING = new Uint8Array();

/** Answers by guests that read or write piece by piece. */
export class StreamingHandler implements Answerer {
  readonly #pool: GuestPool;
  readonly #settings: Settings;
  readonly #bodies: Bodies;
  readonly #directions: StreamingDirections;
  readonly #responders: Responders;
  readonly #forwards: ReadonlySet<string> | undefined;
  readonly #format: MessageFormat;
  readonly #maxMessageBytes: number;

  constructor(
    pool: GuestPool,
    settings: Settings,
    { bodies, directions, responders, maxMessageBytes }: {
      readonly bodies: Bodies;
      readonly directions: StreamingDirections;
      readonly responders: Responders;
      readonly maxMessageBytes: number;
    },
  ) {
    this.#pool = pool;
    this.#settings = settings;
    this.#bodies = bodies;
    this.#directions = directions;
    this.#responders = responders;
    this.#forwards = forwardsOf(settings);
    this.#format = formatOf(settings.format, settings);
    this.#maxMessageBytes = maxMessageBytes;
  }

  async answer(exchange: Exchange): Promise<Answer> {
    const settings = this.#settings;
    const { reads, writes } = this.#directions;
    const headers = exchange.headers(settings, this.#forwards);
    this.#bodies.declaredLength(exchange);
    const body = reads ? NOTHING : await this.#bodies.read(exchange);
    const message = this.#message(exchange, headers, body);
    const reply = writes
      ? new ReplyStream(exchange.signal, settings.maxResponseBytes)
      : undefined;
    const source = reads ? this.#bodies.stream(exchange) : undefined;
    const whole = this.#run({ exchange, message, source, reply });
    if (reply === undefined) return await whole;
    void reply.begun.then(() =>
      source?.readAhead((problem) => reply.cut(problem))
    );
    // what comes first: a head, a whole reply, or a failure
    return await Promise.race([reply.begun, whole]);
  }

  #message(
    exchange: Exchange,
    headers: Header[],
    body: Uint8Array,
  ): Uint8Array {
    const message = this.#format.write({ exchange, headers, body }, false);
    if (message.length > this.#maxMessageBytes) throw tooLarge();
    return message;
  }

  /** Runs the guest; what it gives matters only if no reply has begun. */
  async #run(call: Call): Promise<Answer> {
    const { source, reply, exchange } = call;
    let failure: unknown;
    try {
      const message = await this.#ask(call);
      if (reply?.hasBegun) return await reply.begun;
      return this.#whole(exchange, message);
    } catch (error) {
      failure = source?.problem ?? reply?.problem ?? error;
      if (reply?.hasBegun) return await reply.begun;
      throw failure;
    } finally {
      source?.[Symbol.dispose]();
      reply?.end(failure);
    }
  }

  #ask({ exchange, message, source, reply }: Call): Promise<Uint8Array> {
    const { handler } = this.#settings;
    const signal = reply?.gone ?? exchange.signal;
    return lend(this.#pool, exchange, async (sandbox) => {
      this.#responders.set(
        sandbox,
        reply && ((head) => this.#respond(exchange, reply, head)),
      );
      try {
        return await sandbox.call<Uint8Array>(handler, message, {
          abi: "bytes",
          signal,
          ...(source === undefined ? {} : { source: source.readable() }),
          ...(reply === undefined ? {} : { sink: reply.writable }),
        });
      } finally {
        this.#responders.set(sandbox, undefined);
      }
    });
  }

  #respond(exchange: Exchange, reply: ReplyStream, given: unknown): void {
    if (reply.hasBegun) {
      throw new GuestFault("invalid", "the reply has begun already");
    }
    const { status, headers } = (given ?? {}) as {
      readonly status?: unknown;
      readonly headers?: unknown;
    };
    try {
      reply.begin(exchange, checkHead(status, headers, this.#settings));
    } catch (cause) {
      const { message = "" } = (cause as Error).cause as Error;
      throw new GuestFault("invalid", message, { cause });
    }
  }

  #whole(exchange: Exchange, message: Uint8Array): Answer {
    const { maxResponseBytes } = this.#settings;
    return wholeAnswer(exchange, this.#format.read(message), maxResponseBytes);
  }
}
