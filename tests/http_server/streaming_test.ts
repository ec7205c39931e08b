import { assert, assertEquals, assertRejects } from "@std/assert";
import { Capabilities } from "../../security/capabilities.ts";
import { guestLoad, guestProcesses, guestsAreIdle, sleep } from "./_machine.ts";
import { listen, post, raw, RawClient, statusOf, until } from "./_server.ts";

const ISOLATIONS = ["inline", "process"] as const;
const PIECE = new Uint8Array(65_536).fill(120);

/** So many pieces, made when they are asked for. */
function pieces(count: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(PIECE);
      else controller.close();
    },
  });
}

/** How much memory of this process is in use at the most while something runs. */
async function growth(
  run: (look: () => void) => Promise<void>,
): Promise<number> {
  const before = Deno.memoryUsage().rss;
  let most = before;
  await run(() => {
    most = Math.max(most, Deno.memoryUsage().rss);
  });
  return most - before;
}

Deno.test("a handler streams more than its memory holds, both ways at once", async () => {
  for (const isolation of ISOLATIONS) {
    // the guest may have no more than sixteen pages
    const maxRequestBytes = 2 ** 27;
    await using it = await listen("stream", {
      isolation,
      limits: { memoryBytes: 2 ** 20, timeoutMs: 120_000 },
      maxRequestBytes,
      maxResponseBytes: 2 ** 30,
      bodyTimeoutMs: 120_000,
    });
    const count = 2_000;
    let bytes = 0;
    const grown = await growth(async (look) => {
      const response = await fetch(`${it.url}/copy`, {
        method: "POST",
        body: pieces(count),
      });
      assertEquals(response.status, 200);
      for await (const piece of response.body ?? []) {
        bytes += piece.length;
        look();
        assert(piece[0] === 120 && piece.at(-1) === 120);
      }
    });
    assertEquals(bytes, count * PIECE.length);
    // what the client has sent is taken in while the reply goes out
    assert(grown < maxRequestBytes + 96_000_000, `${isolation}: ${grown}`);
    await until(() => it.log.length === 1);
    assertEquals(it.log[0]?.requestBytes, bytes);
    assertEquals(it.log[0]?.responseBytes, bytes);
    assertEquals(it.log[0]?.error, undefined);
  }
});

Deno.test("a body that is streamed one way takes no memory, however long", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      limits: { memoryBytes: 2 ** 20, timeoutMs: 120_000 },
      maxRequestBytes: 2 ** 30,
      maxResponseBytes: 2 ** 30,
      bodyTimeoutMs: 120_000,
    });
    const count = 1_500;
    const up = await growth(async (look) => {
      const timer = setInterval(look, 5);
      const { text } = await post(`${it.url}/sum`, pieces(count));
      clearInterval(timer);
      assertEquals(Number(text), count * PIECE.length);
    });
    assert(up < 90_000_000, `${isolation}: ${up}`);
    const down = await growth(async (look) => {
      const response = await fetch(`${it.url}/endless`);
      let bytes = 0;
      for await (const piece of response.body ?? []) {
        look();
        if ((bytes += piece.length) >= count * PIECE.length) break;
      }
    });
    assert(down < 90_000_000, `${isolation}: ${down}`);
    await until(() => it.server.stats().active === 0);
  }
});

Deno.test("a handler reads piece by piece, and answers as a whole", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      limits: { memoryBytes: 2 ** 20 },
      maxRequestBytes: 2 ** 28,
    });
    assertEquals(await post(`${it.url}/sum`, pieces(200)), {
      status: 200,
      text: String(200 * PIECE.length).padStart(10, "0"),
    });
    assertEquals((await post(`${it.url}/sum`)).text, "0000000000");
    const got = await fetch(`${it.url}/sum`);
    assertEquals(await got.text(), "0000000000");
  }
});

Deno.test("a handler gets the first bytes before the last are sent, and so does the client", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", { isolation });
    const { readable, writable } = new TransformStream<
      Uint8Array<ArrayBuffer>
    >();
    const writer = writable.getWriter();
    const pending = fetch(`${it.url}/copy`, { method: "POST", body: readable });
    await writer.write(new TextEncoder().encode("first"));
    const response = await pending;
    const reader = response.body?.getReader();
    const text = async () =>
      new TextDecoder().decode((await reader?.read())?.value);
    assertEquals(await text(), "first");
    await writer.write(new TextEncoder().encode("second"));
    assertEquals(await text(), "second");
    await writer.close();
    assertEquals((await reader?.read())?.done, true);
  }
});

Deno.test("a body that is streamed is bounded in length and time", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      maxRequestBytes: 200_000,
      bodyTimeoutMs: 400,
    });
    // the guest hears of a failure, and what it makes of it does not matter
    assertEquals((await post(`${it.url}/sum`, pieces(4))).status, 413);
    assertEquals(
      (await post(`${it.url}/sum`, new Uint8Array(200_001))).status,
      413,
    );
    using client = await RawClient.connect(it.port);
    await client.send(
      "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
    );
    const answer = await client.read((text) => text.includes("}"));
    assertEquals(statusOf(answer), 408);
    // a reply that has begun can only be cut off
    const cut = await fetch(`${it.url}/copy`, {
      method: "POST",
      body: pieces(4),
    });
    assertEquals(cut.status, 200);
    await assertRejects(() => cut.arrayBuffer());
    assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
    await until(() => it.server.stats().active === 0);
  }
});

