/** Listens for clients over HTTP. */

import type { McpServeOptions, McpService } from "./types.ts";

/** What is served. */
export interface Served {
  /** At which path. */
  readonly path: string;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Lets what runs end, and the sessions. */
  readonly end: () => Promise<void>;
  /** Told when nobody listens any more. */
  readonly onEnd: () => void;
}

/** How long a client may take for what it was sent before the end. */
const LINGER_MS = 5_000;

/** Serves clients over HTTP. */
export function serveHttp(
  { hostname = "127.0.0.1", port = 8000, cert, key, signal, onListen }:
    McpServeOptions,
  { path, fetch, end, onEnd }: Served,
): McpService {
  signal?.throwIfAborted();
  const cut = new AbortController();
  const unsent = new Set<Promise<void>>();
  const server = Deno.serve({
    hostname,
    port,
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    onListen: (address) => onListen?.(address),
    // nothing is told to whoever asked, and nothing printed
    onError: () => new Response(null, { status: 500 }),
    signal: cut.signal,
    handler: (request, { completed }) => {
      note(completed, unsent);
      return new URL(request.url).pathname === path
        ? fetch(request)
        : new Response("Not found\n", { status: 404 });
    },
  });
  let shutdown: Promise<void> | undefined;
  const stop = () =>
    shutdown ??= (async () => {
      await end();
      await settled(unsent, LINGER_MS);
      // to shut down would wait for those who send or take nothing
      cut.abort();
      await server.finished;
    })();
  const onAbort = () => void stop();
  signal?.addEventListener("abort", onAbort, { once: true });
  const finished = server.finished.then(() => {
    signal?.removeEventListener("abort", onAbort);
    onEnd();
  });
  return {
    addr: server.addr,
    finished,
    shutdown: stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Keeps what has not settled yet. */
function note(completed: Promise<void>, unsent: Set<Promise<void>>): void {
  const forget = () => void unsent.delete(sent);
  const sent = completed.then(forget, forget);
  unsent.add(sent);
}

/** Waits until all have settled, but no longer than this. */
async function settled(all: Iterable<Promise<void>>, ms: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, Promise.all(all)]);
  clearTimeout(timer);
}
