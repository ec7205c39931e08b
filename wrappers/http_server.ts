/**
 * A web server around a guest, which `Deno.serve` or any framework can mount.
 *
 * ```ts
 * import { HttpServer } from "@wasm-sandbox/core/http-server";
 * import { assertEquals } from "@std/assert";
 *
 * // a C program that runs anew for each request, as a CGI program
 * await using server = await HttpServer.create({
 *   module: "examples/apps/c/mdtext.wasm",
 * });
 * const response = await server.fetch(
 *   new Request("http://localhost/?width=40", {
 *     method: "POST",
 *     body: "# Title",
 *   }),
 * );
 * assertEquals(await response.text(), "Title\n=====\n");
 * ```
 *
 * `Deno.serve(server.fetch)` listens, and so does `server.serve()`, which also
 * ends in good order.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import type { OperationOptions } from "../runtime/types.ts";
import { checkWrapperOptions } from "./check_options.ts";
import { Gate } from "./gate.ts";
import type { GuestPool } from "./guest_pool.ts";
import type { Bodies } from "./http/body.ts";
import {
  type Answer,
  Exchange,
  LocalRedirect,
  type Tail,
} from "./http/exchange.ts";
import type { Answerer } from "./http/handler.ts";
import { Lateness } from "./http/lateness.ts";
import { Metrics } from "./http/metrics.ts";
import { type Guests, openGuests } from "./http/open_guests.ts";
import {
  badReply,
  checkReads,
  problemOf,
  problemResponse,
  unavailable,
} from "./http/problem.ts";
import { HTTP_SCHEMA } from "./http/schema.ts";
import { ListeningService } from "./http/service.ts";
import { type Settings, settingsOf } from "./http/settings.ts";
import { StaticFiles } from "./http/static.ts";
import type {
  HttpServerOptions,
  HttpServerStats,
  HttpService,
} from "./http/types.ts";
import { enter } from "./http/waiting.ts";
import type { Wrapper, WrapperKind } from "./types.ts";

export type * from "./http/types.ts";
export { DEFAULT_CGI_HEADERS } from "./http/cgi_variables.ts";

/** After so long it matters whether the client is still there. */
const ATTENTION_MS = 50;

/** Most paths that a guest may send one request to, one after the other. */
const MAX_REDIRECTS = 5;

/**
 * Answers HTTP requests by guests, each under the limits and the policy of the
 * options.
 *
 * @example A handler that takes and gives JSON
 * ```ts
 * import { HttpServer } from "@wasm-sandbox/core/http-server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await HttpServer.create({
 *   module: "tests/http_server/guests/hello.wasm",
 *   format: "json",
 *   maxRequestBytes: 10_000,
 * });
 * await using service = server.serve({ port: 0 });
 * const response = await fetch(`http://127.0.0.1:${service.address.port}/`);
 * assertEquals(await response.json(), { hello: "world" });
 * ```
 */
export class HttpServer implements Wrapper {
  /** The name that its kind is registered under. */
  readonly wrapperType = "http_server";
  readonly #settings: Settings;
  readonly #pool: GuestPool;
  readonly #answerer: Answerer;
  readonly #bodies: Bodies;
  readonly #static: StaticFiles | undefined;
  readonly #gate: Gate;
  readonly #metrics = new Metrics();
  readonly #attention = new Lateness(ATTENTION_MS);
  readonly #services = new Set<ListeningService>();
  #requests = 0;
  #active = 0;
  #isDraining = false;
  #whenIdle: PromiseWithResolvers<void> | undefined;
  #disposal: Promise<void> | undefined;

