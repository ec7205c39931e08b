/**
 * Requests of a guest, made by its host.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { isAddress } from "../../security/address.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type { Auditor } from "../../security/types.ts";
import { GuestFault } from "../fault.ts";
import type { DialOutcome, DialProblem, DialResponse } from "./dial.ts";
import { Gate } from "./gate.ts";
import { endToEnd, type Header } from "./headers.ts";
import { NetworkMeter, type NetworkUsage } from "./meter.ts";
import {
  type HttpOptions,
  type ResolvedHttpOptions,
  resolveHttpOptions,
} from "./options.ts";
import { nextHop } from "./redirect.ts";
import {
  authorityOf,
  checkRequest,
  type Hop,
  type HttpRequest,
  urlOf,
} from "./request.ts";
import { abortable, type Deadline, deadline } from "./signals.ts";
import { DirectTransport, type Transport } from "./transport.ts";
import { audit, vet } from "./vet.ts";

/** What {@linkcode GuestHttp} is made from. */
export interface GuestHttpOptions {
  /** Decides on each request and each redirect, and records it. */
  readonly auditor: Auditor;
  /** The limits of the guest. */
  readonly limits: Pick<
    ResolvedLimits,
    "messageBytes" | "networkRequests" | "networkBytes"
  >;
  /**
   * Who connects: this process, by its own permissions, or for each address and
   * port a process that is permitted nothing else.
   */
  readonly isolation: "inline" | "process";
  /**
   * What bounds each request.
   *
   * @default {{}}
   */
  readonly options?: HttpOptions;
}

/** A response, as the guest is given it. */
export interface HttpResponse {
  /** Status, from 200 to 999. */
  readonly status: number;
  /** Headers, without those of the connection; names are in lower case. */
  readonly headers: readonly Header[];
  /** Where it came from, after all redirects. */
  readonly url: string;
  /** Body, as it came: nothing is decompressed. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** How many requests of one sandbox are under way at a time. */
const MAX_REQUESTS = 4;
/** Methods whose requests have a body, if only an empty one. */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
/** Chunks of one byte take six; more framing than that is no body's. */
const WIRE_FACTOR = 8;
/** Heads of interim responses, trailers, and the head itself. */
const WIRE_HEADS = 16;

/**
 * Makes requests for a guest: each is checked, then put to the policy, then
 * sent to an address that was checked as well. Nothing of the environment, such
 * as a proxy, has a part in it.
 */
export class GuestHttp implements AsyncDisposable {
  readonly #auditor: Auditor;
  readonly #options: ResolvedHttpOptions;
  readonly #isolation: "inline" | "process";
  readonly #meter: NetworkMeter;
  readonly #gate: Gate;
  readonly #disposal = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #transport: Promise<Transport> | undefined;

  /**
   * Constructs it; nothing starts yet.
   *
   * @param options The policy, the limits, and who connects.
   * @throws {RangeError} If a number is out of range.
   * @throws {TypeError} If an option is not what it must be.
   */
  constructor(options: GuestHttpOptions) {
    const { auditor, limits, isolation } = options;
    this.#auditor = auditor;
    this.#options = resolveHttpOptions(options.options ?? {}, limits);
    this.#isolation = isolation;
    this.#meter = new NetworkMeter(limits);
    // one by one, where each must know what the others have left
    const isMetered = limits.networkBytes !== undefined;
    this.#gate = new Gate(isMetered ? 1 : MAX_REQUESTS);
  }

