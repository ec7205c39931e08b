/** Calls of a sandbox: numbers or messages, at once or in turn. */

import type { Guest } from "./_guest.ts";
import { quote } from "./_text.ts";
import { messageHandlers } from "./communication/guest_abi.ts";
import { parseJson, stringifyJson } from "./communication/json.ts";
import { SandboxError } from "./errors.ts";
import type {
  ExchangeOptions,
  GuestAbi,
  Instance,
  WasmValue,
} from "./runtime/types.ts";
import type { LimitUsage, SandboxCallOptions } from "./sandbox_options.ts";

/** Makes the calls of one sandbox, and counts them. */
export class Calls {
  /** How many were made. */
  count = 0;
  readonly #guest: Guest;
  readonly #plain: ExchangeOptions;
  /** Exports that take messages, and not numbers. */
  readonly #handlers: ReadonlySet<string>;
  readonly #fresh: boolean;
  readonly #sync: boolean;
  #messages = 0;

  constructor(guest: Guest, abi: GuestAbi | undefined) {
    const { source, policy } = guest.parts;
    this.#guest = guest;
    this.#plain = abi === undefined ? {} : { abi };
    this.#handlers = messageHandlers(source.module.exports, abi);
    this.#fresh = policy === "fresh";
    this.#sync = source.features.sync;
  }

  /** What was used of the limit of messages, if there is one. */
  usage(): Readonly<{ messages?: LimitUsage }> {
    const { messages: allowed } = this.#guest.parts.limits;
    return allowed === undefined
      ? {}
      : { messages: { allowed, used: this.#messages } };
  }

  /** Makes a call, on the instance that its policy wants. */
  dispatch(
    name: string,
    input: unknown,
    options: SandboxCallOptions | undefined,
  ): unknown {
    if (this.#fresh) {
      return this.#guest.fresh(
        (instance) => this.#sendAsync(instance, name, input, options),
        options ?? {},
      );
    }
    const { instance } = this.#guest;
    return this.#sync
      ? this.send(instance, name, input, options)
      : this.#sendAsync(instance, name, input, options);
  }

  /** Makes a call in the calling thread. */
  send(
    instance: Instance,
    name: string,
    input: unknown,
    options: SandboxCallOptions | undefined,
  ): unknown {
    this.count++;
    if (this.#isRaw(name, options)) {
      return instance.callSync(name, this.#numbers(name, input), options);
    }
    const request = encode(name, input, options);
    this.#countMessage();
    return this.#decode(
      name,
      instance.exchangeSync(name, request, this.#exchange(options)),
    );
  }

  async #sendAsync(
    instance: Instance,
    name: string,
    input: unknown,
    options: SandboxCallOptions | undefined,
  ): Promise<unknown> {
    this.count++;
    if (this.#isRaw(name, options)) {
      return await instance.call(name, this.#numbers(name, input), options);
    }
    const request = encode(name, input, options);
    this.#countMessage();
    return this.#decode(
      name,
      await instance.exchange(name, request, this.#exchange(options)),
    );
  }

  #decode(name: string, reply: string | Uint8Array): unknown {
    this.#countMessage();
    return typeof reply === "string" ? parseJson(name, reply) : reply;
  }

  /** Counts a request or a reply. */
  #countMessage(): void {
    const { messages } = this.#guest.parts.limits;
    if (messages === undefined) return;
    if (this.#messages >= messages) throw tooManyMessages(messages);
    this.#messages++;
  }

  #numbers(name: string, input: unknown): readonly WasmValue[] {
    if (input === undefined) return NOTHING;
    if (Array.isArray(input)) return input;
    // what does not exist takes nothing: the runtime has the better error
    const { exports } = this.#guest.parts.source.module;
    if (!exports.some((each) => each.name === name)) return NOTHING;
    throw new TypeError(
      `Cannot call ${quote(name)}: it takes numbers, so the input must be an ` +
        "array of them (for JSON the guest must export memory functions)",
    );
  }

  #isRaw(name: string, options: SandboxCallOptions | undefined): boolean {
    const abi = options?.abi;
    return abi === undefined ? !this.#handlers.has(name) : abi === "raw";
  }

  #exchange(options: SandboxCallOptions | undefined): ExchangeOptions {
    if (options === undefined) return this.#plain;
    const { signal, timeoutMs } = options;
    return {
      ...this.#plain,
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
  }
}

const NOTHING: readonly WasmValue[] = Object.freeze([]);

function encode(
  name: string,
  input: unknown,
  options: SandboxCallOptions | undefined,
): string | Uint8Array {
  const { abi } = options ?? {};
  if (abi === undefined ? !(input instanceof Uint8Array) : abi === "json") {
    return stringifyJson(input);
  }
  if (input instanceof Uint8Array) return input;
  throw new TypeError(
    `Cannot call ${quote(name)} with abi "${abi}": the input must be a ` +
      "Uint8Array",
  );
}

function tooManyMessages(allowed: number): SandboxError<"limit-exceeded"> {
  const suggestion = "raise messages, or create another sandbox";
  return new SandboxError(
    "limit-exceeded",
    `Cannot pass another message: messages is ${allowed} (${suggestion})`,
    {
      details: { limit: "messages", allowed, used: allowed + 1, suggestion },
    },
  );
}