  private constructor(
    settings: Settings,
    { pool, answerer, bodies, files }: Guests & {
      readonly files: StaticFiles | undefined;
    },
  ) {
    const { maxConcurrentRequests, maxQueuedRequests } = settings;
    this.#settings = settings;
    this.#pool = pool;
    this.#answerer = answerer;
    this.#bodies = bodies;
    this.#static = files;
    this.#gate = new Gate({
      maxInside: maxConcurrentRequests,
      maxWaiting: maxQueuedRequests,
    });
  }

  /**
   * Makes a server, and its first guest. It listens to nothing.
   *
   * @param options What runs, and under which bounds.
   * @param operation Cancellation.
   * @returns The server; dispose it when done.
   * @throws {SandboxError} As a sandbox does, with code `export-not-found` if
   * there is no such handler, and `guest-protocol` if it takes no messages.
   * @throws {TypeError} If the options are wrong; says all that is.
   */
  static async create(
    options: HttpServerOptions,
    operation: OperationOptions = {},
  ): Promise<HttpServer> {
    operation.signal?.throwIfAborted();
    const given = { ...options };
    checkWrapperOptions("http_server", given, HTTP_SCHEMA);
    const settings = settingsOf(given);
    const files = settings.static.length === 0
      ? undefined
      : await StaticFiles.open(settings.static, settings.bodyTimeoutMs);
    const guests = await openGuests(settings, operation);
    return new HttpServer(settings, { ...guests, files });
  }

  /**
   * Answers a request. It can be handed on by itself: `Deno.serve(server.fetch)`.
   *
   * @param request The request.
   * @param info What `Deno.serve` knows of the connection.
   * @returns The response; a problem document (RFC 9457) if there is none of a
   * guest or a file. Never rejects.
   */
  readonly fetch: (
    request: Request,
    info?: Partial<Deno.ServeHandlerInfo>,
  ) => Promise<Response> = (request, info) => {
    const response = this.#respond(request, info);
    return response instanceof Promise ? response : Promise.resolve(response);
  };

  /** As `fetch`; Deno is faster with a response than with a promise of one. */
  readonly #respond = (
    request: Request,
    info?: Partial<Deno.ServeHandlerInfo>,
  ): Response | Promise<Response> => {
    const exchange = new Exchange(request, info, {
      patienceMs: this.#settings.queueTimeoutMs,
      attention: this.#attention,
    });
    this.#requests++;
    this.#active++;
    const answer = this.#answerNow(exchange);
    if (answer === undefined) return this.#answerLater(exchange);
    this.#finish(exchange, answer);
    return answer.response;
  };

  /**
   * Listens, by `Deno.serve`.
   *
   * @param options As for `Deno.serve`: `port`, `hostname`, `cert` and `key` for
   * TLS. At all addresses of this machine, unless a `hostname` is given.
   * @returns What listens. It ends with the server.
   * @throws {SandboxError} With code `disposed`.
   * @throws {Deno.errors.AddrInUse} If somebody else listens there.
   */
  serve(
    options:
      | Deno.ServeTcpOptions
      | (Deno.ServeTcpOptions & Deno.TlsCertifiedKeyPem) = {},
  ): HttpService {
    if (this.#disposal !== undefined) throw disposed();
    const service = new ListeningService({ ...options }, this.#respond);
    this.#services.add(service);
    const forget = () => void this.#services.delete(service);
    service.finished.then(forget, forget);
    return service;
  }

  /**
   * Takes no more requests, which are answered 503, and waits for those that
   * were taken. What listens goes on; `HttpService.shutdown` ends that.
   *
   * @param options Cancellation of the waiting.
   */
  async drain({ signal }: OperationOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.#isDraining = true;
    if (this.#active === 0) return;
    this.#whenIdle ??= Promise.withResolvers();
    const { promise } = this.#whenIdle;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([promise, aborted.promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * What the server is doing, and has done.
   *
   * @returns The figures of this moment.
   */
  stats(): HttpServerStats {
    const { instances, busy, replaced } = this.#pool.stats();
    return {
      requests: this.#requests,
      active: this.#active,
      queued: this.#gate.waiting + this.#pool.stats().waiting,
      guestFailures: this.#metrics.answered(500, 502, 504),
      rejected: this.#metrics.answered(503),
      instances,
      busyInstances: busy,
      replacedInstances: replaced,
    };
  }

  /**
   * All figures, as Prometheus reads them.
   *
   * @returns Text in its format, version 0.0.4.
   */
  metrics(): string {
    return this.#metrics.text(this.stats());
  }

  /** Who enforces what, as `Sandbox.enforcement` tells. */
  enforcement(): ReturnType<GuestPool["enforcement"]> {
    return this.#pool.enforcement();
  }

  /** Ends what listens and all guests, whatever they do. Twice is once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.#isDraining = true;
    const services = [...this.#services].map((service) => service.end());
    this.#gate.close(disposed(), { refuseWaiting: true });
    const ended = await Promise.allSettled([
      this.#pool[Symbol.asyncDispose](),
      ...services,
    ]);
    this.#bodies[Symbol.dispose]();
    this.#attention[Symbol.dispose]();
    this.#static?.[Symbol.dispose]();
    const failed = ended.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** Answers what takes no time to wait for, without a turn of its own. */
  #answerNow(exchange: Exchange): Answer | undefined {
    if (
      this.#answerer.answerNow === undefined || exchange.mayHaveBody ||
      this.#isDraining || !this.#gate.hasRoom
    ) return undefined;
    try {
      exchange.checkLine(this.#settings);
      const { health, metrics } = this.#settings;
      const { path } = exchange.target;
      return path === health || path === metrics || this.#static?.has(path)
        ? undefined
        : this.#answerer.answerNow(exchange);
    } catch (error) {
      return this.#problem(exchange, error);
    }
  }

  async #answerLater(exchange: Exchange): Promise<Response> {
    let answer: Answer;
    try {
      answer = await this.#answer(exchange);
    } catch (error) {
      answer = this.#problem(exchange, error);
    }
    exchange.endWatch();
    if (answer.tail === undefined) this.#finish(exchange, answer);
    else void this.#finishLater(exchange, answer, answer.tail);
    return answer.response;
  }

  async #answer(exchange: Exchange): Promise<Answer> {
    exchange.check(this.#settings);
    let current = exchange;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      try {
        return await this.#route(current);
      } catch (error) {
        if (!(error instanceof LocalRedirect)) throw error;
        current = current.redirectedTo(error.path);
      }
    }
    throw badReply("it redirects too often");
  }

  #route(exchange: Exchange): Promise<Answer> | Answer {
    const { health, metrics } = this.#settings;
    const { path } = exchange.target;
    if (path === health || path === metrics) checkReads(exchange);
    if (this.#isDraining) throw unavailable("the server is about to end");
    if (path === health) return this.#text('{"status":"ok"}', JSON_TYPE);
    if (path === metrics) return this.#text(this.metrics(), METRICS_TYPE);
    const file = this.#static?.answer(exchange, this.#settings);
    return file ?? this.#ask(exchange);
  }

  /** Asks a guest, when it is the request's turn. */
  async #ask(exchange: Exchange): Promise<Answer> {
    const gate = this.#gate;
    const turn = enter(gate, exchange);
    if (turn !== undefined) await turn;
    let tail: Answer["tail"];
    try {
      const answer = await this.#answerer.answer(exchange);
      tail = answer.tail;
      return answer;
    } finally {
      if (tail === undefined) gate.leave();
      else void tail.then(() => gate.leave());
    }
  }

  #text(text: string, type: string): Answer {
    const headers = { "content-type": type, "cache-control": "no-store" };
    return { response: new Response(text, { headers }), bytes: text.length };
  }

  #problem(exchange: Exchange, error: unknown): Answer {
    const problem = problemOf(error, exchange.hasLeft);
    const { response, length } = problemResponse(problem, {
      exposes: this.#settings.exposeErrors,
      unread: exchange.isUnread ? exchange.request : undefined,
    });
    return { response, bytes: length, error: problem.cause ?? problem };
  }

  async #finishLater(
    exchange: Exchange,
    { response }: Answer,
    tail: Promise<Tail>,
  ): Promise<void> {
    // it is not to be had any more when the reply has been sent
    if (this.#settings.onAccess !== undefined) void exchange.remoteAddress;
    this.#finish(exchange, { response, ...await tail });
  }

  #finish(
    exchange: Exchange,
    { response: { status }, bytes, error }: Answer,
  ): void {
    const { bodyBytes: requestBytes } = exchange;
    const durationMs = performance.now() - exchange.startedAt;
    const responseBytes = bytes;
    const observation = { status, durationMs, requestBytes, responseBytes };
    this.#metrics.observe(observation);
    if (--this.#active === 0) this.#whenIdle?.resolve();
    const { onAccess } = this.#settings;
    if (onAccess === undefined) return;
    const { remoteAddress } = exchange;
    try {
      onAccess({
        time: Date.now() - durationMs,
        method: exchange.method,
        path: exchange.target.path,
        ...(remoteAddress === undefined ? {} : { remoteAddress }),
        ...observation,
        ...(error === undefined ? {} : { error }),
      });
    } catch {
      // a log that fails is no reason to fail a request
    }
  }
}

/** The kind of wrapper that is a web server. */
export const HTTP_SERVER: WrapperKind<HttpServerOptions> = Object.freeze({
  type: "http_server",
  description: "A web server around a guest.",
  schema: HTTP_SCHEMA,
  create: (options: HttpServerOptions, operation?: OperationOptions) =>
    HttpServer.create(options, operation),
});

const JSON_TYPE = "application/json";
const METRICS_TYPE = "text/plain;version=0.0.4;charset=utf-8";

function disposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the server: it is disposed",
    { details: { kind: "wrapper" } },
  );
}
