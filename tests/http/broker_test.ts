// Brokers: what they may do, how long they live, and what they may say.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bundle, PROGRAM } from "../../communication/http/broker/build.ts";
import { Brokers } from "../../communication/http/broker/brokers.ts";
import { prepareBroker } from "../../communication/http/broker/launch.ts";
import {
  readAddresses,
  readOutcome,
} from "../../communication/http/broker/messages.ts";
import { BrokerTransport } from "../../communication/http/broker_transport.ts";
import type { DialRequest } from "../../communication/http/dial.ts";
import { type Message, ProtocolError } from "../../runtime/process/frames.ts";
import { Machine } from "../../runtime/process/machine.ts";
import { lives, ok, Peer, says, text } from "./_http.ts";

const SIGNAL = new AbortController().signal;
const EMPTY = new Uint8Array();

function requestTo(port: number, address = "127.0.0.1"): DialRequest {
  return {
    address,
    port,
    isSecure: false,
    serverName: "",
    method: "GET",
    path: "/",
    headers: [["host", "x.test"], ["connection", "close"]],
    body: EMPTY,
    maxHeaderBytes: 1_000,
    maxResponseBytes: 1_000,
    maxWireBytes: 10_000,
    timeoutMs: 5_000,
  };
}

Deno.test("broker_program.js is what its sources give", async () => {
  let built: string;
  try {
    built = await bundle();
  } catch (error) {
    if (Deno.env.has("CI")) throw error;
    // deno-lint-ignore no-console -- a skipped test is to be seen
    console.warn("not checked: there is no bundler here");
    return;
  }
  assert(
    built === await Deno.readTextFile(PROGRAM),
    "broker_program.js is stale: run communication/http/broker/build.ts",
  );
});

Deno.test("prepareBroker() permits one address and port", async () => {
  const machine = new Machine({ wrap: false });
  const net = "[2001:db8::1]:443";
  const { args, env } = await prepareBroker({ net, bodyBytes: 1_000 }, machine);
  const allowed = args.filter((arg) => arg.startsWith("--allow-"));
  assertEquals(allowed, [`--allow-net=${net}`]);
  for (
    const flag of ["--no-prompt", "--no-remote", "--no-npm", "--no-config"]
  ) {
    assert(args.includes(flag), flag);
  }
  assertEquals(Object.keys(env).sort(), [
    "DENO_DIR",
    "DENO_NO_UPDATE_CHECK",
    "HOME",
    "NO_COLOR",
  ]);
});

Deno.test("a broker connects to nothing else", async () => {
  await using granted = new Peer(says(ok("granted")));
  await using forbidden = new Peer(says(ok("secret")));
  await using other = new Peer(says(ok("secret")), "127.0.0.2", granted.port);
  await using brokers = new Brokers({ bodyBytes: 1_000 });
  const net = `127.0.0.1:${granted.port}`;
  const ask = (request: DialRequest) => {
    const { body: _, ...head } = request;
    return brokers.ask(
      { key: "", net },
      {
        question: (id) => ({ id, what: "dial", request: head }),
        maxBody: 1_000,
        signal: SIGNAL,
      },
      (message, id) => readOutcome(message, id, request),
    );
  };
  const outcome = await ask(requestTo(granted.port));
  assert(outcome.state === "done");
  assertEquals(text(outcome.response.body), "granted");
  // its host would never ask for these
  for (
    const request of [
      requestTo(forbidden.port),
      requestTo(granted.port, "127.0.0.2"),
    ]
  ) {
    const failed = await ask(request);
    assert(failed.state === "failed");
    assertEquals(failed.problem, "unreachable");
  }
  assertEquals([forbidden.connections, other.connections], [0, 0]);
});

