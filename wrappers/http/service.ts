/** What listens for a server. */

import { problemResponse, unavailable } from "./problem.ts";
import type { HttpService } from "./types.ts";

type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/**
 * How long the end of the server waits for clients that do not take what they
 * are sent, once it cannot cut them off any more.
 */
const LINGER_MS = 1_000;

/** One thing that listens, on top of `Deno.serve`. */
export class ListeningService implements HttpService {
  readonly address: Deno.NetAddr;
  readonly finished: Promise<void>;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #cut = new AbortController();
  /** Requests whose bodies may still be on their way. */
  readonly #coming = new Set<Promise<void>>();
  #isClosing = false;
  #shutdown: Promise<void> | undefined;

  constructor(
    options:
      | Deno.ServeTcpOptions
      | (Deno.ServeTcpOptions & Deno.TlsCertifiedKeyPem),
    fetch: Handler,
  ) {
    const { signal } = options;
    signal?.throwIfAborted();
    const server = this.#server = Deno.serve({
      // it prints nothing by itself, of a reply that is cut off neither
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
      ...options,
      signal: this.#cut.signal,
    }, (request, info) => {
      if (this.#shutdown !== undefined) return refused(request);
      if (request.method !== "GET" && request.method !== "HEAD") {
        this.#await(info.completed);
      }
      return fetch(request, info);
    });
    this.address = server.addr;
    const onAbort = () => this.#abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.finished = server.finished.finally(() => {
      this.#isClosing = true;
      this.#shutdown ??= Promise.resolve();
      signal?.removeEventListener("abort", onAbort);
    });
  }

  shutdown(): Promise<void> {
    return this.#shutdown ??= this.#close();
  }

  async #close(): Promise<void> {
    // Deno breaks off the bodies that it has not read when it shuts down
    await Promise.all(this.#coming);
    if (this.#cut.signal.aborted) return await this.finished;
    this.#isClosing = true;
    await this.#server.shutdown();
  }

  #await(completed: Promise<void>): void {
    const forget = () => void this.#coming.delete(settled);
    const settled = completed.then(forget, forget);
    this.#coming.add(settled);
  }

  /** Ends it at once, whatever is not answered yet. */
  async end(): Promise<void> {
    if (!this.#isClosing) {
      this.#abort();
      return await this.finished;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LINGER_MS);
    await Promise.race([promise, this.finished]);
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** What shuts down cannot be aborted: Deno throws where nobody catches. */
  #abort(): void {
    if (!this.#isClosing) this.#cut.abort();
  }
}

/** What is told to who comes while the last bodies are read. */
function refused(unread: Request): Promise<Response> {
  const problem = unavailable("the server is about to end");
  const { response } = problemResponse(problem, {
    exposes: false,
    unread,
  });
  return Promise.resolve(response);
}
