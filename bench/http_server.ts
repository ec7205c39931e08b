/**
 * The HTTP server under load: against a bare handler of Deno's, against the same
 * guest called by hand, and against a WASI command by Wasmer's SDK.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";
import { findWrk, load, type Wrk } from "../tests/_wrk.ts";
import { HttpServer, type HttpServerOptions } from "../wrappers/http_server.ts";
import {
  type Benchmark,
  type Figures,
  interleave,
  print,
  ratio,
  type RunOptions,
  type Samples,
  summarize,
  table,
  target,
} from "./measure.ts";

const MIN_OF_BARE = 0.5;
const MIN_OF_WASMER = 5;

const HELLO = "tests/http_server/guests/hello.wasm";
const PROGRAM = "tests/http_server/guests/cgi.wasm";
const ANSWER = '{"hello":"world"}';
const CONNECTIONS = 16;

const JSON_GUEST = { module: HELLO, format: "json" } as const;
const ENVELOPE_GUEST = { module: HELLO, handler: "handle_envelope" } as const;

/** Servers around guests, by what they are. */
const GUESTS: Readonly<Record<string, HttpServerOptions>> = {
  "json, reuse": JSON_GUEST,
  "envelope, reuse": ENVELOPE_GUEST,
  "json, fresh": { ...JSON_GUEST, instance: "fresh" },
  "envelope, fresh": { ...ENVELOPE_GUEST, instance: "fresh" },
  "json, process": { ...JSON_GUEST, isolation: "process" },
  "command": { module: PROGRAM },
};

const BARE = "bare Deno.serve";
const WASMER = "@wasmer/sdk command";

type Handler = (
  request: Request,
  info?: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/** Somebody who answers, and the path that is asked for. */
interface Peer {
  readonly handler: Handler;
  readonly path: string;
  /** What listens in its own way. */
  readonly server?: HttpServer;
}

/** The benchmark. */
export const httpServer: Benchmark = {
  name: "http",
  about: "Small answers of JSON: a bare handler of Deno's, guests behind\n" +
    "HttpServer, and a WASI command for each request, ours and by Wasmer's\n" +
    "SDK. Then the same calls without sockets, and by hand.",
  async run(options) {
    await using resources = new AsyncDisposableStack();
    const peers = await peersOf(resources);
    return {
      sockets: await overSockets(peers, options),
      calls: await withoutSockets(peers, resources, options),
    };
  },
};

async function peersOf(
  resources: AsyncDisposableStack,
): Promise<ReadonlyMap<string, Peer>> {
  const peers = new Map<string, Peer>([[BARE, {
    handler: () =>
      new Response(ANSWER, { headers: { "content-type": "application/json" } }),
    path: "/",
  }]]);
  for (const [name, options] of Object.entries(GUESTS)) {
    const server = resources.use(await HttpServer.create(options));
    const path = name === "command" ? "/env" : "/";
    peers.set(name, { handler: server.fetch, path, server });
  }
  try {
    peers.set(WASMER, {
      handler: await wasmerCommand(resources),
      path: "/env",
    });
  } catch (error) {
    print(`${WASMER} skipped: ${error}`);
  }
  for (const { handler, path } of peers.values()) await ask(handler, path);
  return peers;
}

/** What somebody writes who answers by Wasmer's SDK; it has no limits. */
async function wasmerCommand(
  resources: AsyncDisposableStack,
): Promise<Handler> {
  const { Wasmer } = await import("@wasmer/sdk/browser");
  const client = new Wasmer();
  resources.defer(() => client.close());
  await client.ready();
  const program = await client.packages.load(await Deno.readFile(PROGRAM));
  const sandbox = await client.sandboxes.create({ packages: [program] });
  resources.defer(() => sandbox.close());
  return async () => {
    const env = { PATH_INFO: "/env", REQUEST_METHOD: "GET" };
    const { stdout } = await sandbox.command(program, { env }).run();
    const text = new TextDecoder().decode(stdout.bytes.slice());
    return new Response(text.slice(text.indexOf("\n\n") + 2));
  };
}

async function ask(handler: Handler, path: string): Promise<void> {
  const response = await handler(new Request(`http://localhost${path}`));
  const text = await response.text();
  const wanted = path === "/env" ? "PATH_INFO=/env\n" : ANSWER;
  if (response.ok && text.includes(wanted)) return;
  throw new Error(`it answers ${response.status}: ${text}`);
}

async function overSockets(
  peers: ReadonlyMap<string, Peer>,
  { quick }: RunOptions,
): Promise<Figures> {
  const wrk = await findWrk();
  if (wrk === undefined) {
    print("over sockets skipped: there is no wrk");
    return {};
  }
  const names = [...peers.keys()];
  const rates: Record<string, number[]> = {};
  for (let round = 0; round < (quick ? 3 : 5); round++) {
    // each round the other way round, so that what drifts hits all of them
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const peer = peers.get(name);
      if (peer !== undefined) (rates[name] ??= []).push(await rate(wrk, peer));
    }
  }
  const rows = names.map((name) => {
    const own = rates[name] ?? [];
    const of = (base: string) => byRound(own, rates[base]);
    return {
      name,
      rate: summarize(own).median,
      bare: of(BARE),
      sdk: of(WASMER),
    };
  });
  print(`Over sockets, wrk with ${CONNECTIONS} connections:\n`);
  print(table(
    ["", "requests/s", "x bare", "x SDK"],
    rows.map(({ name, rate, bare, sdk }) => [
      name,
      rate.toFixed(0),
      bare.toFixed(3),
      sdk.toFixed(1),
    ]),
  ));
  for (const { name, bare, sdk } of rows.slice(1, 3)) {
    print(
      `${name}: ${bare.toFixed(2)} x bare (${
        target(bare, MIN_OF_BARE, true)
      }), ` +
        `${sdk.toFixed(1)} x SDK (${target(sdk, MIN_OF_WASMER, true)})`,
    );
  }
  return Object.fromEntries(rows.map(({ name, ...row }) => [name, row]));
}

