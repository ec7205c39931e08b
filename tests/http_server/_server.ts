/** Servers, and clients that write what they like to a socket. */

import { HttpServer } from "../../wrappers/http_server.ts";
import type {
  HttpAccess,
  HttpServerOptions,
  HttpService,
} from "../../wrappers/http_server.ts";

const GUESTS = new URL("./guests/", import.meta.url);

/** Path of a guest of these tests. */
export function guest(name: string): string {
  return new URL(`${name}.wasm`, GUESTS).pathname;
}

/** A server that listens, and what it has logged. */
export interface Listening extends AsyncDisposable {
  readonly server: HttpServer;
  readonly service: HttpService;
  readonly url: string;
  readonly port: number;
  readonly log: HttpAccess[];
}

/** Makes a server around a guest of these tests, and listens. */
export async function listen(
  name: string,
  options: Partial<HttpServerOptions> = {},
): Promise<Listening> {
  const log: HttpAccess[] = [];
  const server = await HttpServer.create({
    module: guest(name),
    onAccess: (entry) => void log.push(entry),
    ...options,
  });
  const service = server.serve({ port: 0, hostname: "127.0.0.1" });
  const { port } = service.address;
  return {
    server,
    service,
    port,
    log,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Posts text, and gives status and text. */
export async function post(
  url: string,
  body: BodyInit = "",
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, { method: "POST", body });
  return { status: response.status, text: await response.text() };
}

/** An envelope with a head that was written by hand. */
export function envelope(
  head: string,
  body = "",
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(head);
  const rest = new TextEncoder().encode(body);
  const bytes = new Uint8Array(4 + text.length + rest.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(rest, 4 + text.length);
  return bytes;
}

/** A connection over which anything can be sent. */
export class RawClient implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ port, hostname: "127.0.0.1" }));
  }

  /** Sends text, each character a byte. */
  async send(text: string): Promise<void> {
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  /** Reads until something is there, or all, up to a time. */
  async read(
    isEnough: (text: string) => boolean,
    timeoutMs = 5_000,
  ): Promise<string> {
    let text = "";
    const timer = setTimeout(() => this[Symbol.dispose](), timeoutMs);
    try {
      const buffer = new Uint8Array(65_536);
      while (!isEnough(text)) {
        const read = await this.#connection.read(buffer);
        if (read === null) break;
        text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
      }
    } catch {
      // reset, or closed by the timer
    } finally {
      clearTimeout(timer);
    }
    return text;
  }

  /** Reads to the end of the connection. */
  readAll(timeoutMs?: number): Promise<string> {
    return this.read(() => false, timeoutMs);
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // closed before
    }
  }
}

/** Sends a request as it is written, and gives all that comes back. */
export async function raw(
  port: number,
  text: string,
  timeoutMs?: number,
): Promise<string> {
  using client = await RawClient.connect(port);
  await client.send(text);
  return await client.readAll(timeoutMs);
}

/** The status of an answer, and 0 if there is none. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

/** Waits until something holds. */
export async function until(
  holds: () => boolean,
  timeoutMs = 10_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it does not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
