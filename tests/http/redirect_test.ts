// Redirects over the network: each is checked like a request of its own.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import {
  ISOLATIONS,
  ok,
  open,
  Peer,
  resolver,
  says,
  type Serve,
  text,
} from "./_http.ts";

for (const isolation of ISOLATIONS) {
  Deno.test(`GuestHttp.request() follows redirects that are granted (${isolation})`, async () => {
    await using last = new Peer(says(ok("found")));
    await using first = new Peer(redirects(() => last.url("/there?x#y"), 302));
    const hosts = [first, last].map(({ port }) => `127.0.0.1:${port}`);
    await using client = open({ isolation, hosts });
    const response = await client.get(first.url(), {
      method: "POST",
      headers: [
        ["authorization", "Bearer secret"],
        ["cookie", "id=secret"],
        ["x-api-key", "secret"],
        ["accept", "text/plain"],
      ],
      body: new TextEncoder().encode("secret"),
    });
    assertEquals(text(response.body), "found");
    assertEquals(response.url, last.url("/there?x"));
    assertMatch(first.heads[0] ?? "", /secret/);
    assertEquals(
      last.heads[0],
      `GET /there?x HTTP/1.1\r\nhost: 127.0.0.1:${last.port}\r\n` +
        "connection: close\r\naccept-encoding: identity\r\n" +
        "accept: text/plain\r\n\r\n",
    );
    assertEquals(client.events, [
      `allowed http://127.0.0.1:${first.port} POST`,
      `allowed http://127.0.0.1:${last.port} GET`,
    ]);
  });

  Deno.test(`GuestHttp.request() follows no redirect that is not granted (${isolation})`, async () => {
    await using forbidden = new Peer(says(ok("secret")), "0.0.0.0");
    const { port } = forbidden;
    const targets: Readonly<Record<string, GuestFault["status"]>> = {
      [`http://127.0.0.1:${port}/`]: "denied",
      [`//127.0.0.1:${port}/`]: "denied",
      [`http://127.1:${port}/`]: "denied",
      [`http://[::ffff:127.0.0.1]:${port}/`]: "denied",
      [`http://localhost:${port}/`]: "denied",
      [`http://rebound.test:${port}/`]: "denied",
      "http://169.254.169.254/latest/meta-data/": "denied",
      "http://[fd00:ec2::254]/": "denied",
      "https://127.0.0.1/": "denied",
      [`http://user:pass@127.0.0.1:${port}/`]: "failed",
      "file:///etc/passwd": "failed",
      "data:text/plain,x": "failed",
      "unix:///var/run/docker.sock": "failed",
      "javascript:alert(1)": "failed",
    };
    const { resolve } = resolver({
      "localhost": ["127.0.0.1"],
      "rebound.test": ["127.0.0.1"],
    });
    for (const [target, status] of Object.entries(targets)) {
      await using first = new Peer(redirects(() => target, 307));
      const hosts = [`127.0.0.1:${first.port}`, `rebound.test:${port}`];
      await using client = open({ isolation, hosts, options: { resolve } });
      const error = await assertRejects(
        () => client.get(first.url()),
        GuestFault,
      );
      assertEquals(error.status, status, target);
    }
    assertEquals(forbidden.connections, 0);
  });

  Deno.test(`GuestHttp.request() refuses what loops (${isolation})`, async () => {
    await using peer = new Peer(redirects(() => "/again", 301));
    const hosts = [`127.0.0.1:${peer.port}`];
    await using client = open({ isolation, hosts });
    const error = await assertRejects(() => client.get(peer.url()), GuestFault);
    assertEquals(error.message, "the host redirects too often");
    assertEquals(peer.connections, 6);
    await using manual = open({
      isolation,
      hosts,
      options: { maxRedirects: 0 },
    });
    const response = await manual.get(peer.url());
    assertEquals(response.status, 301);
    assertEquals(response.headers[0], ["location", "/again"]);
    assertEquals(peer.connections, 7);
  });

  Deno.test(`GuestHttp.request() counts each redirect (${isolation})`, async () => {
    await using peer = new Peer(redirects(() => "/again", 308));
    await using client = open({
      isolation,
      hosts: [`127.0.0.1:${peer.port}`],
      limits: { networkRequests: 3 },
    });
    await assertRejects(
      () => client.get(peer.url()),
      Error,
      "networkRequests of 3 is used up",
    );
    assertEquals(peer.connections, 3);
  });
}

function redirects(location: () => string, status: number): Serve {
  return (connection, head) =>
    says(
      `HTTP/1.1 ${status} X\r\nLocation: ${location()}\r\n` +
        "Content-Length: 2\r\n\r\nno",
    )(connection, head);
}
