/**
 * Limits of what a guest asks of its host: streams and the network.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { encodeEnvelope } from "../../communication/envelope.ts";
import { Capabilities, type ResourceLimits, type Sandbox } from "../../mod.ts";
import { answered, relayed, relayGuest } from "../relay_guest.ts";
import { create, ends, type Isolation } from "./_common.ts";

/** Tries out `streamBytes`. */
export async function testStreamBytes(isolation: Isolation): Promise<void> {
  await using sandbox = await create(await relayGuest(), isolation, {
    policy: [],
    limits: { streamBytes: 1_000 },
  });
  assertEquals(sandbox.enforcement().limits.streamBytes?.level, "hard");
  assertEquals(await pump(sandbox, 500), { pumped: 500n, written: 500 });
  assertEquals(sandbox.usage().limits.streamBytes, {
    allowed: 1_000,
    used: 1_000,
  });
  // the next call has all of it again
  assertEquals(await pump(sandbox, 500), { pumped: 500n, written: 500 });
  const { allowed } = await ends("streamBytes", () => pump(sandbox, 501));
  assertEquals(allowed, 1_000);
  await sandbox.reset();
  await ends("streamBytes", () => pump(sandbox, 1_001));
  await sandbox.reset();
  assertEquals(await pump(sandbox, 1), { pumped: 1n, written: 1 });
}

async function pump(
  sandbox: Sandbox,
  bytes: number,
): Promise<{ readonly pumped: unknown; readonly written: number }> {
  let written = 0;
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => void (written += chunk.length),
  });
  const source = new Blob([new Uint8Array(bytes)]).stream();
  return { pumped: await sandbox.call("pump", [], { source, sink }), written };
}

/** Tries out `networkRequests`. */
export async function testNetworkRequests(isolation: Isolation): Promise<void> {
  await using server = new Server();
  await using sandbox = await server.sandbox(isolation, { networkRequests: 2 });
  const limit = sandbox.enforcement().limits.networkRequests;
  assertEquals(limit?.level, "hard");
  for (let turn = 0; turn < 2; turn++) {
    assertEquals((await server.ask(sandbox, "/")).status, 0);
  }
  await ends("networkRequests", () => server.ask(sandbox, "/"));
  // no reset gives a request back
  await sandbox.reset();
  await ends("networkRequests", () => server.ask(sandbox, "/"));
  assertEquals(server.requests, 2);
}

/** Tries out `networkBytes`. */
export async function testNetworkBytes(isolation: Isolation): Promise<void> {
  await using server = new Server();
  await using sandbox = await server.sandbox(isolation, {
    networkBytes: 100_000,
  });
  assertEquals(sandbox.enforcement().limits.networkBytes?.level, "hard");
  assertEquals((await server.ask(sandbox, "/40000")).status, 0);
  const { used = 0 } = sandbox.usage().limits.networkBytes ?? {};
  assert(used >= 40_000 && used < 50_000, `${used}`);
  await ends("networkBytes", () => server.ask(sandbox, "/90000"));
  await sandbox.reset();
  await ends("networkBytes", () => server.ask(sandbox, "/90000"));
}

/** A server that gives as many bytes as it is asked for. */
class Server implements AsyncDisposable {
  requests = 0;
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => {
      this.requests++;
      return new Response("x".repeat(Number(new URL(url).pathname.slice(1))));
    },
  );

  get #host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async sandbox(
    isolation: Isolation,
    limits: ResourceLimits,
  ): Promise<Sandbox> {
    return await create(await relayGuest(), isolation, {
      policy: [Capabilities.networkAccess([this.#host])],
      limits,
    });
  }

  async ask(
    sandbox: Sandbox,
    path: string,
  ): Promise<ReturnType<typeof answered>> {
    const request = encodeEnvelope(
      { url: `http://${this.#host}${path}` },
      new Uint8Array(),
    );
    const reply = await sandbox.call<Uint8Array>(
      "relay",
      relayed("http.request", request),
    );
    return answered(reply);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