Deno.test("a reply that is streamed is bounded in length", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      maxResponseBytes: 1_000_000,
    });
    const response = await fetch(`${it.url}/endless`);
    assertEquals(response.status, 200);
    let bytes = 0;
    await assertRejects(async () => {
      for await (const piece of response.body ?? []) bytes += piece.length;
    });
    assert(bytes <= 1_000_000, `${bytes}`);
    assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
  }
});

Deno.test("a guest waits for a slow reader, and no memory is filled", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      maxResponseBytes: 2 ** 40,
      limits: { timeoutMs: 60_000 },
    });
    using client = await RawClient.connect(it.port);
    const before = Deno.memoryUsage().rss;
    await client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => it.server.stats().active === 1);
    // sockets and buffers on the way are filled, and then nothing goes on
    await sleep(500);
    await guestsAreIdle();
    const grown = Deno.memoryUsage().rss - before;
    assert(grown < 50_000_000, `${isolation}: ${grown}`);
    // others are served meanwhile
    assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
    client[Symbol.dispose]();
    await until(() => it.server.stats().active === 0);
    await until(() => it.server.stats().busyInstances === 0);
  }
});

Deno.test("a slow reader does not hold a guest for longer than its deadline", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      maxInstances: 1,
      maxResponseBytes: 2 ** 40,
      limits: { timeoutMs: 500 },
    });
    using client = await RawClient.connect(it.port);
    await client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => it.server.stats().busyInstances === 1);
    // it waits for the only guest, and gets it
    assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
    await until(() => it.server.stats().active === 0);
    assert(it.log.some(({ error }) => error !== undefined));
  }
});

Deno.test("a guest stops when the client goes away in the middle of its reply", async () => {
  await using it = await listen("stream", {
    isolation: "process",
    maxInstances: 1,
    maxResponseBytes: 2 ** 40,
    limits: { timeoutMs: 60_000 },
  });
  for (const path of ["/endless", "/stuck"]) {
    const logged = it.log.length;
    {
      using client = await RawClient.connect(it.port);
      await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await client.read((text) => text.length > 1_000);
      await until(() => it.server.stats().busyInstances === 1);
      if (path === "/stuck" && guestProcesses().length > 0) {
        assert(await guestLoad(300) > 0.05);
      }
    }
    await until(() => it.log.length > logged);
    await until(() => it.server.stats().busyInstances === 0);
    await guestsAreIdle();
  }
  assert(it.log.every(({ error }) => error !== undefined));
  assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
});

Deno.test("a guest stops when the client goes away in the middle of its request", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      maxInstances: 1,
      limits: { timeoutMs: 60_000 },
      bodyTimeoutMs: 60_000,
    });
    for (const path of ["/sum", "/copy"]) {
      {
        using client = await RawClient.connect(it.port);
        await client.send(
          `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc`,
        );
        await until(() => it.server.stats().busyInstances === 1);
        await sleep(100);
      }
      await until(() => it.server.stats().active === 0);
      await until(() => it.server.stats().busyInstances === 0);
    }
    assertEquals(it.log.length, 2);
    assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
  }
});

Deno.test("a guest that misuses http.respond costs one request", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      limits: { timeoutMs: 500 },
    });
    assertEquals((await post(`${it.url}/early`)).status, 502);
    assertEquals((await post(`${it.url}/twice`)).text, "once");
    for (const path of ["/half", "/stuck"]) {
      const answer = await raw(
        it.port,
        `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      assertEquals([path, statusOf(answer)], [path, 200]);
      assert(!answer.endsWith("0\r\n\r\n"), path);
    }
    assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
    await until(() => it.server.stats().active === 0);
  }
});

Deno.test("a reply that is streamed has no body with HEAD", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", {
      isolation,
      limits: { timeoutMs: 2_000 },
    });
    const answer = await raw(
      it.port,
      "HEAD /copy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assertEquals(statusOf(answer), 200);
    assert(answer.endsWith("\r\n\r\n"), answer);
  }
});

Deno.test("a guest needs no grant for http.respond, whatever else it was granted", async () => {
  await using it = await listen("stream", {
    policy: [Capabilities.hostFunctions(["other"])],
    hostFunctions: { other: () => 1 },
  });
  assertEquals((await post(`${it.url}/copy`, "text")).text, "text");
});

Deno.test("a client that sends for ever is not read for ever", async () => {
  await using it = await listen("stream", {
    maxRequestBytes: 100_000,
    maxResponseBytes: 2 ** 40,
    limits: { timeoutMs: 60_000 },
  });
  const chunk = `1000\r\n${"x".repeat(4_096)}\r\n`.repeat(16);
  for (
    const path of ["/sum", "/copy", "/twice", "/healthz", "/early", "/endless"]
  ) {
    using client = await RawClient.connect(it.port);
    await client.send(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    let sent = 0;
    const sending = (async () => {
      for (;; sent += chunk.length) await client.send(chunk);
    })();
    // ends when the server has ended the connection, and not before
    let isRead = false;
    const timer = setTimeout(() => {
      isRead = true;
      client[Symbol.dispose]();
    }, 10_000);
    await sending.catch(() => {});
    clearTimeout(timer);
    assert(!isRead, `${path}: ${sent}`);
  }
  assertEquals((await post(`${it.url}/copy`, "alive")).text, "alive");
});
