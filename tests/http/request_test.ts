// What a guest may ask for, before anybody is asked or connected to.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import type { HttpOptions } from "../../communication/http/mod.ts";
import { resolveHttpOptions } from "../../communication/http/options.ts";
import { nextHop } from "../../communication/http/redirect.ts";
import { checkRequest, urlOf } from "../../communication/http/request.ts";
import { ISOLATIONS, ok, open, Peer, resolver, says } from "./_http.ts";

const EMPTY = new Uint8Array();
const BOUNDS = { maxHeaderBytes: 1_000 };

function check(request: Partial<Parameters<typeof checkRequest>[0]>) {
  return checkRequest({
    url: "https://api.test/",
    method: "GET",
    headers: [],
    body: EMPTY,
    ...request,
  }, BOUNDS);
}

Deno.test("checkRequest() has one spelling for each target", () => {
  const spellings: Readonly<Record<string, string>> = {
    "https://api.test": "https://api.test/",
    "HTTPS://API.Test.:443/a/../b?c#d": "https://api.test/b?c",
    "http://api.test:80/": "http://api.test/",
    "http://api.test:443/": "http://api.test:443/",
    "http://127.1/": "http://127.0.0.1/",
    "http://2130706433/": "http://127.0.0.1/",
    "http://0x7f.1/": "http://127.0.0.1/",
    "http://１２７.0.0.1/": "http://127.0.0.1/",
    "http://127。0。0。1/": "http://127.0.0.1/",
    "http://[::ffff:127.0.0.1]/": "http://127.0.0.1/",
    "http://[0:0::1]/": "http://[::1]/",
    "http://bücher.test/ü?ü": "http://xn--bcher-kva.test/%C3%BC?%C3%BC",
    "https:api.test": "https://api.test/",
    "https:///api.test": "https://api.test/",
    "http://api.test//evil.test/": "http://api.test//evil.test/",
    "http://api.test/http://evil.test/": "http://api.test/http://evil.test/",
    "http://api.test/@evil.test": "http://api.test/@evil.test",
    "http://api.test?@evil.test": "http://api.test/?@evil.test",
  };
  for (const [url, expected] of Object.entries(spellings)) {
    assertEquals(urlOf(check({ url }).target), expected, url);
  }
});

Deno.test("checkRequest() refuses what is no URL to connect to", () => {
  const urls = [
    "",
    "/",
    "//api.test/",
    "api.test",
    "https://",
    "ftp://api.test/",
    "file:///etc/passwd",
    "data:,x",
    "blob:https://api.test/x",
    "javascript:alert(1)",
    "ws://api.test/",
    "unix:/var/run/docker.sock",
    "http+unix://%2fvar%2frun%2fdocker.sock/",
    "http://user@api.test/",
    "http://user:pass@api.test/",
    "http://@api.test/",
    "http://:@api.test/",
    "http:@api.test/",
    "http://api.test@evil.test/",
    "http://api.test\\@evil.test/",
    "http://evil.test\\.api.test/",
    "http:\\\\api.test\\",
    "http://api.test:0/",
    "http://api.test:65536/",
    "http://api.test:-1/",
    "http://api.test /",
    " http://api.test/",
    "http://api\t.test/",
    "http://api.test/\r\nX: y",
    "http://api.test/\0",
    "http://api.test/\ud800",
    "http://[fe80::1%25eth0]/",
    "http://[::1/",
    "http://a,b/",
    "http://a%00.test/",
    "http://1.2.3.4.5/",
    `http://api.test/${"x".repeat(9_000)}`,
    `http://api.test/${"ü".repeat(5_000)}`,
  ];
  for (const url of urls) {
    const error = assertThrows(() => check({ url }), GuestFault);
    assertEquals(error.status, "invalid", url);
  }
});

Deno.test("checkRequest() knows methods as fetch does", () => {
  assertEquals(check({ method: "get" }).method, "GET");
  assertEquals(check({ method: "Delete" }).method, "DELETE");
  assertEquals(check({ method: "PATCH" }).method, "PATCH");
  assertEquals(check({ method: "PROPFIND" }).method, "PROPFIND");
  const refused: Readonly<Record<string, string>> = {
    "": "invalid",
    "patch": "invalid",
    "GET /": "invalid",
    "GET\r\n": "invalid",
    "*": "invalid",
    "G\0T": "invalid",
    [`${"G".repeat(33)}`]: "invalid",
    "CONNECT": "denied",
    "TRACE": "denied",
    "TRACK": "denied",
    "connect": "invalid",
  };
  for (const [method, status] of Object.entries(refused)) {
    const error = assertThrows(() => check({ method }), GuestFault);
    assertEquals(error.status, status, method);
  }
  for (const method of ["GET", "head"]) {
    const body = new Uint8Array(1);
    assertThrows(() => check({ method, body }), GuestFault, "no body");
  }
});

