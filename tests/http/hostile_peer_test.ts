// Peers that do not answer as they should: each a fault in time, and the
// connection closed.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { Body } from "../../communication/http/body.ts";
import { GuestFault } from "../../communication/fault.ts";
import type { HttpOptions } from "../../communication/http/mod.ts";
import {
  type Client,
  type Isolation,
  ISOLATIONS,
  ok,
  open,
  Peer,
  says,
  type Serve,
  write,
} from "./_http.ts";

interface Case {
  /** What the peer does. */
  readonly serve: Serve;
  /** What the guest is told. */
  readonly status: GuestFault["status"];
  /** What bounds the request. */
  readonly options?: HttpOptions;
}

const HEAD = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const SMALL = { maxResponseBytes: 10_000, maxHeaderBytes: 1_000 };
const SHORT = { timeoutMs: 300 };

const CASES: Readonly<Record<string, Case>> = {
  "closes at once": { serve: closes(""), status: "failed" },
  "closes within the head": {
    serve: closes(`${HEAD}X: `),
    status: "failed",
  },
  "closes within the body": {
    serve: closes(`${HEAD}Content-Length: 10\r\n\r\nhalf`),
    status: "failed",
  },
  "closes within a chunk": {
    serve: closes(`${CHUNKED}a\r\nhalf`),
    status: "failed",
  },
  "closes before the last chunk": {
    serve: closes(`${CHUNKED}2\r\nhi\r\n`),
    status: "failed",
  },
  "speaks no HTTP": { serve: says("SSH-2.0-x\r\n\r\n"), status: "failed" },
  "speaks HTTP/2": {
    serve: says("\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80"),
    status: "failed",
  },
  "has a bad length of a chunk": {
    serve: says(`${CHUNKED}zz\r\nhi\r\n0\r\n\r\n`),
    status: "failed",
  },
  "has a chunk of 2⁶⁴ bytes": {
    serve: says(`${CHUNKED}fffffffffffffffff\r\nhi`),
    status: "failed",
  },
  "has two lengths": {
    serve: says(`${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi`),
    status: "failed",
  },
  "has a length and chunks": {
    serve: says(
      `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ),
    status: "failed",
  },
  "has a length below 0": {
    serve: says(`${HEAD}Content-Length: -1\r\n\r\n`),
    status: "failed",
  },
  "has NUL in a header": {
    serve: says(`${HEAD}X: a\0b\r\n\r\n`),
    status: "failed",
  },
  "ends lines by LF alone": {
    serve: says("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"),
    status: "failed",
  },
  "switches protocols": {
    serve: says(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n" +
        "Connection: Upgrade\r\n\r\n",
    ),
    status: "failed",
  },
  "switches without a word": {
    serve: says("HTTP/1.1 101 X\r\n\r\n"),
    status: "failed",
  },
  "has a status of 99": {
    serve: says("HTTP/1.1 099 X\r\n\r\n"),
    status: "failed",
  },
  "sends interim responses without an end": {
    serve: endless("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
    status: "failed",
  },
  "has a long header": {
    serve: says(`${HEAD}X: ${"x".repeat(2_000)}\r\n\r\n`),
    status: "too-large",
    options: SMALL,
  },
  "has headers without an end": {
    serve: endless("X: y\r\n", HEAD),
    status: "too-large",
    options: SMALL,
  },
  "has too many headers": {
    serve: says(`${HEAD}${"x:y\r\n".repeat(300)}\r\n`),
    status: "too-large",
  },
  "announces a long body": {
    serve: says(`${HEAD}Content-Length: 10001\r\n\r\n`),
    status: "too-large",
    options: SMALL,
  },
  "announces no length, and does not end": {
    serve: endless("x".repeat(1_000), `${HEAD}\r\n`),
    status: "too-large",
    options: SMALL,
  },
  "sends chunks without an end": {
    serve: endless("1\r\nx\r\n", CHUNKED),
    status: "too-large",
    options: SMALL,
  },
  "has a chunk that is too long": {
    serve: endless("x".repeat(1_000), `${CHUNKED}ffffffff\r\n`),
    status: "too-large",
    options: SMALL,
  },
  "has an extension of a chunk without an end": {
    serve: endless("x".repeat(1_000), `${CHUNKED}1;`),
    status: "too-large",
    options: SMALL,
  },
  "has trailers without an end": {
    serve: endless("x: y\r\n", `${CHUNKED}0\r\n`),
    status: "too-large",
    options: SMALL,
  },
  "says nothing": { serve: says(""), status: "timed-out", options: SHORT },
  "says half a head": {
    serve: says(`${HEAD}X: y`),
    status: "timed-out",
    options: SHORT,
  },
  "stops within the body": {
    serve: says(`${HEAD}Content-Length: 10\r\n\r\nhalf`),
    status: "timed-out",
    options: SHORT,
  },
  "drips its head": {
    serve: drips(HEAD + "X: y\r\n".repeat(100)),
    status: "timed-out",
    options: SHORT,
  },
  "drips its body": {
    serve: drips("x".repeat(1_000), `${HEAD}Content-Length: 1000\r\n\r\n`),
    status: "timed-out",
    options: SHORT,
  },
};

Deno.test("Body.push() grows with what it holds", () => {
  const body = new Body(1_000_000);
  const piece = new Uint8Array([7]);
  for (let each = 0; each < 1_000_000; each++) assert(body.push(piece));
  assertFalse(body.push(piece));
  const bytes = body.take();
  assertEquals([bytes.length, bytes.buffer.byteLength], [1_000_000, 1_000_000]);
  assert(bytes.every((byte) => byte === 7));
  assertEquals(new Body(0).take().length, 0);
});

for (const isolation of ISOLATIONS) {
  for (const [name, { serve, status, options = {} }] of Object.entries(CASES)) {
    Deno.test(`GuestHttp.request() of a peer that ${name} (${isolation})`, async () => {
      await using peer = new Peer(serve);
      await using client = clientOf(peer, isolation, {
        timeoutMs: 10_000,
        ...options,
      });
      const start = performance.now();
      const error = await assertRejects(
        () => client.get(peer.url()),
        GuestFault,
      );
      assertEquals(error.status, status, error.message);
      assert(performance.now() - start < 2_000, "it took too long");
      // closed though the client lives on
      await peer.idle();
      assertEquals([peer.connections, peer.closed], [1, 1]);
    });
  }

  Deno.test(`GuestHttp.request() unpacks no bomb (${isolation})`, async () => {
    const packed = await gzip(new Uint8Array(64 * 2 ** 20));
    assert(packed.length < 100_000);
    await using peer = new Peer(async (connection) => {
      const length = `Content-Length: ${packed.length}\r\n`;
      await write(connection, `${HEAD}Content-Encoding: gzip\r\n${length}\r\n`);
      await write(connection, packed);
    });
    await using client = clientOf(peer, isolation);
    const before = Deno.memoryUsage().rss;
    const { body, headers } = await client.get(peer.url(), {
      headers: [["accept-encoding", "gzip"]],
    });
    assertEquals(body.length, packed.length);
    assertEquals(headers[0], ["content-encoding", "gzip"]);
    assert(Deno.memoryUsage().rss - before < 32 * 2 ** 20);
  });

  Deno.test(`GuestHttp.request() lets others have their turn amid single bytes (${isolation})`, async () => {
    const said = new TextEncoder().encode(
      `${CHUNKED}${"1\r\nx\r\n".repeat(200_000)}0\r\n\r\n`,
    );
    await using peer = new Peer((connection) => write(connection, said));
    await using client = clientOf(peer, isolation, { timeoutMs: 20_000 });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    assertEquals((await client.get(peer.url())).body.length, 200_000);
    clearInterval(timer);
    assert(turns >= 10, `${turns} turns`);
  });

  Deno.test(`GuestHttp.request() closes what is cancelled (${isolation})`, async () => {
    await using peer = new Peer(says(`${HEAD}Content-Length: 10\r\n\r\nhalf`));
    await using client = clientOf(peer, isolation);
    const controller = new AbortController();
    const reason = new Error("enough");
    const request = client.http.request({
      url: peer.url(),
      method: "GET",
      headers: [],
      body: new Uint8Array(),
    }, { signal: controller.signal });
    const rejected = assertRejects(() => request, Error);
    while (peer.heads.length === 0) await sleep(10);
    controller.abort(reason);
    const error = await rejected;
    assertEquals(error, reason);
    await peer.idle();
    assertEquals([peer.connections, peer.closed], [1, 1]);
  });

  Deno.test(`GuestHttp disposes what is under way (${isolation})`, async () => {
    await using peer = new Peer(says(HEAD));
    const client = clientOf(peer, isolation);
    const request = assertRejects(() => client.get(peer.url()), Error);
    while (peer.heads.length === 0) await sleep(10);
    await client[Symbol.asyncDispose]();
    await request;
    await peer.idle();
    await assertRejects(() => client.get(peer.url()), Error, "disposed");
    assertEquals([peer.connections, peer.closed], [1, 1]);
  });

  Deno.test(`GuestHttp.request() makes four at a time (${isolation})`, async () => {
    let most = 0;
    let now = 0;
    await using peer = new Peer(async (connection) => {
      most = Math.max(most, ++now);
      await sleep(30);
      now--;
      await write(connection, ok("x"));
    });
    await using client = clientOf(peer, isolation);
    await Promise.all(Array.from({ length: 12 }, () => client.get(peer.url())));
    assertEquals([most, peer.connections], [4, 12]);
  });
}

function clientOf(
  peer: Peer,
  isolation: Isolation,
  options: HttpOptions = {},
): Client {
  return open({ isolation, hosts: [`127.0.0.1:${peer.port}`], options });
}

/** Sends some text, and closes. */
function closes(text: string): Serve {
  return async (connection) => {
    await write(connection, text);
    connection.close();
  };
}

/** Sends something again and again, until it is left. */
function endless(text: string, first = ""): Serve {
  const many = text.repeat(Math.ceil(10_000 / text.length));
  return async (connection) => {
    await write(connection, first);
    for (;;) await write(connection, many);
  };
}

/** Sends a byte now and then, until it is left. */
function drips(text: string, first = ""): Serve {
  return async (connection) => {
    await write(connection, first);
    for (const byte of text) {
      await write(connection, byte);
      await sleep(20);
    }
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
