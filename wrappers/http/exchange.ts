/** One request, on its way. */

import {
  checkHost,
  checkRequestLine,
  type Header,
  readHeaders,
  type Target,
  targetOf,
} from "./head.ts";
import type { Lateness, Pending } from "./lateness.ts";
import type { Settings } from "./settings.ts";

/** A reply, and what becomes of it. */
export interface Answer {
  readonly response: Response;
  /** Bytes of its body, as far as they are handed over by now. */
  readonly bytes: number;
  /** Why it is not what the guest, or a file, would have been. */
  readonly error?: unknown;
  /** Settles when the last byte has been handed over; never rejects. */
  readonly tail?: Promise<Tail>;
}

/** How a reply that was streamed has ended. */
export interface Tail {
  /** Bytes of its body that were handed over. */
  readonly bytes: number;
  /** Why it was cut off. */
  readonly error?: unknown;
}

/** What an exchange is made with. */
export interface ExchangeOptions {
  /** How long it may wait, in milliseconds. */
  readonly patienceMs: number;
  /** Says when it has taken so long that it matters whether the client is there. */
  readonly attention: Lateness;
  /** The request that a guest has sent here, and where that is. */
  readonly redirect?: { readonly from: Exchange; readonly target: Target };
}

/** One request: what is known of it, and how far it has come. */
export class Exchange {
  readonly request: Request;
  readonly info: Partial<Deno.ServeHandlerInfo> | undefined;
  readonly method: string;
  readonly startedAt: number = performance.now();
  /** Bytes of the body that were read. */
  bodyBytes = 0;
  /** How long it may still wait, in milliseconds. */
  patienceMs: number;
  /** Whether the body was read to its end. */
  isBodyRead = false;
  /** Whether a guest has sent it here, from another path. */
  readonly isRedirected: boolean;
  readonly #attention: Lateness;
  readonly #origin: Exchange | undefined;
  #target: Target | undefined;
  #gone: AbortController | undefined;
  #watch: Pending | undefined;
  #remoteAddress: string | undefined;

  constructor(
    request: Request,
    info: Partial<Deno.ServeHandlerInfo> | undefined,
    { patienceMs, attention, redirect }: ExchangeOptions,
  ) {
    this.request = request;
    this.info = info;
    this.patienceMs = patienceMs;
    this.#origin = redirect?.from;
    this.isRedirected = redirect !== undefined;
    this.method = this.isRedirected && request.method !== "HEAD"
      ? "GET"
      : request.method;
    this.#attention = attention;
    this.#target = redirect?.target;
  }

  /** Where it goes. */
  get target(): Target {
    return this.#target ??= targetOf(this.request.url);
  }

  /**
   * Aborted when the client goes away. The request's own signal costs something,
   * and makes Deno print a line when it was asked for and the reply succeeds: so
   * it is not, unless the reply takes its time.
   */
  get signal(): AbortSignal {
    if (this.#origin !== undefined) return this.#origin.signal;
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      this.#watch = this.#attention.add(() => this.#listen());
    }
    return this.#gone.signal;
  }

  /** Whether the client is known to have gone away. */
  get hasLeft(): boolean {
    return this.#gone?.signal.aborted ?? false;
  }

  /** Ends the watch for the client: it has its answer, or the head of it. */
  endWatch(): void {
    if (this.#watch !== undefined) this.#attention.delete(this.#watch);
  }

  #listen(): void {
    const { signal } = this.request;
    const onAbort = () => this.#gone?.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }

  /** Whether it could have a body, which takes time to find out. */
  get mayHaveBody(): boolean {
    return this.method !== "GET" && this.method !== "HEAD";
  }

  /** Its body, if it has one. */
  get body(): ReadableStream<Uint8Array> | null {
    return this.mayHaveBody ? this.request.body : null;
  }

  /**
   * Whether the client may still be sending. Its connection has to end then, or
   * whatever it sends is read, to no end.
   */
  get isUnread(): boolean {
    if (this.#origin !== undefined) return this.#origin.isUnread;
    return this.mayHaveBody && !this.isBodyRead;
  }

  /** Address of the client. Deno does not tell when the reply has been sent. */
  get remoteAddress(): string | undefined {
    if (this.#remoteAddress !== undefined) return this.#remoteAddress;
    const { remoteAddr } = this.info ?? {};
    return remoteAddr !== undefined && "hostname" in remoteAddr
      ? this.#remoteAddress = remoteAddr.hostname
      : undefined;
  }

  /**
   * Looks at the first line, and at the host.
   *
   * @param settings The bounds.
   * @throws {HttpProblem} If it is out of bounds.
   */
  check(settings: Settings): void {
    this.checkLine(settings);
    checkHost(this.request.headers.get("host"));
  }

  /**
   * Looks at the first line alone, where the headers are read next: asking for one
   * of them costs half as much as reading them all.
   *
   * @param settings The bounds.
   * @throws {HttpProblem} If it is out of bounds.
   */
  checkLine(settings: Settings): void {
    checkRequestLine(this.method, this.request.url, settings);
  }

  /**
   * Reads the headers that the guest is told of, and looks at the host.
   *
   * @param settings The bounds.
   * @param forwards Names of those that are wanted; all, if left out.
   * @returns The headers.
   * @throws {HttpProblem} If they are out of bounds.
   */
  headers(
    settings: Settings,
    forwards: ReadonlySet<string> | undefined,
  ): Header[] {
    return readHeaders(this.request.headers, settings, forwards);
  }

  /**
   * The same request for another path, without its body.
   *
   * @param path Path and query.
   * @returns The request.
   */
  redirectedTo(path: string): Exchange {
    const { url } = this.request;
    const end = url.indexOf("/", url.indexOf("://") + 3);
    const origin = end < 0 ? url : url.slice(0, end);
    return new Exchange(this.request, this.info, {
      patienceMs: this.patienceMs,
      attention: this.#attention,
      redirect: { from: this, target: targetOf(origin + path) },
    });
  }
}

/** Thrown where a guest wants another path to be answered in its place. */
export class LocalRedirect extends Error {
  override readonly name = "LocalRedirect";
  /** Path and query. */
  readonly path: string;

  constructor(path: string) {
    super("the guest wants another path");
    this.path = path;
  }
}
