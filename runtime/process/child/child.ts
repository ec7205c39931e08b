/**
 * Does what the host asks for, one message after the other.
 *
 * @module
 */

import { SandboxError, type SerializedError } from "../../../errors.ts";
import type { InlineInstance } from "../../inline_instance.ts";
import { FRAME, type Header, type Message } from "../frames.ts";
import type {
  Call,
  Exchange,
  Execute,
  Instantiate,
  Open,
  SentModule,
  SentUsage,
} from "../messages.ts";
import { decodeNumber, encodeNumber } from "../numbers.ts";
import { decodeFiles, encodeFiles } from "../files.ts";
import { type OpenGuest, openGuest } from "./guest.ts";
import type { Pipe } from "./pipe.ts";
import { hostStreams } from "./stdio.ts";
import { watchHost } from "./watch.ts";

/** What an operation gives. */
interface Result {
  readonly header?: Header;
  readonly body?: Uint8Array;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** The guest of this process, and what its host wants of it. */
export class Child {
  readonly #pipe: Pipe;
  #guest: OpenGuest | undefined;
  #instance: InlineInstance | undefined;

  /**
   * Constructs it.
   *
   * @param pipe The way to the host.
   */
  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /**
   * Does what a message asks for.
   *
   * @param message The message.
   */
  async handle({ type, header, body }: Message): Promise<void> {
    const data: unknown = header;
    switch (type) {
      case FRAME.open:
        return await this.#answer(0, () => this.#open(data as Open, body));
      case FRAME.instantiate: {
        const request = data as Instantiate;
        return await this.#answer(request.id, () => this.#make(request));
      }
      case FRAME.call: {
        const request = data as Call;
        return await this.#answer(request.id, () => this.#call(request));
      }
      case FRAME.exchange: {
        const request = data as Exchange;
        return await this.#answer(
          request.id,
          () => this.#exchange(request, body),
        );
      }
      case FRAME.execute: {
        const request = data as Execute;
        return await this.#answer(
          request.id,
          () => this.#execute(request, body),
        );
      }
      case FRAME.fuel:
        return this.#instance?.setFuel(Number(header["fuel"]));
      case FRAME.release:
        return await this.#release();
      default:
        throw new Error(`unexpected message ${type}`);
    }
  }

  async #answer(
    id: number,
    work: () => Result | Promise<Result>,
  ): Promise<void> {
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      this.#guest?.flush();
      this.#pipe.send(FRAME.failed, {
        id,
        error: serialize(error),
        dead: this.#instance?.failure !== undefined,
        ...this.#usage(),
      });
      return;
    }
    this.#guest?.flush();
    const { header, body } = result;
    this.#pipe.send(FRAME.done, { id, ...header, ...this.#usage() }, body);
    if (body !== undefined) letGo(body);
  }

  async #open(open: Open, module: Uint8Array<ArrayBuffer>): Promise<Result> {
    if (Deno.ppid !== open.hostPid) Deno.exit(0);
    if (open.watch) watchHost(open.hostPid);
    const guest = await openGuest(open, module, this.#pipe);
    this.#guest = guest;
    const { imports, exports, memories, features, hasStart } = guest.module;
    const sent: SentModule = {
      imports,
      exports,
      memories,
      features,
      hasStart,
      asks: guest.asks,
    };
    return { body: ENCODER.encode(JSON.stringify(sent)) };
  }

  async #make({ fuel }: Instantiate): Promise<Result> {
    await this.#release();
    if (this.#guest === undefined) throw new Error("no module is open");
    this.#instance = await this.#guest.instantiate(fuel);
    return {};
  }

  #call({ name, args }: Call): Result {
    const numbers = args.map((text) => decodeNumber(text) ?? 0);
    const result = this.#live().callSync(name, numbers);
    const results = result === undefined
      ? []
      : typeof result === "object"
      ? result
      : [result];
    return { header: { values: results.map(encodeNumber) } };
  }

  #exchange(
    { name, text, abi }: Exchange,
    body: Uint8Array<ArrayBuffer>,
  ): Result | Promise<Result> {
    const options = abi === undefined ? {} : { abi };
    const instance = this.#live();
    if (this.#guest?.waits) return waitingExchange(instance, name, body, text);
    return {
      body: text
        ? ENCODER.encode(
          instance.exchangeSync(name, DECODER.decode(body), options),
        )
        : instance.exchangeSync(name, body, options),
    };
  }

  async #execute(
    { args, env }: Execute,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<Result> {
    const files = Object.fromEntries(decodeFiles(body));
    const instance = this.#live();
    const run = { args, env, files };
    const exitCode = await instance.run(run, hostStreams(this.#pipe));
    return { header: { exitCode }, body: encodeFiles(instance.files()) };
  }

  #live(): InlineInstance {
    if (this.#instance !== undefined) return this.#instance;
    throw new Error("there is no instance");
  }

  async #release(): Promise<void> {
    const instance = this.#instance;
    this.#instance = undefined;
    await instance?.[Symbol.asyncDispose]();
  }

  #usage(): { readonly usage?: SentUsage } {
    const usage: object | undefined = this.#instance?.usage();
    // what is undefined is left out of JSON
    return usage === undefined ? {} : { usage: { ...usage } };
  }
}

/** Gives the memory of a long reply back at once: to collect it takes longer. */
function letGo({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < LONG_BYTES || buffer.byteLength !== byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

const LONG_BYTES = 64 * 2 ** 10;

function serialize(error: unknown): SerializedError {
  if (SandboxError.is(error)) return fitting(error.toJSON());
  const { name, message } = error instanceof Error
    ? error
    : new Error(String(error));
  return { name, message };
}

/** Names of a guest's may be too long or too many for a header. */
function fitting(error: SerializedError): SerializedError {
  const text = JSON.stringify(error);
  if (text.length <= MAX_ERROR_LENGTH) return error;
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value === "string") return value.slice(0, MAX_TEXT_LENGTH);
    return Array.isArray(value) ? value.slice(0, MAX_LIST_LENGTH) : value;
  });
}

const MAX_ERROR_LENGTH = 2 ** 20;
const MAX_TEXT_LENGTH = 500;
const MAX_LIST_LENGTH = 500;

/** An exchange with a plug-in, which may have to wait for a linked command. */
async function waitingExchange(
  instance: InlineInstance,
  name: string,
  body: Uint8Array<ArrayBuffer>,
  text: boolean,
): Promise<Result> {
  if (!text) return { body: await instance.exchange(name, body) };
  const reply = await instance.exchange(name, DECODER.decode(body));
  return { body: ENCODER.encode(reply) };
}
