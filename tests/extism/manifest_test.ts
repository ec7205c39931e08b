import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  createPlugin,
  type Manifest,
  type ManifestLike,
} from "../../wrappers/extism/mod.ts";
import { readManifest } from "../../wrappers/extism/manifest.ts";
import { failure, plugin, PROBE } from "./_plugins.ts";

const DATA = plugin(PROBE);
const PATH = new URL(`../../examples/extism/${PROBE}`, import.meta.url);

const read = (manifest: unknown) =>
  readManifest(manifest as ManifestLike, { fetch, signal: undefined });

async function exists(manifest: ManifestLike | Promise<ManifestLike>) {
  await using probe = await createPlugin(manifest);
  return await probe.functionExists("vowels");
}

Deno.test("createPlugin() takes every kind of manifest", async () => {
  const headers = { "content-type": "application/wasm" };
  const json = JSON.stringify({ wasm: [{ data: DATA.toBase64() }] });
  const all: (ManifestLike | Promise<ManifestLike>)[] = [
    DATA,
    DATA.buffer,
    PATH.pathname,
    PATH,
    PATH.href,
    json,
    new TextEncoder().encode(json),
    new Response(DATA, { headers }),
    Promise.resolve(new Response(DATA, { headers })),
    new Response(json, { headers: { "content-type": "application/json" } }),
    { wasm: [{ data: DATA }] },
    { wasm: [{ path: PATH.pathname, name: "only" }] },
    { wasm: [{ url: PATH }] },
    { wasm: [{ response: new Response(DATA) }] },
  ];
  for (const manifest of all) assert(await exists(manifest));
});

Deno.test("createPlugin() checks hashes before anything is compiled", async () => {
  const digest = await crypto.subtle.digest("SHA-256", DATA);
  const hash = new Uint8Array(digest).toHex();
  assert(await exists({ wasm: [{ data: DATA, hash }] }));
  assert(await exists({ wasm: [{ data: DATA, hash: hash.toUpperCase() }] }));
  for (const wrong of ["not a good hash", "", hash.replace(/^../, "00")]) {
    const garbage = { wasm: [{ data: Uint8Array.of(1, 2), hash: wrong }] };
    const error = await failure(createPlugin(garbage), "module-refused");
    assertEquals(error.details.reason, "hash mismatch");
  }
});

Deno.test("createPlugin() refuses a module that is compiled", async () => {
  const module = await WebAssembly.compile(DATA);
  const given = module as unknown as ManifestLike;
  await assertRejects(() => createPlugin(given), TypeError, "limits");
  await assertRejects(
    () => createPlugin({ wasm: [{ module, hash: "x" }] }),
    TypeError,
    "source data is unavailable for hashing",
  );
});

Deno.test("readManifest() reads both spellings", async () => {
  const camel = await read({
    wasm: [{ data: DATA }],
    config: { a: "b", __proto__: undefined },
    allowedHosts: ["example.com"],
    allowedPaths: { "/mnt": "ro:data", "/tmp": "/var" },
    timeoutMs: 5,
    memory: { maxPages: 1, maxVarBytes: 0, maxHttpResponseBytes: null },
  });
  const snake = await read({
    wasm: [{ data: DATA }],
    config: { a: "b" },
    allowed_hosts: ["example.com"],
    allowed_paths: { "ro:data": "/mnt", "/var": "/tmp" },
    timeout_ms: 5,
    memory: { max_pages: 1, max_var_bytes: 0 },
  });
  assertEquals(camel.allowedPaths, [
    { guest: "/mnt", host: "data", isReadOnly: true },
    { guest: "/tmp", host: "/var", isReadOnly: false },
  ]);
  assertEquals(snake.allowedPaths, camel.allowedPaths);
  assertEquals([camel.maxPages, camel.maxNativePages], [1, undefined]);
  assertEquals([snake.maxPages, snake.maxNativePages], [undefined, 1]);
  assertEquals({ ...snake, maxPages: 1, maxNativePages: undefined }, camel);
});

Deno.test("readManifest() says what is wrong", async () => {
  const wasm = [{ data: DATA }];
  const wrong: readonly [unknown, string][] = [
    [{}, 'Expected "wasm" key'],
    [{ wasm: 1 }, "to be array"],
    [{ wasm: [{}] }, '"data", "url", or "path"'],
    [{ wasm: [{ path: "a", url: "b" }] }, "more than one source"],
    [{ wasm: [{ path: 1 }] }, "no text"],
    [{ wasm: [null] }, "no object"],
    [{ wasm, allowedHost: [] }, 'did you mean "allowedHosts"'],
    [{ wasm, allowed_hosts: [], allowedHosts: [] }, "two spellings"],
    [{ wasm, allowedHosts: [1] }, "no list of texts"],
    [{ wasm, allowedHosts: "example.com" }, "no list of texts"],
    [{ wasm, config: { a: 1 } }, "text for each"],
    [{ wasm, timeoutMs: -1 }, "whole number"],
    [{ wasm, timeoutMs: "5" }, "whole number"],
    [{ wasm, memory: { maxPages: 0.5 } }, "whole number"],
    [{ wasm, memory: { pages: 1 } }, "nobody knows"],
    [{ wasm, memory: [] }, "no object"],
    [{ wasm, allowedPaths: { "data": "/mnt" } }, "absolute path"],
    [{ wasm, allowed_paths: { "/mnt": "data" } }, "absolute path"],
    ["{ not json", "no JSON"],
    ["{" + '"a":{'.repeat(100_000), "no JSON"],
    ['{"__proto__":{"wasm":[]}}', "nobody knows"],
  ];
  for (const [manifest, message] of wrong) {
    await assertRejects(() => read(manifest), TypeError, message);
  }
});

Deno.test("createPlugin() refuses hosts that cannot be granted", async () => {
  for (
    const host of ["*", "ex*mple.com", "*.com", "http://a.b", "a[bc].de", ""]
  ) {
    const manifest: Manifest = { wasm: [{ data: DATA }], allowedHosts: [host] };
    await assertRejects(
      () => createPlugin(manifest),
      TypeError,
      "allow the host",
    );
  }
});

Deno.test("createPlugin() refuses modules that have one name", async () => {
  const item = { data: DATA };
  await assertRejects(() => createPlugin({ wasm: [] }), TypeError, "no wasm");
  await assertRejects(
    () =>
      createPlugin({
        wasm: [{ ...item, name: "a" }, { ...item, name: "a" }, item],
      }),
    TypeError,
    "Duplicate module name",
  );
});

Deno.test("createPlugin() counts pages as native SDKs do in their spelling", async () => {
  const manifest = (pages: number) => ({
    wasm: [{ data: DATA }],
    memory: { max_pages: pages },
  });
  const error = await failure(createPlugin(manifest(1)), "limit-exceeded");
  assertEquals(error.details.limit, "memoryBytes");
  assert(await exists(manifest(4)));
});