Deno.test("a broker is kept while it is in use, and gone with its sandbox", async () => {
  await using peer = new Peer(says(ok("x")));
  const transport = new BrokerTransport({ maxResponseBytes: 1_000 });
  await transport.dial(requestTo(peer.port), SIGNAL);
  const [pid = 0] = transport.pids;
  assert(await lives(pid));
  await transport.dial(requestTo(peer.port), SIGNAL);
  assertEquals(transport.pids, [pid]);
  // for another host at the same address it is another one
  await transport.dial(
    { ...requestTo(peer.port), serverName: "other.test" },
    SIGNAL,
  );
  assertEquals(transport.pids.length, 2);
  Deno.kill(pid, "SIGKILL");
  while (transport.pids.includes(pid)) {
    await new Promise((go) => setTimeout(go, 5));
  }
  await transport.dial(requestTo(peer.port), SIGNAL);
  const pids = transport.pids;
  assert(!pids.includes(pid));
  await transport[Symbol.asyncDispose]();
  assertEquals(transport.pids, []);
  for (const each of pids) assertEquals(await lives(each), false);
});

Deno.test("no more than four brokers wait for what may come", async () => {
  const transport = new BrokerTransport({ maxResponseBytes: 1_000 });
  const stack = new AsyncDisposableStack();
  stack.use(transport);
  for (let each = 0; each < 6; each++) {
    const peer = stack.use(new Peer(says(ok("x"))));
    await transport.dial(requestTo(peer.port), SIGNAL);
  }
  await new Promise((go) => setTimeout(go, 100));
  assert(transport.pids.length <= 4, `${transport.pids.length} live`);
  await stack.disposeAsync();
});

Deno.test("a broker that does not answer is ended", async () => {
  await using peer = new Peer(says(ok("x")));
  await using transport = new BrokerTransport({ maxResponseBytes: 1_000 });
  await transport.dial(requestTo(peer.port), SIGNAL);
  const [pid = 0] = transport.pids;
  Deno.kill(pid, "SIGSTOP");
  const controller = new AbortController();
  const request = assertRejects(
    () => transport.dial(requestTo(peer.port), controller.signal),
    Error,
    "late",
  );
  setTimeout(() => controller.abort(new Error("late")), 100);
  await request;
  assertEquals(await lives(pid), false);
});

const HEADERS = [["a", "b"]];
const DONE = { id: 1, state: "done", status: 200, headers: HEADERS };

Deno.test("readOutcome() takes no lies", () => {
  const request = requestTo(1);
  const read = (header: object, body = EMPTY) =>
    readOutcome({ header, body } as unknown as Message, 1, request);
  const outcome = read({ ...DONE, wireBytes: 0 }, new Uint8Array(100));
  assertEquals(outcome.wireBytes, 102);
  const lies = [
    {},
    DONE,
    { ...DONE, wireBytes: -1 },
    { ...DONE, wireBytes: 1.5 },
    { ...DONE, wireBytes: 1, id: 2 },
    { ...DONE, wireBytes: 1, status: 101 },
    { ...DONE, wireBytes: 1, status: 1_000 },
    { ...DONE, wireBytes: 1, status: "200" },
    { ...DONE, wireBytes: 1, more: 1 },
    { ...DONE, wireBytes: 1, headers: {} },
    { ...DONE, wireBytes: 1, headers: [["a"]] },
    { ...DONE, wireBytes: 1, headers: [["a", 1]] },
    { ...DONE, wireBytes: 1, headers: [["a", "b\r\nc: d"]] },
    { ...DONE, wireBytes: 1, headers: [["A b", "c"]] },
    { ...DONE, wireBytes: 1, headers: Array(300).fill(["a", "b"]) },
    { ...DONE, wireBytes: 1, headers: [["a", "b".repeat(2_000)]] },
    { id: 1, state: "failed", problem: "constructor", wireBytes: 0 },
    { id: 1, state: "failed", problem: "late", wireBytes: "0" },
    { id: 2, state: "failed", problem: "late", wireBytes: 0 },
    { id: 1, state: "__proto__", problem: "late", wireBytes: 0 },
  ];
  for (const lie of lies) assertThrows(() => read(lie), ProtocolError);
});

Deno.test("readAddresses() takes no lies", () => {
  const read = (header: object) =>
    readAddresses({ header, body: EMPTY } as unknown as Message, 1);
  const many = Array(1_000).fill("127.0.0.1");
  assertEquals(read({ id: 1, addresses: many }).length, 256);
  for (
    const lie of [
      {},
      { id: 2, addresses: [] },
      { id: 1, addresses: [1] },
      { id: 1, addresses: "127.0.0.1" },
      { id: 1, addresses: {} },
    ]
  ) assertThrows(() => read(lie), ProtocolError);
});