  /**
   * Makes a request, and follows redirects.
   *
   * @param request What the guest asks for; any text, any bytes.
   * @param options Cancellation.
   * @returns The response.
   * @throws {GuestFault} For the guest: it is told no more than it may know.
   * @throws {SandboxError} With code `limit-exceeded`, which ends the guest,
   * `unsupported` or `process-failed`, if this program cannot connect, or
   * `disposed`.
   */
  async request(
    request: HttpRequest,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<HttpResponse> {
    const hop = checkRequest(request, this.#options);
    const { timeoutMs } = this.#options;
    const { signal: disposal } = this.#disposal;
    using time = deadline(timeoutMs, late, [
      disposal,
      ...(options.signal ? [options.signal] : []),
    ]);
    using _place = await this.#gate.enter(time.signal);
    const work = this.#follow(hop, time);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /**
   * What was used of the limits that are set.
   *
   * @returns What is allowed and what was used, by name.
   */
  usage(): NetworkUsage {
    return this.#meter.usage();
  }

  /** Ends what is under way, and every process that was started for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#disposal.signal.aborted) this.#disposal.abort(disposed());
    await Promise.allSettled(this.#underWay);
    await (await this.#transport)?.[Symbol.asyncDispose]();
  }

  async #follow(first: Hop, time: Deadline): Promise<HttpResponse> {
    const { maxRedirects } = this.#options;
    let hop = first;
    for (let redirects = 0;; redirects++) {
      audit(this.#auditor, hop);
      this.#meter.countRequest();
      const { status, headers, body } = await this.#send(hop, time);
      const next = maxRedirects === 0
        ? undefined
        : nextHop(hop, { status, headers });
      if (next === undefined) {
        const url = urlOf(hop.target);
        return { status, headers: endToEnd(headers), url, body };
      }
      if (redirects === maxRedirects) {
        throw new GuestFault("failed", "the host redirects too often");
      }
      hop = next;
    }
  }

  async #send(hop: Hop, time: Deadline): Promise<DialResponse> {
    const { signal } = time;
    const transport = await (this.#transport ??= this.#open());
    const addresses = await vet(
      this.#auditor,
      hop,
      (host) => this.#resolve(transport, host, signal),
    );
    let problem: DialProblem = "unreachable";
    for (const address of addresses) {
      const outcome = await this.#dial(transport, { hop, address, time });
      if (outcome.state === "done") return outcome.response;
      problem = outcome.problem;
      // nothing was sent yet: another address may do
      if (problem !== "unreachable") break;
    }
    throw FAULTS[problem]();
  }

  async #resolve(
    transport: Transport,
    host: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { resolve } = this.#options;
    if (resolve === undefined) return await transport.resolve(host, signal);
    const found = await abortable(resolve(host, { signal }), signal);
    return [...found].map(String);
  }

  async #dial(
    transport: Transport,
    { hop, address, time }: {
      readonly hop: Hop;
      readonly address: string;
      readonly time: Deadline;
    },
  ): Promise<DialOutcome> {
    const { target, method, headers, body } = hop;
    const { maxHeaderBytes, maxResponseBytes, caCertificates } = this.#options;
    const all = [...hostHeaders(hop), ...headers];
    this.#meter.countBytes(bytesOf(hop, all));
    const mostBytes = WIRE_FACTOR * maxResponseBytes +
      WIRE_HEADS * maxHeaderBytes;
    const outcome = await transport.dial({
      address: address.replaceAll(/[[\]]/g, ""),
      port: target.port,
      isSecure: target.scheme === "https",
      serverName: isAddress(target.host) ? "" : target.host,
      caCertificates,
      method,
      path: target.path,
      headers: all,
      body,
      maxHeaderBytes,
      maxResponseBytes,
      maxWireBytes: Math.min(this.#meter.bytesLeft, mostBytes),
      timeoutMs: time.leftMs,
    }, time.signal);
    this.#meter.countBytes(outcome.wireBytes);
    return outcome;
  }

  async #open(): Promise<Transport> {
    if (this.#isolation === "inline") return new DirectTransport();
    const { BrokerTransport } = await import("./broker_transport.ts");
    return new BrokerTransport(this.#options);
  }
}

/** What a guest is told of; where it was tried is not for it to know. */
const FAULTS: Readonly<Record<DialProblem, () => GuestFault>> = Object.freeze({
  unreachable: () => new GuestFault("failed", "the host cannot be reached"),
  untrusted: () =>
    new GuestFault("failed", "no secure connection to the host can be made"),
  broken: () =>
    new GuestFault("failed", "the host did not answer as HTTP/1.1 has it"),
  "long-head": () =>
    new GuestFault("too-large", "the head of the response is too long"),
  "long-body": () => new GuestFault("too-large", "the response is too long"),
  "long-wire": () => new GuestFault("too-large", "the response is too long"),
  late,
});

function late(): GuestFault {
  return new GuestFault("timed-out", "the host did not answer in time");
}

function disposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot make a request: the sandbox is disposed",
    { details: { kind: "sandbox" } },
  );
}

/** What the host writes by itself. */
function hostHeaders({ target, method, headers, body }: Hop): Header[] {
  const accepts = headers.some(([name]) => name === "accept-encoding");
  return [
    ["host", authorityOf(target)],
    ["connection", "close"],
    ...(accepts ? [] : [["accept-encoding", "identity"] as const]),
    ...(body.length > 0 || WITH_BODY.has(method)
      ? [["content-length", String(body.length)] as const]
      : []),
  ];
}

/** What a request comes to, as it is sent. */
function bytesOf(
  { method, target, body }: Hop,
  headers: readonly Header[],
): number {
  const line = `${method} ${target.path} HTTP/1.1\r\n\r\n`.length;
  return headers.reduce(
    (sum, [name, value]) => sum + name.length + value.length + 4,
    line + body.length,
  );
}
