import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import {
  ANYTHING,
  call,
  HOSTILE,
  hostileTools,
  inMemory,
  serverOf,
  textOf,
} from "./_peers.ts";
import { childrenOf } from "../process/_process.ts";

/** What guests reply, and what clients are told. */
const REPLIES: ReadonlyMap<string, string> = new Map([
  ["crash", "it crashed"],
  ["not_json", "its reply is not what it must be"],
  ["deep", "it is nested too deep"],
  ["huge", "it reached its limit messageBytes of 1048576"],
  ["many", "content has more than 256 pieces"],
  ["unknown_type", 'content[0].type is "html", expected text'],
  ["bad_base64", "content[0].data is not base64"],
  ["bad_mime", "content[0].mimeType is no type of content"],
  ["extra", 'content[0] has "_meta", which is not known'],
  ["no_text", "content[0].text is no text"],
  ["not_list", "content[0] is no object"],
  ["bad_flag", "isError is neither true nor false"],
  ["bad_link", "content[0].uri is no URI"],
  ["in_content", 'content[0] has "__proto__", which is not known'],
  ["bomb", "it reached its limit memoryBytes"],
]);

Deno.test("a malformed reply is a failed call, and nothing else", async (t) => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE, limits: { timeoutMs: 2_000 } } },
    tools: hostileTools(["echo", ...REPLIES.keys()]),
  });
  await using peer = await inMemory(server);
  for (const [name, problem] of REPLIES) {
    await t.step(name, async () => {
      const result = await call(peer, name);
      assertEquals(result.isError, true);
      assert(textOf(result).startsWith(`The tool ${name} failed: `));
      if (name === "bomb") assert(/limit|crashed/.test(textOf(result)));
      else assertStringIncludes(textOf(result), problem);
      // nothing of this machine gets out
      assert(!textOf(result).includes(Deno.cwd()), textOf(result));
      assertEquals(textOf(await call(peer, "echo", { n: 1 })), '{"n":1}');
    });
  }
});

Deno.test("no prototype is reached by arguments or replies", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE } },
    tools: {
      ...hostileTools(["echo", "prototype", "half_pair"]),
      strict: { guest: "hostile", handler: "echo" },
    },
  });
  await using peer = await inMemory(server);
  const args = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}');
  await call(peer, "echo", args);
  const strict = await call(peer, "strict", JSON.parse('{"constructor":1}'));
  assertStringIncludes(textOf(strict), "additional properties");
  await call(peer, "prototype");
  assertEquals(({} as { polluted?: boolean }).polluted, undefined);
  assertEquals(textOf(await call(peer, "half_pair")), "\ufffd");
});

Deno.test("arguments that are nested too deep reach no guest", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE } },
    tools: hostileTools(["echo"]),
  });
  await using peer = await inMemory(server);
  let deep: unknown = 1;
  for (let i = 0; i < 1_000; i++) deep = [deep];
  const result = await call(peer, "echo", { deep });
  assertEquals(
    textOf(result),
    "The arguments of echo are not valid: nested too deep",
  );
});

Deno.test("an endless tool ends at its deadline, and others are answered", async () => {
  await using server = await serverOf({
    guests: {
      hostile: {
        module: HOSTILE,
        limits: { timeoutMs: 1_000 },
        maxConcurrentCalls: 3,
      },
    },
    tools: hostileTools(["echo", "spin"]),
  });
  await using peer = await inMemory(server);
  await using other = await inMemory(server);
  const spinning = [call(peer, "spin"), call(peer, "spin")];
  const start = performance.now();
  assertEquals(textOf(await call(other, "echo", {})), "{}");
  assert(performance.now() - start < 900, "it was held up");
  for (const result of await Promise.all(spinning)) {
    assertEquals(
      textOf(result),
      "The tool spin failed: it reached its limit timeoutMs of 1000",
    );
  }
});

Deno.test("a guest can tell its client only so much", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE } },
    tools: hostileTools(["flood"]),
    maxCallNotifications: 50,
  });
  await using peer = await inMemory(server);
  let lines = 0;
  peer.client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    () => void lines++,
  );
  const result = await call(peer, "flood");
  assertEquals(
    textOf(result),
    "The tool flood failed: only 50 messages to the client are allowed in a call",
  );
  assertEquals(lines, 50);
});

Deno.test("too many calls are refused, and others are answered", async () => {
  await using server = await serverOf({
    guests: {
      hostile: {
        module: HOSTILE,
        limits: { timeoutMs: 1_000 },
        maxConcurrentCalls: 1,
        maxQueuedCalls: 1,
      },
      quick: { module: HOSTILE },
    },
    tools: {
      ...hostileTools(["spin"]),
      echo: { guest: "quick", handler: "echo", inputSchema: ANYTHING },
    },
    maxSessionCalls: 3,
  });
  await using peer = await inMemory(server);
  await using other = await inMemory(server);
  const calls = Array.from({ length: 4 }, () => call(peer, "spin"));
  const settled = Promise.allSettled(calls);
  // the third finds the queue full, the fourth is one too many of a session
  const third = await assertRejects(() => calls[2] ?? Promise.resolve(), Error);
  const fourth = await assertRejects(
    () => calls[3] ?? Promise.resolve(),
    Error,
  );
  assertStringIncludes(third.message, "The server is busy: try again later");
  assertStringIncludes(fourth.message, "3 calls of this session run");
  assertEquals(textOf(await call(other, "echo", {})), "{}");
  await settled;
});

Deno.test("no process is left behind", async () => {
  const before = childrenOf(Deno.pid);
  {
    await using server = await serverOf({
      guests: { hostile: { module: HOSTILE, limits: { timeoutMs: 30_000 } } },
      tools: hostileTools(["spin"]),
    });
    await using peer = await inMemory(server);
    const spinning = call(peer, "spin").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert(childrenOf(Deno.pid).length > before.length);
    await peer.client.close();
    await spinning;
  }
  assertEquals(childrenOf(Deno.pid), before);
});