Deno.test("checkRequest() refuses headers that are not the guest's", () => {
  const names = [
    "Host",
    "HOST",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Upgrade",
    "TE",
    "Trailer",
    "Expect",
    "HTTP2-Settings",
    "Proxy-Authorization",
    "proxy-anything",
    "",
    " Host",
    "Host ",
    "Host:",
    "X\r\nHost",
    "X\0",
    "X Y",
    "Ü",
    ":authority",
    "x".repeat(300),
  ];
  for (const name of names) {
    const headers = [[name, "x"]] as const;
    const error = assertThrows(() => check({ headers }), GuestFault);
    assertEquals(error.status, "invalid", name);
  }
});

Deno.test("checkRequest() refuses values that end a line", () => {
  for (
    const value of ["a\r\nb", "a\nb", "a\rb", "a\0b", "\u2028", "\x7f", "€"]
  ) {
    const headers = [["x", value]] as const;
    const error = assertThrows(() => check({ headers }), GuestFault);
    assertEquals(error.status, "invalid", value);
  }
  const headers = [["X", "\t a\tü \t"], ["accept-encoding", "gzip"]] as const;
  assertEquals(check({ headers }).headers, [
    ["x", "a\tü"],
    ["accept-encoding", "gzip"],
  ]);
});

Deno.test("checkRequest() bounds headers", () => {
  const many = Array(257).fill(["x", "y"]);
  const long = [["x", "y".repeat(1_000)]] as const;
  for (const headers of [many, long]) {
    const error = assertThrows(() => check({ headers }), GuestFault);
    assertEquals(error.status, "too-large");
  }
});

Deno.test("nextHop() goes on as fetch does, and keeps secrets", () => {
  const hop = check({
    method: "POST",
    body: new Uint8Array(3),
    headers: [
      ["authorization", "a"],
      ["cookie", "b"],
      ["x-api-key", "c"],
      ["accept", "d"],
      ["content-type", "e"],
    ],
  });
  const go = (status: number, location: string) =>
    nextHop(hop, { status, headers: [["location", location]] });
  const same = go(307, "/there#x");
  assertEquals(same, { ...hop, target: { ...hop.target, path: "/there" } });
  for (
    const url of [
      "https://evil.test/",
      "http://api.test/",
      "https://api.test:444/",
    ]
  ) {
    const other = go(308, url);
    assertEquals(other?.headers, [["accept", "d"], ["content-type", "e"]], url);
    assertEquals(other?.body.length, 3);
  }
  for (const status of [301, 302, 303]) {
    const next = go(status, "https://evil.test/");
    assertEquals(next?.method, "GET");
    assertEquals(next?.headers, [["accept", "d"]]);
    assertEquals(next?.body.length, 0);
  }
  const deletes = { ...hop, method: "DELETE" };
  const headers = [["location", "/x"]] as const;
  assertEquals(nextHop(deletes, { status: 302, headers })?.method, "DELETE");
  assertEquals(nextHop(deletes, { status: 303, headers })?.method, "GET");
  assertEquals(go(200, "/x"), undefined);
  assertEquals(go(304, "/x"), undefined);
  assertEquals(nextHop(hop, { status: 302, headers: [] }), undefined);
  for (
    const url of [
      "file:///etc/passwd",
      "data:,x",
      "http://u:p@api.test/",
      "http://[",
      "gopher://api.test",
    ]
  ) {
    assertThrows(() => go(302, url), GuestFault, "redirects to where");
  }
});

Deno.test("resolveHttpOptions() refuses what makes no sense", () => {
  const limits = { messageBytes: 1_000 };
  assertEquals(resolveHttpOptions({}, limits).maxResponseBytes, 1_000);
  const wrong: readonly HttpOptions[] = [
    { maxRedirects: -1 },
    { maxRedirects: 21 },
    { maxHeaderBytes: 1 },
    { maxResponseBytes: NaN },
    { timeoutMs: 0 },
    { timeoutMs: Infinity },
    { timeoutMs: 2 ** 31 },
  ];
  for (const options of wrong) {
    assertThrows(() => resolveHttpOptions(options, limits), RangeError);
  }
  const types = [{ resolve: 1 }, { caCertificates: [] }, {
    caCertificates: ["x"],
  }];
  for (const options of types as unknown as HttpOptions[]) {
    assertThrows(() => resolveHttpOptions(options, limits), TypeError);
  }
});

