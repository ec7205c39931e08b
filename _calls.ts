/** Calls of a sandbox: numbers or messages, at once or in turn. */

import type { Guest } from "./_guest.ts";
import type { MessageCounter } from "./_messages.ts";
import { quote } from "./_text.ts";
import { pluginHandlers } from "./communication/extism/handlers.ts";
import { messageHandlers } from "./communication/guest_abi.ts";
import { parseJson, stringifyJson } from "./communication/json.ts";
import type {
  GuestCallOptions,
  GuestExchangeOptions,
  GuestInstance,
} from "./runtime/guest_source.ts";
import type { GuestAbi, WasmValue } from "./runtime/types.ts";
import type { SandboxCallOptions } from "./sandbox_options.ts";

/** Makes the calls of one sandbox, and counts them. */
export class Calls {
  /** How many were made. */
  count = 0;
  readonly #guest: Guest;
  readonly #plain: GuestExchangeOptions;
  readonly #messages: MessageCounter;
  /** Aborted when the sandbox is disposed. */
  readonly #disposal: AbortSignal;
  /** Exports that take messages, and not numbers. */
  readonly #handlers: ReadonlySet<string>;
  readonly #fresh: boolean;
  readonly #sync: boolean;

  constructor(
    guest: Guest,
    { abi, isPlugin, messages, disposal }: {
      readonly abi: GuestAbi | undefined;
      /** Whether the guest is an Extism plug-in. */
      readonly isPlugin: boolean;
      readonly messages: MessageCounter;
      /** Aborted when the sandbox is disposed. */
      readonly disposal: AbortSignal;
    },
  ) {
    const { source, policy } = guest.parts;
    this.#guest = guest;
    this.#messages = messages;
    this.#disposal = disposal;
    this.#plain = abi === undefined ? {} : { abi };
    const { exports } = source.module;
    this.#handlers = isPlugin
      ? pluginHandlers(exports)
      : messageHandlers(exports, abi);
    this.#fresh = policy === "fresh";
    this.#sync = source.features.sync && !source.mayWait;
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
    return this.#sync && options?.source === undefined &&
        options?.sink === undefined
      ? this.send(instance, name, input, options)
      : this.#sendAsync(instance, name, input, options);
  }

  /** Makes a call in the calling thread. */
  send(
    instance: GuestInstance,
    name: string,
    input: unknown,
    options: SandboxCallOptions | undefined,
  ): unknown {
    this.count++;
    if (this.#isRaw(name, options)) {
      return instance.callSync(name, this.#numbers(name, input), options);
    }
    const request = encode(name, input, options);
    this.#messages.count();
    return this.#decode(
      name,
      instance.exchangeSync(name, request, this.#exchange(options)),
    );
  }

  async #sendAsync(
    instance: GuestInstance,
    name: string,
    input: unknown,
    options: SandboxCallOptions | undefined,
  ): Promise<unknown> {
    this.count++;
    if (this.#isRaw(name, options)) {
      const numbers = this.#numbers(name, input);
      return await instance.call(name, numbers, this.#options(options));
    }
    const request = encode(name, input, options);
    this.#messages.count();
    return this.#decode(
      name,
      await instance.exchange(name, request, this.#exchange(options)),
    );
  }

  #decode(name: string, reply: string | Uint8Array): unknown {
    this.#messages.count();
    return typeof reply === "string" ? parseJson(name, reply) : reply;
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

  #exchange(options: SandboxCallOptions | undefined): GuestExchangeOptions {
    if (options === undefined) return this.#plain;
    return { ...this.#plain, ...this.#options(options) };
  }

  /** What of the options an instance is told. */
  #options(
    { signal, timeoutMs, source, sink }: SandboxCallOptions = {},
  ): GuestCallOptions {
    const bounds = {
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    if (source === undefined && sink === undefined) return bounds;
    const signals = signal === undefined
      ? [this.#disposal]
      : [signal, this.#disposal];
    const streams = {
      ...bounds,
      ...(source === undefined ? {} : { source }),
      ...(sink === undefined ? {} : { sink }),
      signal: AbortSignal.any(signals),
    };
    return { ...bounds, streams };
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
