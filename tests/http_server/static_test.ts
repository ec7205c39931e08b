import { assert, assertEquals, assertRejects } from "@std/assert";
import type { HttpServerOptions } from "../../wrappers/http_server.ts";
import { descriptors } from "./_machine.ts";
import {
  listen,
  type Listening,
  post,
  raw,
  RawClient,
  statusOf,
  until,
} from "./_server.ts";

const SECRET = "not for you";

/** A directory with files, and what must not be reached beside it. */
interface Site extends AsyncDisposable {
  readonly it: Listening;
  readonly root: string;
}

async function site(
  options: Partial<HttpServerOptions> = {},
  more: Partial<NonNullable<HttpServerOptions["static"]>[number]> = {},
): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const top = await Deno.realPath(await Deno.makeTempDir());
  stack.defer(() => Deno.remove(top, { recursive: true }));
  const root = `${top}/public`;
  await Deno.mkdir(`${root}/sub/.git`, { recursive: true });
  await Deno.mkdir(`${top}/public-too`);
  const files = {
    "secret.txt": SECRET,
    "public-too/a.txt": SECRET,
    "public/.env": SECRET,
    "public/sub/.git/config": SECRET,
    "public/a.txt": "0123456789",
    "public/empty": "",
    "public/index.html": "<p>index",
    "public/sub/index.html": "<p>sub",
    "public/page.HTML": "<p>page",
    "public/with space & ü.txt": "named",
  };
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${top}/${path}`, text);
  }
  const it = stack.use(
    await listen("actor", {
      static: [{ path: "/assets", directory: root, ...more }],
      ...options,
    }),
  );
  const held = stack.move();
  return { it, root, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Sends a path as it is written, which `fetch` would tidy. */
async function get(
  { it }: Site,
  path: string,
  { method = "GET", headers = "" } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const text = await raw(
    it.port,
    `${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`,
  );
  return { status: statusOf(text), text };
}

Deno.test("static files are served with their types, and guests serve the rest", async () => {
  await using here = await site({}, { index: "index.html", maxAgeSeconds: 60 });
  const { url } = here.it;
  const file = await fetch(`${url}/assets/a.txt`);
  assertEquals(await file.text(), "0123456789");
  assertEquals(file.headers.get("content-type"), "text/plain;charset=utf-8");
  assertEquals(file.headers.get("content-length"), "10");
  assertEquals(file.headers.get("cache-control"), "public, max-age=60");
  assertEquals(file.headers.get("x-content-type-options"), "nosniff");
  const texts = {
    "/assets": "<p>index",
    "/assets/": "<p>index",
    "/assets/sub/": "<p>sub",
    "/assets/page.HTML": "<p>page",
    "/assets/with%20space%20%26%20%C3%BC.txt": "named",
    "/assets/%61.txt?query": "0123456789",
    "/assets/empty": "",
  };
  for (const [path, text] of Object.entries(texts)) {
    const response = await fetch(url + path);
    assertEquals([path, response.status, await response.text()], [
      path,
      200,
      text,
    ]);
  }
  // another path that begins alike is the guest's
  assertEquals((await post(`${url}/assets-not`)).text, "?");
  assertEquals((await post(`${url}/assetsx`)).text, "?");
});

Deno.test("static files: no path leads to what is not below the directory", async () => {
  await using here = await site({}, { index: "index.html" });
  const { root } = here;
  await Deno.symlink("../secret.txt", `${root}/out.txt`);
  await Deno.symlink(root + "/..", `${root}/up`);
  await Deno.symlink("/", `${root}/all`);
  await Deno.symlink("/dev/zero", `${root}/zero`);
  await Deno.symlink("loop", `${root}/loop`);
  await Deno.symlink("../public-too", `${root}/too`);
  await Deno.symlink("a.txt", `${root}/inside.txt`);
  await Deno.symlink(".env", `${root}/env.txt`);
  const refused = [
    "/assets/../secret.txt",
    "/assets/../public-too/a.txt",
    "/assets/..",
    "/assets/../",
    "/assets/%2e%2e/secret.txt",
    "/assets/%2E%2E/secret.txt",
    "/assets/.%2e/secret.txt",
    "/assets/%2e./secret.txt",
    "/assets/..%2fsecret.txt",
    "/assets/..%2Fsecret.txt",
    "/assets/%2e%2e%2fsecret.txt",
    "/assets/sub/../../secret.txt",
    "/assets/sub/..%2f..%2fsecret.txt",
    "/assets/..\\secret.txt",
    "/assets/..%5csecret.txt",
    "/assets/%5c..%5csecret.txt",
    "/assets/%252e%252e/secret.txt",
    "/assets/%252e%252e%252fsecret.txt",
    "/assets/.%00./secret.txt",
    "/assets/a.txt%00",
    "/assets/a.txt%00.html",
    "/assets/a.txt%0a",
    "/assets/..;/secret.txt",
    "/assets/%c0%ae%c0%ae/secret.txt",
    "/assets/%c0%2e/secret.txt",
    "/assets/%uff0e%uff0e/secret.txt",
    "/assets/%EF%BC%8E%EF%BC%8E/secret.txt",
    "/assets//etc/passwd",
    "/assets/%2fetc/passwd",
    "/assets/%2Fetc%2Fpasswd",
    "/assets///a.txt",
    "/assets/./a.txt",
    "/assets/%2e/a.txt",
    "/assets/a.txt/",
    "/assets/a.txt/.",
    "/assets/a.txt/..",
    "/assets/.env",
    "/assets/%2eenv",
    "/assets/sub/.git/config",
    "/assets/file:///etc/passwd",
    "/assets/C:/secret.txt",
    "/assets/sub",
    "/assets/missing",
    "/assets/%",
    "/assets/%zz",
    "/assets/%e0%a4",
    `/assets/${"a".repeat(300)}`,
    `/assets/${"a/".repeat(2_000)}`,
    `/assets/${"%2e%2e/".repeat(500)}etc/passwd`,
    "/assets/out.txt",
    "/assets/up/secret.txt",
    "/assets/all/etc/passwd",
    "/assets/zero",
    "/assets/loop",
    "/assets/too/a.txt",
  ];
  for (const path of refused) {
    const { status, text } = await get(here, path);
    assert([400, 404].includes(status), `${path}: ${status}`);
    assert(!text.includes(SECRET) && !text.includes("root:"), path);
    assert(!text.includes(root), path);
  }
  assertEquals((await get(here, "/assets/inside.txt")).status, 200);
  // whoever wrote that link meant it: the name that is asked for is not hidden
  assertEquals((await get(here, "/assets/env.txt")).status, 200);
  // nor does the host lead elsewhere
  const moved = await raw(
    here.it.port,
    "GET /secret HTTP/1.1\r\nHost: x/assets/a.txt?\r\nConnection: close\r\n\r\n",
  );
  assertEquals(statusOf(moved), 400);
  assertEquals(descriptors(/public/), 0);
});

Deno.test("static files: what is no file is not opened, and hangs nobody", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using here = await site();
  const made = await new Deno.Command("mkfifo", { args: [`${here.root}/pipe`] })
    .output();
  assert(made.success);
  const listener = Deno.listen({ transport: "unix", path: `${here.root}/s` });
  for (const name of ["pipe", "s", "sub"]) {
    const { status } = await get(here, `/assets/${name}`);
    assertEquals([name, status], [name, 404]);
  }
  listener.close();
});

Deno.test("static files: no index unless it was asked for", async () => {
  await using here = await site();
  for (const path of ["/assets", "/assets/", "/assets/sub/"]) {
    assertEquals([path, (await get(here, path)).status], [path, 404]);
  }
});

Deno.test("static files can be read, and nothing else", async () => {
  await using here = await site();
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const { status, text } = await get(here, "/assets/a.txt", { method });
    assertEquals([method, status], [method, 405]);
    assert(/\r\nallow: GET, HEAD\r\n/i.test(text), text);
  }
  const head = await get(here, "/assets/a.txt", { method: "HEAD" });
  assertEquals(head.status, 200);
  assert(/\r\ncontent-length: 10\r\n/i.test(head.text), head.text);
  assert(head.text.endsWith("\r\n\r\n"), head.text);
  assertEquals(
    await Deno.readTextFile(`${here.root}/a.txt`),
    "0123456789",
  );
});

Deno.test("static files are not sent again to who has them", async () => {
  await using here = await site();
  const url = `${here.it.url}/assets/a.txt`;
  const first = await fetch(url);
  await first.body?.cancel();
  const tag = first.headers.get("etag") ?? "";
  const time = first.headers.get("last-modified") ?? "";
  const status = async (headers: HeadersInit) => {
    const response = await fetch(url, { headers });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status({ "if-none-match": tag }), 304);
  assertEquals(await status({ "if-none-match": `"x", ${tag}` }), 304);
  assertEquals(await status({ "if-none-match": tag.slice(2) }), 304);
  assertEquals(await status({ "if-none-match": "*" }), 304);
  assertEquals(await status({ "if-none-match": '"x"' }), 200);
  assertEquals(await status({ "if-modified-since": time }), 304);
  assertEquals(await status({ "if-modified-since": "no date" }), 200);
  assertEquals(
    await status({ "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" }),
    200,
  );
  // the tag counts, and the time does not
  assertEquals(
    await status({ "if-none-match": '"x"', "if-modified-since": time }),
    200,
  );
  await Deno.writeTextFile(`${here.root}/a.txt`, "changed, and longer");
  assertEquals(await status({ "if-none-match": tag }), 200);
});

Deno.test("static files are sent in parts", async () => {
  await using here = await site();
  const cases = [
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-999", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=9-999999999999999", 206, "9", "bytes 9-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=3-1", 200, "0123456789", null],
    ["bytes=-", 200, "0123456789", null],
    ["bytes=0-1,3-4", 200, "0123456789", null],
    [`bytes=${"0-9,".repeat(2_000)}0-9`, 200, "0123456789", null],
    ["bytes=0-99999999999999999999", 200, "0123456789", null],
    ["bytes=a-b", 200, "0123456789", null],
    ["lines=0-1", 200, "0123456789", null],
  ] as const;
  for (const [range, status, text, contentRange] of cases) {
    const response = await fetch(`${here.it.url}/assets/a.txt`, {
      headers: { range },
    });
    assertEquals(
      [
        range,
        response.status,
        await response.text(),
        response.headers.get("content-range"),
      ],
      [range, status, text, contentRange],
    );
  }
  const empty = await fetch(`${here.it.url}/assets/empty`, {
    headers: { range: "bytes=0-" },
  });
  assertEquals([empty.status, await empty.text()], [416, ""]);
});

Deno.test("static files are streamed: a large one takes no memory", async () => {
  await using here = await site({ maxResponseBytes: 1_000 });
  const size = 300_000_000;
  const file = await Deno.open(`${here.root}/large`, {
    create: true,
    write: true,
  });
  await file.truncate(size);
  file.close();
  const before = Deno.memoryUsage().rss;
  let most = before;
  let bytes = 0;
  const response = await fetch(`${here.it.url}/assets/large`);
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    most = Math.max(most, Deno.memoryUsage().rss);
  }
  assertEquals(bytes, size);
  assert(most - before < 150_000_000, `${most - before}`);
  await until(() => here.it.log.length === 1);
  assertEquals(here.it.log[0]?.responseBytes, size);
  assertEquals(descriptors(/public/), 0);
});

Deno.test("static files: who does not read is let go, and so is who leaves", async () => {
  await using here = await site({ bodyTimeoutMs: 500 });
  const file = await Deno.open(`${here.root}/large`, {
    create: true,
    write: true,
  });
  await file.truncate(100_000_000);
  file.close();
  const clients: RawClient[] = [];
  for (let index = 0; index < 20; index++) {
    const client = await RawClient.connect(here.it.port);
    clients.push(client);
    await client.send("GET /assets/large HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  await until(() => here.it.server.stats().active === 20);
  if (Deno.build.os === "linux") await until(() => descriptors(/large/) === 20);
  // some leave, and the others stay and do nothing
  for (const client of clients.slice(10)) client[Symbol.dispose]();
  await until(() => here.it.server.stats().active === 0);
  assertEquals(descriptors(/public/), 0);
  assertEquals(here.it.log.length, 20);
  assert(here.it.log.every(({ error }) => error !== undefined));
  for (const client of clients) client[Symbol.dispose]();
  assertEquals((await get(here, "/assets/a.txt")).status, 200);
});

Deno.test("static files that shrink while they are sent are cut off", async () => {
  await using here = await site();
  const path = `${here.root}/large`;
  await Deno.writeFile(path, new Uint8Array(50_000_000));
  const response = await fetch(`${here.it.url}/assets/large`);
  await Deno.truncate(path, 1_000);
  await assertRejects(() => response.arrayBuffer());
  await until(() => here.it.log.length === 1);
  assert(here.it.log[0]?.error !== undefined);
});

Deno.test("HttpServer.create() refuses directories that are none", async () => {
  for (const directory of ["/nowhere/at/all", "deno.json"]) {
    await assertRejects(
      () => listen("actor", { static: [{ path: "/a", directory }] }),
      TypeError,
      "Cannot serve the directory",
    );
  }
  for (const path of ["a", "", "/a%2f", "/a b", "/a?b", "/ü"]) {
    await assertRejects(
      () => listen("actor", { static: [{ path, directory: "." }] }),
      TypeError,
      "path",
    );
  }
  await assertRejects(
    () =>
      listen("actor", {
        static: [{ path: "/a", directory: ".", index: "../b" }],
      }),
    TypeError,
    "index",
  );
});