/** Whom the policy names, and what the guest asks for in vain. */
const FORBIDDEN: readonly (readonly [hosts: string, url: string])[] = [
  ["127.0.0.1:1", "http://127.0.0.1:PORT/"],
  ["api.test:PORT", "http://127.0.0.1:PORT/"],
  ["localhost:PORT", "http://127.0.0.1:PORT/"],
  ["https://127.0.0.1:PORT", "http://127.0.0.1:PORT/"],
  ["127.0.0.2:PORT", "http://127.1:PORT/"],
  ["127.0.0.2:PORT", "http://2130706433:PORT/"],
  ["127.0.0.2:PORT", "http://0x7f000001:PORT/"],
  ["127.0.0.2:PORT", "http://１２７.0.0.1:PORT/"],
  ["127.0.0.2:PORT", "http://127.0.0.1.:PORT/"],
  ["127.0.0.2:PORT", "http://[::ffff:127.0.0.1]:PORT/"],
  ["127.0.0.2:PORT", "http://[::ffff:7f00:1]:PORT/"],
  ["127.0.0.1:PORT", "http://127.0.0.2:PORT/"],
  ["127.0.0.1:PORT", "http://0.0.0.0:PORT/"],
  ["127.0.0.1:PORT", "http://[::]:PORT/"],
  ["127.0.0.1:PORT", "http://[::1]:PORT/"],
  ["127.0.0.1:PORT", "http://localhost:PORT/"],
  // granted by name, which stands for what is not granted
  ["localhost:PORT", "http://localhost:PORT/"],
  ["rebound.test:PORT", "http://rebound.test:PORT/"],
  ["mapped.test:PORT", "http://mapped.test:PORT/"],
  ["odd.test:PORT", "http://odd.test:PORT/"],
  ["metadata.test:80", "http://metadata.test/latest/meta-data/"],
  ["*.wild.test:PORT", "http://a.wild.test:PORT/"],
];

const NAMES = {
  "localhost": ["127.0.0.1", "::1"],
  "rebound.test": ["127.0.0.1"],
  "mapped.test": ["::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1"],
  "odd.test": ["0.0.0.0", "::", "fe80::1%lo", "127.0.0.1", "2002:7f00:1::"],
  "metadata.test": ["169.254.169.254"],
  "a.wild.test": ["127.0.0.1"],
};

for (const isolation of ISOLATIONS) {
  Deno.test(`GuestHttp.request() lets no connection to a forbidden peer be seen (${isolation})`, async () => {
    await using peer = new Peer(says(ok("secret")), "0.0.0.0");
    for (const [granted, asked] of FORBIDDEN) {
      const { resolve } = resolver(NAMES);
      await using client = open({
        isolation,
        hosts: [granted.replace("PORT", `${peer.port}`)],
        options: { resolve },
      });
      const url = asked.replace("PORT", `${peer.port}`);
      const error = await assertRejects(() => client.get(url), GuestFault);
      assertEquals(
        [error.status, error.message],
        ["denied", "the policy does not permit it"],
        url,
      );
      assertEquals(client.events.at(-1)?.split(" ", 1)[0], "denied", url);
    }
    assertEquals(peer.connections, 0);
  });

  Deno.test(`GuestHttp.request() asks for each method and scheme (${isolation})`, async () => {
    await using peer = new Peer(says(ok("read")));
    const { port } = peer;
    const reader = {
      host: "127.0.0.1",
      ports: [port],
      schemes: ["http"],
      methods: ["GET"],
    };
    await using client = open({ isolation, hosts: [reader] });
    await client.get(peer.url());
    for (const method of ["POST", "HEAD", "DELETE", "PURGE"]) {
      await assertRejects(() => client.get(peer.url(), { method }), GuestFault);
    }
    await assertRejects(
      () => client.get(`https://127.0.0.1:${port}/`),
      GuestFault,
      "the policy does not permit it",
    );
    assertEquals(peer.connections, 1);
  });

  Deno.test(`GuestHttp.request() resolves once and dials what it has vetted (${isolation})`, async () => {
    await using peer = new Peer(says(ok("vetted")));
    await using forbidden = new Peer(
      says(ok("secret")),
      "127.0.0.2",
      peer.port,
    );
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    let asked = 0;
    const resolve = () => Promise.resolve(answers[asked++] ?? []);
    const hosts = [`name.test:${peer.port}`, `127.0.0.1:${peer.port}`];
    await using client = open({ isolation, hosts, options: { resolve } });
    await client.get(`http://name.test:${peer.port}/`);
    assertEquals([asked, peer.connections, forbidden.connections], [1, 1, 0]);
    // and does not remember what it has vetted
    await assertRejects(
      () => client.get(`http://name.test:${peer.port}/`),
      GuestFault,
      "the policy does not permit it",
    );
    assertEquals([asked, peer.connections, forbidden.connections], [2, 1, 0]);
  });
}