/** Requests that are answered in a second. */
async function rate(
  wrk: Wrk,
  { handler, path, server }: Peer,
): Promise<number> {
  await using resources = new AsyncDisposableStack();
  const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
  const { port } = server === undefined
    ? resources.use(Deno.serve(options, handler)).addr
    : resources.use(server.serve(options)).address;
  const url = `http://127.0.0.1:${port}${path}`;
  const report = await load(wrk, url, { seconds: 1, connections: CONNECTIONS });
  const { perSecond, otherStatuses, socketErrors } = report;
  if (perSecond > 0 && otherStatuses + socketErrors === 0) return perSecond;
  throw new Error(`the load went wrong: ${JSON.stringify(report)}`);
}

/** Median of the ratios of all rounds. */
function byRound(rates: Samples, base: Samples = []): number {
  return ratio(rates, base).median;
}

async function withoutSockets(
  peers: ReadonlyMap<string, Peer>,
  resources: AsyncDisposableStack,
  { quick }: RunOptions,
): Promise<Figures> {
  const hand = resources.use(await Sandbox.create({ module: HELLO }));
  const request = new TextEncoder().encode(
    '{"method":"GET","url":"http://localhost/","headers":[],"body":""}',
  );
  const decoder = new TextDecoder();
  const options = { abi: "bytes" } as const;
  const read = (reply: Uint8Array) => JSON.parse(decoder.decode(reply));
  const sides: readonly (readonly [string, () => unknown])[] = [
    [
      "Sandbox.callSync",
      () => read(hand.callSync<Uint8Array>("handle", request, options)),
    ],
    [
      "Sandbox.call",
      async () => read(await hand.call<Uint8Array>("handle", request, options)),
    ],
    ...[...peers].map(([name, { handler, path }]) =>
      [`fetch: ${name}`, () => ask(handler, path)] as const
    ),
  ];
  const isSlow = (name: string) => /command|process|fresh/.test(name);
  const samples = await interleave(
    sides.map(([name, run]) => ({
      name,
      async run() {
        const times = isSlow(name) ? 20 : 1_000;
        for (let k = 0; k < times; k++) await run();
      },
    })),
    { rounds: quick ? 5 : 15 },
  );
  const rows = sides.map(([name], index) => {
    const times = (samples[index] ?? [])
      .map((ms) => ms * 1e3 / (isSlow(name) ? 20 : 1_000));
    return { name, times };
  });
  const [, base] = rows;
  print("\nWithout sockets, one at a time:\n");
  print(table(
    ["", "µs", "x as long as Sandbox.call"],
    rows.map(({ name, times }) => [
      name,
      summarize(times).median.toFixed(1),
      ratio(times, base?.times ?? []).median.toFixed(2),
    ]),
  ));
  return Object.fromEntries(
    rows.map(({ name, times }) => [name, summarize(times).median]),
  );
}
