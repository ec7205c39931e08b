// Requests that are granted, by both ways to connect.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import { SandboxError } from "../../errors.ts";
import { ISOLATIONS, ok, open, Peer, resolver, says, text } from "./_http.ts";

const CERTS = new URL("certs/", import.meta.url);

for (const isolation of ISOLATIONS) {
  Deno.test(`GuestHttp.request() asks and answers (${isolation})`, async () => {
    await using peer = new Peer(says(ok("hello", "X-A: 1\r\nx-a: 2\r\n")));
    const hosts = [`127.0.0.1:${peer.port}`];
    await using client = open({ isolation, hosts });
    const response = await client.get(peer.url("/a?b=c#d"), {
      headers: [["X-Token", " secret "], ["x-token", "2"]],
    });
    assertEquals(response.status, 200);
    assertEquals(text(response.body), "hello");
    assertEquals(response.url, peer.url("/a?b=c"));
    assertEquals(response.headers, [
      ["x-a", "1"],
      ["x-a", "2"],
      ["content-length", "5"],
    ]);
    assertEquals(
      peer.heads[0],
      `GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:${peer.port}\r\n` +
        "connection: close\r\naccept-encoding: identity\r\n" +
        "x-token: secret\r\nx-token: 2\r\n\r\n",
    );
    assertEquals(client.events, [
      `allowed http://127.0.0.1:${peer.port} GET`,
    ]);
  });

  Deno.test(`GuestHttp.request() sends a body (${isolation})`, async () => {
    await using server = serve(async (request) =>
      new Response(`${request.method} ${await request.text()}`)
    );
    const { port } = server.addr;
    await using client = open({ isolation, hosts: [`127.0.0.1:${port}`] });
    const url = `http://127.0.0.1:${port}/`;
    for (const body of ["", "x", "y".repeat(300_000)]) {
      const response = await client.get(url, {
        method: "post",
        body: new TextEncoder().encode(body),
      });
      assertEquals(text(response.body), `POST ${body}`);
    }
  });

  Deno.test(`GuestHttp.request() reads bodies of every framing (${isolation})`, async () => {
    const cases: readonly (readonly [string, string])[] = [
      [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "2\r\nhi\r\n1;x=y\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\n",
        "hi!",
      ],
      ["HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + ok("late"), "late"],
      ["HTTP/1.1 204 No Content\r\n\r\n", ""],
    ];
    for (const [said, body] of cases) {
      await using peer = new Peer(says(said));
      await using client = open({
        isolation,
        hosts: [`127.0.0.1:${peer.port}`],
      });
      assertEquals(text((await client.get(peer.url())).body), body);
    }
  });

  Deno.test(`GuestHttp.request() reads no body of HEAD (${isolation})`, async () => {
    await using peer = new Peer(
      says("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"),
    );
    await using client = open({
      isolation,
      hosts: [`127.0.0.1:${peer.port}`],
    });
    const response = await client.get(peer.url(), { method: "HEAD" });
    assertEquals([response.status, response.body.length], [200, 0]);
    assertEquals(response.headers, [["content-length", "999999999"]]);
  });

  Deno.test({
    name: `GuestHttp.request() dials addresses of IPv6 (${isolation})`,
    ignore: !hasIpv6(),
    fn: async () => {
      await using peer = new Peer(says(ok("six")), "::1");
      const { port } = peer;
      const { resolve } = resolver({ "six.test": ["::1"] });
      const hosts = [`six.test:${port}`, `[::1]:${port}`];
      await using client = open({ isolation, hosts, options: { resolve } });
      for (const host of ["six.test", "[::1]", "[0:0::0:1]"]) {
        const response = await client.get(`http://${host}:${port}/`);
        assertEquals(text(response.body), "six");
      }
      assertMatch(peer.heads[1] ?? "", /\r\nhost: \[::1\]:/);
    },
  });

  Deno.test(`GuestHttp.request() checks the certificate for the name (${isolation})`, async () => {
    const ca = await Deno.readTextFile(new URL("ca.pem", CERTS));
    await using server = serve(() => new Response("private"), {
      cert: await Deno.readTextFile(new URL("server.pem", CERTS)),
      key: await Deno.readTextFile(new URL("server.key", CERTS)),
    });
    const { port } = server.addr;
    const { resolve } = resolver({
      "secure.test": ["127.0.0.1"],
      "other.test": ["127.0.0.1"],
    });
    const hosts = ["secure.test", "other.test", "127.0.0.1", "127.0.0.2"]
      .map((host) => `https://${host}:${port}`);
    const caCertificates = [ca];
    await using client = open({
      isolation,
      hosts,
      options: { resolve, caCertificates },
    });
    const name = await client.get(`https://secure.test:${port}/`);
    assertEquals(text(name.body), "private");
    const address = await client.get(`https://127.0.0.1:${port}/`);
    assertEquals(text(address.body), "private");
    await using stranger = open({ isolation, hosts, options: { resolve } });
    for (
      const [who, url] of [
        [client, `https://other.test:${port}/`],
        [stranger, `https://secure.test:${port}/`],
        // the certificate is for 127.0.0.1
        [client, `https://127.0.0.2:${port}/`],
        [stranger, `https://127.0.0.1:${port}/`],
      ] as const
    ) {
      const error = await assertRejects(() => who.get(url), GuestFault);
      assertEquals(
        error.message,
        "no secure connection to the host can be made",
      );
    }
  });

  Deno.test(`GuestHttp.request() asks the system for names (${isolation})`, async () => {
    await using peer = new Peer(says(ok("local")));
    await using client = open({
      isolation,
      hosts: [`localhost:${peer.port}`, `127.0.0.1:${peer.port}`],
    });
    const url = `http://localhost:${peer.port}/`;
    assertEquals(text((await client.get(url)).body), "local");
    assertMatch(peer.heads[0] ?? "", /^GET \/ .*\r\nhost: localhost:/);
    await using unknown = open({ isolation, hosts: ["nobody.invalid"] });
    const error = await assertRejects(
      () => unknown.get("https://nobody.invalid/"),
      GuestFault,
    );
    assertEquals(error.message, "the host is unknown");
  });

  Deno.test(`GuestHttp.request() tries another address if nobody is there (${isolation})`, async () => {
    await using peer = new Peer(says(ok("second")));
    const hosts = ["two.test", "127.0.0.2", "127.0.0.1"]
      .map((host) => `${host}:${peer.port}`);
    const { resolve } = resolver({ "two.test": ["127.0.0.2", "127.0.0.1"] });
    await using client = open({ isolation, hosts, options: { resolve } });
    const response = await client.get(`http://two.test:${peer.port}/`);
    assertEquals(text(response.body), "second");
    assertEquals(
      client.events,
      hosts.map((host) => `allowed http://${host} GET`),
    );
  });

  Deno.test(`GuestHttp.usage() counts requests and bytes (${isolation})`, async () => {
    await using peer = new Peer(says(ok("0123456789")));
    const hosts = [`127.0.0.1:${peer.port}`];
    await using client = open({
      isolation,
      hosts,
      limits: { networkRequests: 2, networkBytes: 10_000 },
    });
    await client.get(peer.url());
    const { networkBytes, networkRequests } = client.http.usage();
    assertEquals(networkRequests, { allowed: 2, used: 1 });
    const sent = peer.heads[0]?.length ?? 0;
    assertEquals(networkBytes?.used, sent + ok("0123456789").length);
    await client.get(peer.url());
    const error = await assertRejects(
      () => client.get(peer.url()),
      SandboxError,
    );
    assert(SandboxError.is(error, "limit-exceeded"));
    assertEquals(error.details.limit, "networkRequests");
    assertEquals(peer.connections, 2);
  });

  Deno.test(`GuestHttp.request() ends the guest at networkBytes (${isolation})`, async () => {
    await using peer = new Peer(says(ok("x".repeat(50_000))));
    await using client = open({
      isolation,
      hosts: [`127.0.0.1:${peer.port}`],
      limits: { networkBytes: 20_000 },
    });
    const error = await assertRejects(
      () => client.get(peer.url()),
      SandboxError,
    );
    assert(SandboxError.is(error, "limit-exceeded"));
    assertEquals(error.details.limit, "networkBytes");
    assertEquals(client.http.usage().networkBytes?.used, 20_000);
    await peer.idle();
  });
}

function serve(
  handler: (request: Request) => Response | Promise<Response>,
  tls: { readonly cert?: string; readonly key?: string } = {},
) {
  const options = { hostname: "0.0.0.0", port: 0, onListen() {} };
  return Deno.serve({ ...options, ...tls } as Deno.ServeTcpOptions, handler);
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
