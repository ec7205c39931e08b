/**
 * Clients in a process of their own: each checks the answer to its own request,
 * and one request in a hundred is hostile in a way that wrk cannot be.
 *
 * ```sh
 * deno run --allow-net tests/http_server/_load_client.ts PORT SECONDS
 * ```
 *
 * @module
 */

import { raw, RawClient, statusOf } from "./_server.ts";

/** What the clients found. */
export interface ClientReport {
  /** Good requests that were answered with what they had to be. */
  readonly answered: number;
  /** Requests that were not, and the first of them. */
  readonly wrong: number;
  readonly first?: string;
  /** Hostile requests, by their kind. */
  readonly hostile: Readonly<Record<string, number>>;
  /** Times to the answers to good requests, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CLIENTS = 4;
const HOSTILE_EACH = 100;
/** More than the server takes. */
const TOO_LONG_BYTES = 200_000;

const HOST = "host: localhost\r\n";

/** Hostile requests, and the status that each must be answered with. */
const HOSTILE: Readonly<
  Record<string, readonly [number, (port: number) => Promise<number>]>
> = {
  spin: [504, (port) => get(port, "/spin")],
  trap: [500, (port) => get(port, "/trap")],
  tooLong: [413, async (port) =>
    statusOf(
      await raw(
        port,
        `POST /echo HTTP/1.1\r\n${HOST}content-length: ${TOO_LONG_BYTES}\r\n\r\n` +
          "x".repeat(1_000),
      ),
    )],
  chunked: [413, async (port) => {
    const size = TOO_LONG_BYTES.toString(16);
    return statusOf(
      await raw(
        port,
        `POST /echo HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n` +
          `${size}\r\n${"x".repeat(TOO_LONG_BYTES)}\r\n`,
      ),
    );
  }],
  slow: [408, async (port) => {
    using client = await RawClient.connect(port);
    await client.send(
      `POST /echo HTTP/1.1\r\n${HOST}content-length: 100\r\n\r\n`,
    );
    await client.send("x");
    return statusOf(await client.readAll());
  }],
};

async function get(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  await response.body?.cancel();
  return response.status;
}

class Clients {
  readonly #port: number;
  readonly #end: number;
  readonly #times: number[] = [];
  readonly #hostile: Record<string, number> = {};
  #sent = 0;
  #wrong = 0;
  #first: string | undefined;

  constructor(port: number, seconds: number) {
    this.#port = port;
    this.#end = performance.now() + seconds * 1_000;
  }

  async run(): Promise<ClientReport> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#client()));
    const sorted = this.#times.toSorted((a, b) => a - b);
    const at = (part: number) =>
      sorted[Math.floor(part * (sorted.length - 1))] ?? NaN;
    return {
      answered: sorted.length,
      wrong: this.#wrong,
      ...(this.#first === undefined ? {} : { first: this.#first }),
      hostile: this.#hostile,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    };
  }

  async #client(): Promise<void> {
    while (performance.now() < this.#end) {
      const number = this.#sent++;
      try {
        if (number % HOSTILE_EACH === HOSTILE_EACH - 1) {
          await this.#attack(Math.floor(number / HOSTILE_EACH));
        } else {
          await this.#ask(number);
        }
      } catch (error) {
        this.#note(`request ${number} is lost: ${error}`);
      }
    }
  }

  async #ask(number: number): Promise<void> {
    const body = `${number},`.repeat(1 + number % 500);
    const start = performance.now();
    const response = await fetch(`http://127.0.0.1:${this.#port}/echo`, {
      method: "POST",
      body,
    });
    const text = await response.text();
    if (response.status === 200 && text === body) {
      this.#times.push(performance.now() - start);
    } else {
      this.#note(`${response.status}: ${text.slice(0, 200)}`);
    }
  }

  async #attack(turn: number): Promise<void> {
    const kinds = Object.entries(HOSTILE);
    const [kind, [wanted, send]] = kinds[turn % kinds.length] ??
      ["none", [0, () => Promise.resolve(0)]];
    const status = await send(this.#port);
    this.#hostile[kind] = (this.#hostile[kind] ?? 0) + 1;
    if (status !== wanted) this.#note(`${kind}: ${status}, not ${wanted}`);
  }

  #note(problem: string): void {
    this.#wrong++;
    this.#first ??= problem;
  }
}

if (import.meta.main) {
  const [port, seconds] = Deno.args.map(Number);
  const report = await new Clients(port ?? 0, seconds ?? 1).run();
  // deno-lint-ignore no-console -- read by whoever has started it
  console.log(JSON.stringify(report));
}
