import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  importExtismManifest,
  type ImportExtismOptions,
  parsePolicy,
  stringifyPolicy,
} from "../../security/policy_file/mod.ts";

/** A manifest with every field that Extism's `Manifest` has. */
const WHOLE = {
  wasm: [
    { path: "plugin.wasm", name: "main", hash: "ab".repeat(32) },
    { url: "https://example.org/x.wasm", headers: { A: "b" }, method: "GET" },
    { data: "AGFzbQEAAAA=" },
  ],
  memory: {
    "max_pages": 16,
    "max_http_response_bytes": 1_000,
    "max_var_bytes": 0,
  },
  config: { greeting: "hello" },
  "allowed_hosts": ["example.org", "*.example.com"],
  "allowed_paths": { "ro:/srv/data": "/data", "out": "/out/" },
  "timeout_ms": 500,
};

/** What importing fails with. */
function failureOf(
  manifest: string | Uint8Array | object,
  options: ImportExtismOptions = {},
): string {
  try {
    importExtismManifest(manifest, { source: "m.json", ...options });
  } catch (error) {
    assert(SandboxError.is(error, "invalid-policy"), String(error));
    return error.message;
  }
  return "nothing";
}

/** What is noted, by place. */
function notesOf(
  manifest: object,
  options: ImportExtismOptions = {},
): Readonly<Record<string, string>> {
  const { notes } = importExtismManifest(manifest, options);
  return Object.fromEntries(notes.map(({ path, message }) => [path, message]));
}

Deno.test("importExtismManifest() translates limits, hosts and paths", () => {
  const { document, notes } = importExtismManifest(JSON.stringify(WHOLE), {
    baseDirectory: "/base",
  });
  assertEquals(document.limits, { memoryBytes: 2 ** 20, timeoutMs: 500 });
  assertEquals(document.policy.find("filesystem")?.mounts, [
    { guest: "/data", host: "/srv/data", access: "read", symlinks: "refuse" },
    {
      guest: "/out",
      host: "/base/out",
      access: "read-write",
      symlinks: "refuse",
    },
  ]);
  assertEquals(
    document.policy.find("network")?.hosts.map(({ host }) => host),
    ["example.org", "*.example.com"],
  );
  assertEquals(notes.map(({ path }) => path), [
    "wasm",
    "wasm[0].hash",
    "config",
    "memory.max_var_bytes",
    "memory.max_http_response_bytes",
    "allowed_hosts",
    "allowed_paths",
  ]);
  const copy = parsePolicy(stringifyPolicy(document));
  assertEquals(copy.policy.capabilities, document.policy.capabilities);
});

Deno.test("importExtismManifest() takes the names of the JavaScript SDK", () => {
  const { document } = importExtismManifest({
    memory: { maxPages: 1 },
    timeoutMs: 7,
    allowedHosts: ["example.org"],
    allowedPaths: { "/data": "/srv/data" },
  }, { dialect: "js" });
  assertEquals(document.limits, { memoryBytes: 65_536, timeoutMs: 7 });
  assertEquals(document.policy.find("filesystem")?.mounts, [{
    guest: "/data",
    host: "/srv/data",
    access: "read-write",
    symlinks: "refuse",
  }]);
});

Deno.test("importExtismManifest() grants nothing that is not in the manifest", () => {
  for (
    const manifest of [
      {},
      { "allowed_hosts": null, "allowed_paths": null, "timeout_ms": null },
      {
        memory: {},
        config: {},
        wasm: [],
        "allowed_hosts": [],
        "allowed_paths": {},
      },
    ]
  ) {
    const { document, notes } = importExtismManifest(manifest);
    assertEquals(document.policy.capabilities, []);
    assertEquals(document.limits, {});
    // Extism has no limits unless they are given
    assertEquals(notes.map(({ path }) => path), [
      "memory.max_pages",
      "timeout_ms",
    ]);
  }
});

Deno.test("importExtismManifest() notes hosts that it does not grant", () => {
  const hosts = [
    "*",
    "*.com",
    "api-*.example.com",
    "exampl?.com",
    "[::1]",
    "Example.com",
    "example.com:80",
    "https://example.com",
    "127.1",
    "ex ample",
    "",
    "bücher.example",
    "example.com.",
  ];
  const { document } = importExtismManifest({ "allowed_hosts": hosts });
  assertEquals(document.policy.capabilities, []);
  const notes = notesOf({ "allowed_hosts": hosts });
  for (const index of hosts.keys()) {
    assertStringIncludes(
      notes[`allowed_hosts[${index}]`] ?? hosts[index] ?? "",
      "is not granted: ",
    );
  }
});

