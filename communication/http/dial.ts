/**
 * Sends one request over one connection to one address, and reads one response.
 * It runs in the host, or in a broker's process.
 *
 * @module
 */

import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Body } from "./body.ts";
import { type Header, MAX_HEADERS } from "./headers.ts";

/** What to send, and where. Everything is checked. */
export interface DialRequest {
  /** The address, IPv6 without brackets; nothing else is ever dialled. */
  readonly address: string;
  /** The port. */
  readonly port: number;
  /** Whether by TLS. */
  readonly isSecure: boolean;
  /** Name that the certificate must be for; `""` if it is for the address. */
  readonly serverName: string;
  /** Authorities to trust, if not the well-known ones. */
  readonly caCertificates?: readonly string[] | undefined;
  /** Method. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** All headers, those of the host included. */
  readonly headers: readonly Header[];
  /** Body; empty for none. */
  readonly body: Uint8Array;
  /** Longest head of the response. */
  readonly maxHeaderBytes: number;
  /** Longest body of the response. */
  readonly maxResponseBytes: number;
  /** The most that the connection may bring in all, framing included. */
  readonly maxWireBytes: number;
  /** Time for all of it. */
  readonly timeoutMs: number;
}

/** What came back. */
export interface DialResponse {
  /** Status, from 200 to 999. */
  readonly status: number;
  /** Headers; names are in lower case. */
  readonly headers: readonly Header[];
  /** Body, as it came. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Why there is no response. */
export const DIAL_PROBLEMS = Object.freeze(
  [
    "unreachable",
    "untrusted",
    "broken",
    "long-head",
    "long-body",
    "long-wire",
    "late",
  ] as const,
);

/** One of {@linkcode DIAL_PROBLEMS}. */
export type DialProblem = typeof DIAL_PROBLEMS[number];

/** How it went. */
export type DialOutcome =
  & (
    | { readonly state: "done"; readonly response: DialResponse }
    | { readonly state: "failed"; readonly problem: DialProblem }
  )
  & {
    /** Bytes that the connection brought. */
    readonly wireBytes: number;
  };

/** How many pieces of a body are taken before others have their turn. */
const MAX_PIECES = 2_048;
/** Most interim responses, such as 103; there is no use for any. */
const MAX_INTERIM = 16;

/**
 * Sends a request and reads the response. When it returns, the connection is
 * closed.
 *
 * @param request What to send, and where.
 * @param signal Cancellation.
 * @returns The response, or why there is none.
 * @throws What the signal was aborted with.
 */
export async function dial(
  request: DialRequest,
  signal: AbortSignal,
): Promise<DialOutcome> {
  const http = await import("node:http");
  const connect = await connector(request);
  signal.throwIfAborted();
  const socket = connect();
  try {
    const agent = new http.Agent({ keepAlive: false, ...NO_PROXY });
    Object.assign(agent, { createConnection: () => socket });
    const message = http.request({
      agent,
      host: request.address,
      port: request.port,
      method: request.method,
      path: request.path,
      headers: request.headers.flat(),
      maxHeaderSize: request.maxHeaderBytes,
      insecureHTTPParser: false,
    });
    return await new Exchange(request, socket).run(message, signal);
  } finally {
    socket.destroy();
  }
}

/**
 * Keeps the agent from the proxies of the environment, which it would write
 * requests for even on a connection that leads elsewhere.
 */
const NO_PROXY: object = Object.freeze({ proxyEnv: Object.freeze({}) });

/** Both ways to connect go to an address, so that no name is looked up. */
async function connector(
  { address: host, port, isSecure, serverName, caCertificates }: DialRequest,
): Promise<() => Socket> {
  if (!isSecure) {
    const net = await import("node:net");
    return () => net.connect({ host, port });
  }
  const tls = await import("node:tls");
  return () =>
    tls.connect({
      host,
      port,
      // these hold whatever the environment says
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      ...(serverName === "" ? {} : { servername: serverName }),
      ...(caCertificates === undefined ? {} : { ca: [...caCertificates] }),
    });
}

type Ending =
  | { readonly state: "done"; readonly response: DialResponse }
  | { readonly state: "failed"; readonly problem: DialProblem }
  | { readonly state: "aborted"; readonly reason: unknown };

/** One request and its response, on a connection that nobody else has. */
class Exchange {
  readonly #request: DialRequest;
  readonly #socket: Socket;
  readonly #body: Body;
  #wireBytes = 0;
  #interim = 0;
  #isConnected = false;
  #isReady = false;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #ending: Ending | undefined;

