/**
 * Connects by processes, each of which may reach one address and port only.
 *
 * @module
 */

import { Brokers } from "./broker/brokers.ts";
import { readAddresses, readOutcome } from "./broker/messages.ts";
import type { DialOutcome, DialRequest } from "./dial.ts";
import type { ResolvedHttpOptions } from "./options.ts";
import { grantOf, type Transport } from "./transport.ts";

/**
 * Has brokers find hosts and connect to them: Deno's own permissions lie beneath
 * the policy, and this process needs none for the network.
 */
export class BrokerTransport implements Transport {
  readonly #brokers: Brokers;

  /**
   * Constructs it; nothing starts yet.
   *
   * @param options What bounds the requests.
   */
  constructor(
    { maxResponseBytes }: Pick<ResolvedHttpOptions, "maxResponseBytes">,
  ) {
    this.#brokers = new Brokers({ bodyBytes: maxResponseBytes });
  }

  /** Process ids of the brokers that live. */
  get pids(): readonly number[] {
    return this.#brokers.pids;
  }

  /** As {@linkcode Transport.resolve}. */
  resolve(host: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#brokers.ask(
      { key: `resolve ${host}`, net: host },
      {
        question: (id) => ({ id, what: "resolve", host }),
        maxBody: 0,
        signal,
      },
      readAddresses,
    );
  }

  /** As {@linkcode Transport.dial}. */
  dial(request: DialRequest, signal: AbortSignal): Promise<DialOutcome> {
    const { body, ...head } = request;
    const net = grantOf(request);
    const { isSecure, serverName } = request;
    return this.#brokers.ask(
      // what has been talked to for one host does not talk for another
      { key: JSON.stringify([net, isSecure, serverName]), net },
      {
        question: (id) => ({ id, what: "dial", request: head }),
        body,
        maxBody: request.maxResponseBytes,
        signal,
      },
      (message, id) => readOutcome(message, id, request),
    );
  }

  /** Ends every broker. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#brokers[Symbol.asyncDispose]();
  }
}
