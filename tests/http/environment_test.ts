// What a program's permissions and its environment have to do with it.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ISOLATIONS, ok, Peer, says, text } from "./_http.ts";

const HOST = new URL("host.ts", import.meta.url);
const CERTS = new URL("certs/", import.meta.url);

interface Run {
  readonly permissions: readonly string[];
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the host, and gives what its guest got. */
async function run({ permissions, args, env = {} }: Run): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-lock",
      ...permissions,
      HOST.href,
      ...args,
    ],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  return text(stdout) || text(stderr);
}

for (const isolation of ISOLATIONS) {
  Deno.test(`GuestHttp.request() ignores the proxies of the environment (${isolation})`, async () => {
    await using proxy = new Peer(says(ok("proxy")));
    await using peer = new Peer(says(ok("direct")));
    const proxies = Object.fromEntries(
      ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [
        [name, proxy.url()],
        [name.toLowerCase(), proxy.url()],
      ]),
    );
    for (
      const more of [
        {},
        { NODE_USE_ENV_PROXY: "1" },
        { NODE_OPTIONS: "--use-env-proxy --insecure-http-parser" },
      ]
    ) {
      const said = await run({
        permissions: ["-A"],
        args: [isolation, peer.url("/x"), `127.0.0.1:${peer.port}`],
        env: { ...proxies, ...more },
      });
      assertEquals(said, "direct");
    }
    assertEquals([proxy.connections, peer.connections], [0, 3]);
    for (const head of peer.heads) {
      assertEquals(head.split("\r\n", 1)[0], "GET /x HTTP/1.1");
    }
  });

  Deno.test(`GuestHttp.request() checks certificates whatever the environment says (${isolation})`, async () => {
    const options = {
      hostname: "127.0.0.1",
      port: 0,
      cert: await Deno.readTextFile(new URL("server.pem", CERTS)),
      key: await Deno.readTextFile(new URL("server.key", CERTS)),
      onListen() {},
    };
    await using server = Deno.serve(options, () => new Response("secret"));
    const { port } = server.addr;
    const said = await run({
      permissions: ["-A"],
      args: [isolation, `https://127.0.0.1:${port}/`, `127.0.0.1:${port}`],
      env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    });
    assertStringIncludes(said, "no secure connection");
  });
}

Deno.test("GuestHttp.request() by a broker needs no permission for the network", async () => {
  await using peer = new Peer(says(ok("by a broker")));
  const { port } = peer;
  const said = await run({
    permissions: [`--allow-run=${Deno.execPath()}`],
    args: [
      "process",
      `http://localhost:${port}/`,
      `localhost:${port}`,
      `127.0.0.1:${port}`,
    ],
  });
  assertEquals(said, "by a broker");
});

Deno.test("GuestHttp.request() says which permission its program lacks", async () => {
  await using peer = new Peer(says(ok("")));
  const { port } = peer;
  const address = `127.0.0.1:${port}`;
  const cases: readonly (readonly [string, string])[] = [
    ["inline", `pass --allow-net=${address}`],
    ["process", `pass --allow-run=`],
  ];
  for (const [isolation, message] of cases) {
    const said = await run({
      permissions: [],
      args: [isolation, peer.url(), address],
    });
    assertStringIncludes(said, message);
  }
  const said = await run({
    permissions: [],
    args: ["inline", `http://localhost:${port}/`, `localhost:${port}`],
  });
  assertStringIncludes(said, "pass --allow-net=localhost");
  assertEquals(peer.connections, 0);
});
