// Requests as a guest makes them: envelopes, by one function of the host.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  decodeEnvelope,
  encodeEnvelope,
} from "../../communication/envelope.ts";
import { GuestFault } from "../../communication/fault.ts";
import { httpFunction } from "../../communication/http/mod.ts";
import { SandboxError } from "../../errors.ts";
import { ok, open, Peer, says, text } from "./_http.ts";

const { signal } = new AbortController();
const EMPTY = new Uint8Array();

Deno.test("httpFunction() takes and gives envelopes", async () => {
  await using peer = new Peer(says(ok("hello", "X-Proto: 1\r\n")));
  await using client = open({ hosts: [`127.0.0.1:${peer.port}`] });
  const request = httpFunction(client.http);
  const input = encodeEnvelope({ url: peer.url("/a") }, EMPTY);
  const { header, body } = decodeEnvelope(await request(input, { signal }));
  assertEquals(header, {
    status: 200,
    headers: [["x-proto", "1"], ["content-length", "5"]],
    url: peer.url("/a"),
  });
  assertEquals(text(body), "hello");
});

Deno.test("httpFunction() tells of what is no request", async () => {
  await using client = open({ hosts: ["api.test"] });
  const request = httpFunction(client.http);
  const raw = (...bytes: number[]) => Uint8Array.from(bytes);
  const json = (head: string, body = EMPTY) => {
    const bytes = new TextEncoder().encode(head);
    return Uint8Array.from([
      bytes.length,
      bytes.length >> 8,
      0,
      0,
      ...bytes,
      ...body,
    ]);
  };
  const deep = "[".repeat(30_000) + "]".repeat(30_000);
  const wrong: readonly Uint8Array[] = [
    EMPTY,
    raw(0, 0, 0),
    raw(0, 0, 0, 0),
    raw(1, 0, 0, 0),
    raw(255, 255, 255, 255, 0),
    raw(1, 0, 0, 0, 0xff),
    raw(2, 0, 0, 0, 0xc0, 0x80),
    json("null"),
    json("[]"),
    json('"x"'),
    json("{}"),
    json('{"url":1}'),
    json('{"url":null}'),
    json('{"__proto__":{"url":"https://api.test/"}}'),
    json('{"url":"https://api.test/","method":1}'),
    json('{"url":"https://api.test/","method":null}'),
    json('{"url":"https://api.test/","headers":{}}'),
    json('{"url":"https://api.test/","headers":[["a"]]}'),
    json('{"url":"https://api.test/","headers":[["a",1]]}'),
    json('{"url":"https://api.test/","headers":[["a","b","c"]]}'),
    json('{"url":"https://api.test/","headers":["ab"]}'),
    json(deep),
  ];
  for (const input of wrong) {
    const error = await assertRejects(
      () => request(input, { signal }),
      GuestFault,
    );
    assertEquals(error.status, "invalid");
  }
  assertEquals(client.events, []);
});

Deno.test("httpFunction() keeps what is the program's own affair from the guest", async () => {
  const fail = (error: Error) =>
    httpFunction({ request: () => Promise.reject(error) } as never);
  const input = encodeEnvelope({ url: "https://api.test/" }, EMPTY);
  const ours = new SandboxError("unsupported", "Cannot connect: may not", {
    details: { runtime: "http", feature: "connections" },
  });
  const error = await assertRejects(() => fail(ours)(input, { signal }), Error);
  assert(!SandboxError.is(error) && !(error instanceof GuestFault));
  assertEquals(error.cause, ours);
  const limit = new SandboxError("limit-exceeded", "Cannot go on", {
    details: { limit: "networkBytes", allowed: 1, suggestion: "raise it" },
  });
  assertEquals(
    await assertRejects(() => fail(limit)(input, { signal }), Error),
    limit,
  );
});
