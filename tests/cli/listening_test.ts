import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertRejects, assertThrows } from "@std/assert";
import { denoHost } from "../../cli/host.ts";
import {
  listenAt,
  listenOptions,
  listenUntilStopped,
  type Service,
} from "../../cli/listening.ts";
import { Session } from "../../cli/session.ts";

/** A command line whose standard error is kept, and that can be stopped. */
function world() {
  const printed: string[] = [];
  const listeners = new Set<() => void>();
  const keep = (text: string | Uint8Array) => {
    printed.push(String(text));
    return Promise.resolve();
  };
  const session = new Session({
    ...denoHost,
    stdout: keep,
    stderr: keep,
    onStop: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  });
  const stop = () => listeners.forEach((listener) => listener());
  return { session, printed, listeners, stop };
}

function echo(
  answer: (request: Request) => Response | Promise<Response>,
  isIdle = false,
): Service {
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const { addr, finished, shutdown } = Deno.serve(options, answer);
  return { address: addr, finished, shutdown, isIdle: () => isIdle };
}

Deno.test("listenUntilStopped() answers what was accepted before it ends", async () => {
  const { session, printed, listeners, stop } = world();
  const [begun, goOn] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  const service = echo(async () => {
    begun.resolve();
    await goOn.promise;
    return new Response("late");
  });
  const text = { secure: false, json: false };
  const ended = listenUntilStopped(session, () => service, text);
  const url = `http://127.0.0.1:${service.address.port}/`;
  const answer = fetch(url);
  await begun.promise;
  stop();
  goOn.resolve();
  assertEquals(await (await answer).text(), "late");
  await ended;
  assertEquals([session.exitCode, listeners.size], [0, 0]);
  assertEquals(printed, [`listening on ${url}\n`]);
});

Deno.test("listenUntilStopped() waits no longer when it is asked twice", async () => {
  const { session, stop } = world();
  const [begun, goOn] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  const service = echo(async () => {
    begun.resolve();
    await goOn.promise;
    return new Response("late");
  });
  const text = { secure: false, json: true };
  const ended = listenUntilStopped(session, () => service, text);
  const answer = fetch(`http://127.0.0.1:${service.address.port}/`);
  await begun.promise;
  stop();
  stop();
  await ended;
  assertEquals(session.exitCode, 5);
  goOn.resolve();
  await (await answer).text();
  await service.finished;
});

Deno.test("listenUntilStopped() leaves who was answered and does not go", async () => {
  const { session, stop } = world();
  const service = echo(() => new Response("no", { status: 405 }), true);
  const text = { secure: false, json: true, lingerMs: 300 };
  const ended = listenUntilStopped(session, () => service, text);
  const { port, hostname } = service.address;
  const client = await Deno.connect({ port, hostname });
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";
  await client.write(new TextEncoder().encode(head));
  assert((await client.read(new Uint8Array(1_000)) ?? 0) > 0);
  stop();
  await ended;
  assertEquals(session.exitCode, 0);
  client.close();
  await service.finished;
});

Deno.test("listenAt() names an address that cannot be had, and what to do", async () => {
  using taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = taken.addr;
  const certs = new URL("../http/certs/", import.meta.url);
  const pem = (name: string) => Deno.readTextFile(new URL(name, certs));
  const [cert, key] = [await pem("server.pem"), await pem("server.key")];
  const rows: readonly (readonly [Parameters<typeof listenAt>[0], string])[] = [
    [
      { port, hostname: "127.0.0.1" },
      `Cannot listen at 127.0.0.1:${port}: the port is in use (choose another`,
    ],
    [
      { port: 0, hostname: "192.0.2.1" },
      "this machine does not have the address (see --host)",
    ],
    [{ port: 0, hostname: "::zz" }, "Cannot listen at [::zz]:0: invalid host"],
    [{ port: 0, hostname: "a b", cert, key }, "FQDN (see --host)"],
    [
      { port: 0, hostname: "::1", cert: "x", key },
      "Cannot listen at [::1]:0: the certificate and the key do not serve",
    ],
    [
      { port: 0, hostname: "127.0.0.1", cert, key: cert },
      "(see --cert and --key)",
    ],
  ];
  for (const [options, message] of rows) {
    const listen = () =>
      Deno.serve({ ...options, onListen: () => {} }, () => new Response());
    assertThrows(() => listenAt(options, listen), Error, message);
  }
  const denied = () => {
    throw new Deno.errors.PermissionDenied("os error 13");
  };
  const low = { port: 80, hostname: "127.0.0.1" };
  assertThrows(() => listenAt(low, denied), Error, "ports below 1024");
});

Deno.test("listenOptions() takes a certificate and its key, or neither", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const pem = `${folder}/a.pem`;
    await Deno.writeTextFile(pem, "PEM");
    const read = (flags: Parameters<typeof listenOptions>[1]) =>
      listenOptions(denoHost, flags, 8000);
    assertEquals(await read({}), { port: 8000, hostname: "127.0.0.1" });
    const { cert, key } = await read({ cert: pem, key: pem });
    assertEquals([cert, key], ["PEM", "PEM"]);
    await assertRejects(() => read({ cert: pem }), Error, "both");
    const missing = `${folder}/none.pem`;
    const error = await assertRejects(() => read({ cert: pem, key: missing }));
    assert(error instanceof Error);
    assertStringIncludes(error.message, "Cannot read the key");
    assertStringIncludes(error.message, "it does not exist");
    await Deno.writeTextFile(pem, "x".repeat(1_048_577));
    await assertRejects(() => read({ cert: pem, key: pem }), Error, "1 MiB");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
