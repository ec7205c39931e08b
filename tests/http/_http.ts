/**
 * What the tests of guests' requests have in common: clients, and peers on
 * loopback that count who connects.
 *
 * @module
 */

import {
  GuestHttp,
  type HttpOptions,
  type HttpRequest,
} from "../../communication/http/mod.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";
import {
  type AuditEvent,
  Capabilities,
  SecurityAuditor,
  SecurityPolicy,
} from "../../security/mod.ts";

/** Who may connect: this process, or a broker. */
export const ISOLATIONS = ["inline", "process"] as const;

/** One of {@linkcode ISOLATIONS}. */
export type Isolation = typeof ISOLATIONS[number];

/** Options of {@linkcode open}. */
export interface OpenOptions {
  /** Who connects. */
  readonly isolation?: Isolation;
  /** Whom the policy names. */
  readonly hosts: Parameters<typeof Capabilities.networkAccess>[0];
  /** The limits. */
  readonly limits?: ResourceLimits;
  /** What bounds the requests. */
  readonly options?: HttpOptions;
}

/** A client of one guest, and what was recorded of it. */
export interface Client extends AsyncDisposable {
  /** The client. */
  readonly http: GuestHttp;
  /** What was decided: `"allowed http://127.0.0.1:80 GET"`. */
  readonly events: readonly string[];
  /** Makes a request. */
  get(
    url: string,
    request?: Partial<HttpRequest>,
  ): ReturnType<GuestHttp["request"]>;
}

/** Opens a client. */
export function open(
  { isolation = "inline", hosts, limits = {}, options = {} }: OpenOptions,
): Client {
  const events: string[] = [];
  const record = ({ decision, resource, via }: AuditEvent) => {
    events.push(`${decision} ${resource} ${via}`);
  };
  const policy = SecurityPolicy.strict()
    .allowCapability(Capabilities.networkAccess(hosts));
  const http = new GuestHttp({
    auditor: new SecurityAuditor(policy, { sinks: [{ record }] }),
    limits: resolveLimits(limits),
    isolation,
    options,
  });
  return {
    http,
    events,
    get: (url, request = {}) =>
      http.request({
        url,
        method: "GET",
        headers: [],
        body: new Uint8Array(),
        ...request,
      }),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** A resolver that knows some names, and counts how often it is asked. */
export function resolver(
  names: Readonly<Record<string, readonly string[]>>,
): { resolve: (host: string) => Promise<readonly string[]>; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolve: (host) => {
      asked.push(host);
      return Promise.resolve(names[host] ?? []);
    },
  };
}

/** What a peer does with a connection, once it has the head of a request. */
export type Serve = (
  connection: Deno.Conn,
  head: string,
) => Promise<unknown> | unknown;

/** A peer on loopback that says what it likes. */
export class Peer implements AsyncDisposable {
  /** Its port. */
  readonly port: number;
  /** Heads of requests that it was sent, with what came of their bodies. */
  readonly heads: string[] = [];
  /** How many connections it was made. */
  connections = 0;
  /** How many of them were closed by the other side, or by itself. */
  closed = 0;
  readonly #listener: Deno.Listener;
  readonly #serve: Serve;
  readonly #open = new Set<Promise<void>>();

  constructor(serve: Serve, hostname = "127.0.0.1", port = 0) {
    this.#listener = Deno.listen({ hostname, port });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#serve = serve;
    void this.#accept();
  }

  /** Its URL. */
  url(path = "/"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Waits until every connection is closed. */
  async idle(): Promise<void> {
    await Promise.all(this.#open);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.idle();
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        this.connections++;
        const done = this.#talk(connection).finally(() => {
          this.closed++;
          this.#open.delete(done);
        });
        this.#open.add(done);
      }
    } catch {
      // closed
    }
  }

  async #talk(connection: Deno.Conn): Promise<void> {
    try {
      const head = await readHead(connection);
      this.heads.push(head);
      await this.#serve(connection, head);
      await drain(connection);
    } catch {
      // the other side has closed it
    } finally {
      try {
        connection.close();
      } catch {
        // closed by the test
      }
    }
  }
}

/** A peer that sends some text, and then waits until it is left. */
export function says(text: string): Serve {
  return (connection) => write(connection, text);
}

/** Sends all of it. */
export async function write(
  connection: Deno.Conn,
  data: string | Uint8Array,
): Promise<void> {
  const bytes = typeof data === "string"
    ? Uint8Array.from(data, (char) => char.charCodeAt(0))
    : data;
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

/** A response, whole. */
export function ok(body: string, headers = ""): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n` +
    body;
}

/** The text of a body. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Whether a process is there and no zombie. */
export async function lives(pid: number): Promise<boolean> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/stat`);
    return !/\) [ZX] /.test(status);
  } catch {
    return false;
  }
}

async function readHead(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) break;
    head += text(buffer.subarray(0, count));
  }
  return head;
}

async function drain(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await connection.read(buffer) !== null);
}