Deno.test("importExtismManifest() notes paths that it does not grant", () => {
  const allowed = {
    "/a": "rel",
    "/b": "/x/../y",
    "ro:": "/z",
    "/c": "/same",
    "/d": "/same",
    "rel": "/r",
    "/e": "ro:/x",
    "/f": "/a*",
    "/g": "",
    "ro:/h": "/",
  };
  const { document } = importExtismManifest({ "allowed_paths": allowed });
  assertEquals(
    document.policy.find("filesystem")?.mounts.map(({ guest }) => guest),
    ["/same", "/"],
  );
  const notes = notesOf({ "allowed_paths": allowed });
  for (const key of ["/a", "/b", "ro:", "/d", "/e", "/f", "/g"]) {
    assertStringIncludes(
      notes[`allowed_paths["${key}"]`] ?? key,
      "is not granted: ",
    );
  }
  assertStringIncludes(notes["allowed_paths.rel"] ?? "", "is relative to");
  assertStringIncludes(notes['allowed_paths["/e"]'] ?? "", "dialect js");
});

Deno.test("importExtismManifest() keeps limits in range, and notes it", () => {
  const manifest = {
    memory: { "max_pages": 2 ** 32 - 1 },
    "timeout_ms": 2 ** 40,
  };
  assertEquals(importExtismManifest(manifest).document.limits, {
    memoryBytes: 4 * 2 ** 30,
    timeoutMs: 2 ** 31 - 1,
  });
  assertEquals(Object.keys(notesOf(manifest)), [
    "memory.max_pages",
    "timeout_ms",
  ]);
  assertEquals(
    importExtismManifest({ "timeout_ms": 0, memory: { "max_pages": 0 } })
      .document
      .limits,
    { memoryBytes: 0, timeoutMs: 1 },
  );
});

Deno.test("importExtismManifest() refuses what is no manifest", () => {
  const refused: Readonly<Record<string, string>> = {
    "": "Cannot use the manifest m.json: the file ends",
    "[]": "is a list, expected an object",
    "null": "is null, expected an object",
    '{"wasm": {}}': "wasm is an object, expected a list",
    '{"wasm": ["x"]}': 'wasm[0] is the text "x", expected an object',
    '{"timeout_ms": -1}': "timeout_ms is -1",
    '{"timeout_ms": "1s"}': "timeout_ms is ",
    '{"timeout_ms": 1.5}': "timeout_ms is 1.5",
    '{"memory": null}': "memory is null",
    '{"memory": {"max_pages": 4294967296}}': "memory.max_pages is 4294967296",
    '{"memory": {"max": 1}}': "memory.max is not known",
    '{"allowed_hosts": "x"}': "allowed_hosts is ",
    '{"allowed_paths": {"/a": 1}}': 'allowed_paths["/a"] is 1',
    '{"allowed_paths": {"/a": "/b", "/a": "/c"}}': "there twice",
    '{"config": {"a": 1}}': "config.a is 1",
    '{"allowed_host": []}': 'did you mean "allowed_hosts"?',
    '{"timeout_ms": 1, "timeoutMs": 2}': "in two spellings",
    '{"__proto__": {}}': "__proto__",
    "{}x": "the end of the file",
  };
  for (const [text, part] of Object.entries(refused)) {
    assertStringIncludes(failureOf(text), part, text);
  }
  const hosts = Array.from({ length: 257 }, (_, index) => `h${index}`);
  assertStringIncludes(failureOf({ "allowed_hosts": hosts }), "at most 256");
  assertStringIncludes(failureOf(Uint8Array.of(0xff)), "UTF-8");
  assertStringIncludes(failureOf(`"${"x".repeat(300_000)}"`), "too long");
});

Deno.test("importExtismManifest() survives objects that are no plain data", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.wasm = [cyclic];
  const odd: readonly object[] = [
    cyclic,
    { "timeout_ms": 1n },
    {
      get memory() {
        throw new Error("getter");
      },
    },
    new Proxy({}, {
      ownKeys() {
        throw new Error("proxy");
      },
    }),
    { toJSON: () => undefined },
    () => {},
  ];
  for (const manifest of odd) {
    assertStringIncludes(failureOf(manifest), "Cannot use the manifest");
  }
});
