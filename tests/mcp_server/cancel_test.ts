import { assert, assertEquals, assertRejects } from "@std/assert";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { childrenOf, until } from "../process/_process.ts";
import {
  call,
  HOSTILE,
  hostileTools,
  inMemory,
  overHttp,
  type Peer,
  post,
  serverOf,
  sessionOf,
  textOf,
  ticksOf,
  within,
} from "./_peers.ts";

/** A server whose calls may run for half a minute. */
function slowServer() {
  return serverOf({
    guests: {
      hostile: { module: HOSTILE, limits: { timeoutMs: 30_000 } },
    },
    tools: hostileTools(["spin", "echo"]),
  });
}

/** CPU that this process and its children use in a while, in clock ticks. */
async function ticksIn(ms: number): Promise<number> {
  const pids = childrenOf(Deno.pid);
  const sum = () =>
    pids.reduce((total, pid) => {
      try {
        return total + ticksOf(pid);
      } catch {
        return total;
      }
    }, ticksOf("self"));
  const before = sum();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return sum() - before;
}

/** Calls an endless tool, cancels it, and measures CPU before and after. */
async function cancelled(peer: Peer): Promise<void> {
  const controller = new AbortController();
  const spinning = peer.client.callTool({ name: "spin" }, undefined, {
    signal: controller.signal,
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const busy = await ticksIn(500);
  assert(busy >= 10, `the guest uses only ${busy} ticks`);
  controller.abort("enough");
  await assertRejects(() => spinning);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const idle = await ticksIn(500);
  assert(idle < busy / 2, `${idle} ticks are used after ${busy}`);
  assertEquals(textOf(await call(peer, "echo", { n: 1 })), '{"n":1}');
}

Deno.test("cancelling stops the guest's CPU", async () => {
  await using server = await slowServer();
  await using peer = await inMemory(server);
  await cancelled(peer);
});

Deno.test("cancelling over HTTP stops the guest's CPU", async () => {
  await using server = await slowServer();
  await using service = server.serve({ port: 0 });
  await using peer = await overHttp(service.addr.port);
  await cancelled(peer);
});

Deno.test("a session that ends stops what runs for it", async () => {
  await using server = await slowServer();
  await using service = server.serve({ port: 0 });
  const peer = await overHttp(service.addr.port);
  const spinning = call(peer, "spin").catch(() => {});
  await until(() => server.stats().running === 1);
  await peer[Symbol.asyncDispose]();
  await until(() => server.stats().running === 0);
  assertEquals(server.stats().sessions, 0);
  await spinning;
});

Deno.test("a session cannot cancel the calls of another", async () => {
  await using server = await slowServer();
  const one = await sessionOf(server);
  const other = await sessionOf(server);
  const spin = {
    jsonrpc: "2.0",
    id: 7,
    method: "tools/call",
    params: { name: "spin" },
  };
  const response = await server.fetch(post(spin, within(one)));
  await until(() => server.stats().running === 1);
  const cancel = {
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: 7 },
  };
  const status = async (session: string) =>
    (await server.fetch(post(cancel, within(session)))).status;
  assertEquals(await status(other), 202);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(server.stats().running, 1);
  assertEquals(await status(one), 202);
  await until(() => server.stats().running === 0);
  // the stream ends, without a result
  const text = await response.text();
  assert(!text.includes("result"), text);
});

Deno.test("many calls that are cancelled leave nothing behind", async () => {
  await using server = await slowServer();
  const session = await sessionOf(server);
  // more than streams that a session may have
  for (let id = 1; id <= 20; id++) {
    const response = await server.fetch(post({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name: "spin" },
    }, within(session)));
    assertEquals(response.status, 200);
    await until(() => server.stats().running === 1);
    const cancel = await server.fetch(post({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: id },
    }, within(session)));
    assertEquals(cancel.status, 202);
    await response.text();
    await until(() => server.stats().running === 0);
  }
});

Deno.test("what a cancelled guest says reaches no other session", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE, maxConcurrentCalls: 1 } },
    tools: hostileTools(["flood", "echo"]),
    maxCallNotifications: 1_000_000,
  });
  await using one = await inMemory(server);
  await using other = await inMemory(server);
  const lines = { one: 0, other: 0 };
  const schema = LoggingMessageNotificationSchema;
  one.client.setNotificationHandler(schema, () => void lines.one++);
  other.client.setNotificationHandler(schema, () => void lines.other++);
  for (let count = 0; count < 10; count++) {
    const controller = new AbortController();
    const { signal } = controller;
    const flood = one.client.callTool({ name: "flood" }, undefined, { signal });
    const before = lines.one;
    await until(() => lines.one > before);
    const answer = call(other, "echo");
    controller.abort("enough");
    await assertRejects(() => flood);
    assertEquals(textOf(await answer), "{}");
  }
  assertEquals(lines.other, 0);
});