  constructor(request: DialRequest, socket: Socket) {
    this.#request = request;
    this.#socket = socket;
    this.#body = new Body(request.maxResponseBytes);
  }

  async run(
    message: ClientRequest,
    signal: AbortSignal,
  ): Promise<DialOutcome> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = () => this.#end({ state: "aborted", reason: signal.reason });
    const timer = setTimeout(
      () => this.#fail("late"),
      this.#request.timeoutMs,
    );
    signal.addEventListener("abort", stop);
    this.#listen(message);
    this.#socket.on("close", () => {
      this.#fail(this.#failure());
      resolve();
    });
    message.end(this.#request.body);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#pause);
      signal.removeEventListener("abort", stop);
    }
    return this.#outcome();
  }

  #outcome(): DialOutcome {
    const ending = this.#ending ?? { state: "failed", problem: "broken" };
    if (ending.state === "aborted") throw ending.reason;
    return { ...ending, wireBytes: this.#wireBytes };
  }

  #listen(message: ClientRequest): void {
    const socket = this.#socket;
    const isReady = this.#request.isSecure ? "secureConnect" : "connect";
    socket.on("connect", () => {
      this.#isConnected = true;
    });
    socket.on(isReady, () => {
      this.#isReady = true;
    });
    // what the parser would take without a word is seen here
    socket.on("data", ({ length }: Uint8Array) => {
      this.#wireBytes += length;
      if (this.#wireBytes > this.#request.maxWireBytes) this.#fail("long-wire");
    });
    socket.on("error", () => this.#fail(this.#failure()));
    message.on("error", (error) => this.#fail(this.#failure(error)));
    message.on("upgrade", () => this.#fail("broken"));
    message.on("information", () => {
      if (++this.#interim > MAX_INTERIM) this.#fail("broken");
    });
    message.on("response", (response) => this.#read(response));
  }

  #read(response: IncomingMessage): void {
    response.on("error", () => this.#fail("broken"));
    response.on("aborted", () => this.#fail("broken"));
    const { statusCode: status = 0, httpVersion, headers } = response;
    const isMessage = status >= 200 && httpVersion.startsWith("1.");
    if (!isMessage) return this.#fail("broken");
    if (response.rawHeaders.length > 2 * MAX_HEADERS) {
      return this.#fail("long-head");
    }
    const { maxResponseBytes, method } = this.#request;
    const length = Number(headers["content-length"] ?? 0);
    if (length > maxResponseBytes && method !== "HEAD") {
      return this.#fail("long-body");
    }
    let pieces = 0;
    response.on("data", (chunk: Uint8Array) => {
      if (!this.#body.push(chunk)) return this.#fail("long-body");
      if (++pieces % MAX_PIECES !== 0) return;
      this.#rest(response);
    });
    response.on("end", () => {
      if (!response.complete) return this.#fail("broken");
      const body = this.#body.take();
      const found = { status, headers: pairs(response.rawHeaders), body };
      this.#end({ state: "done", response: found });
    });
  }

  /** Lets others have their turn: there may be a million pieces. */
  #rest(response: IncomingMessage): void {
    response.pause();
    this.#socket.pause();
    this.#pause = setTimeout(() => {
      response.resume();
      this.#socket.resume();
    });
  }

  /** Why a connection that ends by itself does. */
  #failure(error?: Error & { readonly code?: string }): DialProblem {
    if (!this.#isConnected) return "unreachable";
    if (!this.#isReady) return "untrusted";
    return error?.code === "HPE_HEADER_OVERFLOW" ? "long-head" : "broken";
  }

  #fail(problem: DialProblem): void {
    this.#end({ state: "failed", problem });
  }

  /** What comes first holds; closing the connection tells the rest. */
  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.destroy();
  }
}

function pairs(raw: readonly string[]): readonly Header[] {
  const headers: Header[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    headers.push([(raw[at] ?? "").toLowerCase(), raw[at + 1] ?? ""]);
  }
  return headers;
}
