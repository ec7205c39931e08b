import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { WASMTIME_VERSION } from "../../runtime/wasmtime/checksums.ts";
import type { InstallProgress } from "../../runtime/wasmtime/download.ts";
import { archiveUrl } from "../../runtime/wasmtime/download_archive.ts";
import { installWasmtime } from "../../runtime/wasmtime/install.ts";
import { isPinnedFile } from "../../runtime/wasmtime/verify.ts";
import { pinnedLibrary, wasmtimeTest } from "../_wasmtime.ts";
import {
  filesIn,
  makeWorld,
  MEMBER,
  PINNED,
  probe,
  RELEASE,
  tarXz,
  zip,
} from "./_install.ts";

const PATH = `/v${WASMTIME_VERSION}/${RELEASE}.tar.xz`;

let good: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** The archive of a release, as far as it matters; made once. */
function release(): Promise<Uint8Array<ArrayBuffer>> {
  return good ??= pinnedLibrary().then((content) =>
    tarXz([
      { name: `${RELEASE}/include/wasm.h`, content: new Uint8Array(700) },
      { name: `${RELEASE}/min/lib/libwasmtime.so`, content: new Uint8Array(9) },
      { name: MEMBER, content },
    ])
  );
}

function body(bytes: Uint8Array<ArrayBuffer>): () => Response {
  return () => new Response(bytes);
}

wasmtimeTest(
  "installWasmtime() takes the library out of a release",
  async () => {
    const archive = await release();
    await using world = await makeWorld(body(archive));
    const { url: baseUrl, cacheDir, path } = world;
    const told: InstallProgress[] = [];
    const options = {
      from: "archive",
      baseUrl,
      cacheDir,
      onProgress: (progress: InstallProgress) => told.push(progress),
    } as const;
    const installed = await installWasmtime(options);
    assertEquals(installed, {
      path,
      version: WASMTIME_VERSION,
      from: "archive",
    });
    assert(await isPinnedFile(path, PINNED));
    assertEquals(await filesIn(cacheDir), [path]);
    assertEquals(world.requests, [PATH]);
    if (Deno.build.os !== "windows") {
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o755);
      const { mode } = await Deno.stat(path.replace(/\/[^/]*$/, ""));
      assertEquals((mode ?? 0) & 0o777, 0o700);
    }
    assertEquals(
      [...new Set(told.map(({ step }) => step))],
      ["download", "unpack", "verify"],
    );
    const { bytes, totalBytes } =
      told.findLast(({ step }) => step === "download") ?? {};
    assertEquals([bytes, totalBytes], [archive.length, archive.length]);

    assertEquals((await installWasmtime(options)).from, "cache");
    assertEquals(world.requests.length, 1);
  },
);

wasmtimeTest("installWasmtime() repairs a library that is broken", async () => {
  await using world = await makeWorld(body(await release()));
  const { url, cacheDir, path } = world;
  await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeFile(path, new Uint8Array(PINNED.bytes));
  const baseUrl = new URL("any/name.tar.xz?token=1", url);
  await installWasmtime({ from: "archive", baseUrl, cacheDir });
  assert(await isPinnedFile(path, PINNED));
  assertEquals(world.requests, ["/any/name.tar.xz"]);
});

wasmtimeTest("installWasmtime() can be called by several at once", async () => {
  await using world = await makeWorld(body(await release()));
  const { url: baseUrl, cacheDir, path } = world;
  let isDone = false;
  const sizes = new Set<number>();
  const watch = (async () => {
    while (!isDone) {
      const info = await Deno.stat(path).catch(() => undefined);
      if (info !== undefined) sizes.add(info.size);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const options = { from: "archive", baseUrl, cacheDir } as const;
  await Promise.all([1, 2, 3].map(() => installWasmtime(options)));
  isDone = true;
  await watch;
  assertEquals([...sizes], [PINNED.bytes], "nothing half-written is seen");
  assertEquals(await filesIn(cacheDir), [path]);
});

const WRONG = new Uint8Array(PINNED.bytes);
const ENDLESS = () =>
  new Response(
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1 << 20)),
    }),
  );

const BAD: Readonly<
  Record<string, readonly [() => Response | Promise<Response>, RegExp]>
> = {
  "is not there": [
    () => new Response("no such release", { status: 404 }),
    /answers 404/,
  ],
  "is cut off": [
    async () => {
      const archive = await tarXz([{ name: MEMBER, content: WRONG }]);
      return new Response(archive.subarray(0, archive.length / 2));
    },
    /tar cannot take .*out of the archive|its length is another/,
  ],
  "is none": [() => new Response("<html>"), /tar cannot take/],
  "is empty": [() => new Response(""), /tar cannot take/],
  "has another library": [
    async () => new Response(await tarXz([{ name: MEMBER, content: WRONG }])),
    /not the library of version .*: its checksum is another/,
  ],
  "has the library twice": [
    async () => {
      const member = { name: MEMBER, content: WRONG };
      return new Response(await tarXz([member, member]));
    },
    /its length is another/,
  ],
  "has a library that goes on and on": [
    async () =>
      new Response(
        await tarXz([{ name: MEMBER, content: new Uint8Array(2 ** 28) }]),
      ),
    /its length is another/,
  ],
  "has no library": [
    async () =>
      new Response(
        await tarXz([{ name: `${RELEASE}/LICENSE`, content: WRONG }]),
      ),
    /tar cannot take "wasmtime-v/,
  ],
  "is longer than any": [ENDLESS, /longer than 134217728 bytes/],
};

for (const [name, [answer, expected]] of Object.entries(BAD)) {
  Deno.test(`installWasmtime() refuses an archive that ${name}`, async () => {
    await using world = await makeWorld(answer);
    const { url: baseUrl, cacheDir } = world;
    const error = await assertRejects(
      () => installWasmtime({ from: "archive", baseUrl, cacheDir }),
      SandboxError,
    );
    assertEquals(error.code, "runtime-unavailable");
    assertMatch(error.message, /^Cannot install wasmtime: .+ \(.+\)$/s);
    assertMatch(error.message, expected);
    assertEquals(await filesIn(cacheDir), []);
  });
}

/** A server that promises a length and sends ten bytes. */
async function promising(
  length: number,
  use: (baseUrl: string) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`;
  const served = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(new TextEncoder().encode(`${head}0123456789`));
  })();
  await use(`http://127.0.0.1:${listener.addr.port}/`);
  await served;
}

Deno.test("installWasmtime() does not trust the length of an archive", async () => {
  for (
    const [length, expected] of [
      [2e8, "has a body of 200000000 bytes"],
      [1000, "did not arrive whole"],
    ] as const
  ) {
    await using world = await makeWorld();
    const { cacheDir } = world;
    await promising(length, async (baseUrl) => {
      await assertRejects(
        () => installWasmtime({ from: "archive", baseUrl, cacheDir }),
        SandboxError,
        expected,
      );
    });
    assertEquals(await filesIn(cacheDir), []);
  }
});

Deno.test("installWasmtime() writes nothing that an archive asks for", async () => {
  const content = new TextEncoder().encode("got out");
  const secret = "/etc/hostname";
  const members = [
    { name: "../../../../evil", content },
    { name: "/tmp/wasm_sandbox_evil", content },
    { name: `${RELEASE}/lib`, link: "/tmp" },
    { name: `${RELEASE}/lib/evil`, content },
    { name: MEMBER, link: secret },
    { name: `${RELEASE}/lib/../../../evil`, content },
  ];
  await using world = await makeWorld(body(await tarXz(members)));
  const { url: baseUrl, cacheDir, folder } = world;
  const cwd = Deno.cwd();
  const before = await filesIn(folder.replace("/folder", ""));
  Deno.chdir(folder);
  try {
    await assertRejects(
      () => installWasmtime({ from: "archive", baseUrl, cacheDir }),
      SandboxError,
      "its length is another",
    );
  } finally {
    Deno.chdir(cwd);
  }
  assertEquals(await filesIn(folder.replace("/folder", "")), before);
  for (const path of ["/tmp/wasm_sandbox_evil", "/tmp/evil"]) {
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  }
});

Deno.test("installWasmtime() is cancelled while a server is slow", async () => {
  const cancelled: Promise<void>[] = [];
  const trickle = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    cancelled.push(promise);
    let timer: ReturnType<typeof setInterval> | undefined;
    return new Response(
      new ReadableStream({
        start: (controller) => {
          const send = () => controller.enqueue(Uint8Array.of(0));
          timer = setInterval(send, 10);
        },
        cancel: () => {
          clearInterval(timer);
          resolve();
        },
      }),
    );
  };
  await using world = await makeWorld(trickle);
  const { url: baseUrl, cacheDir } = world;
  const options = { from: "archive", baseUrl, cacheDir } as const;
  const controller = new AbortController();
  const reason = new Error("enough");
  const running = installWasmtime({
    ...options,
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  assertEquals(await running.catch((error) => error), reason);
  await assertRejects(
    () => installWasmtime({ ...options, timeoutMs: 100 }),
    SandboxError,
    "it took longer than 100 ms",
  );
  await Promise.all(cancelled);
  assertEquals(cancelled.length, 2);
  assertEquals(await filesIn(cacheDir), []);
});

Deno.test("installWasmtime() asks nobody where it cannot write", async () => {
  await using world = await makeWorld();
  const { url: baseUrl, cacheDir } = world;
  await Deno.writeTextFile(cacheDir, "no folder");
  await assertRejects(
    () => installWasmtime({ from: "archive", baseUrl, cacheDir }),
    SandboxError,
    "cannot be written",
  );
  assertEquals(world.requests, []);
});

Deno.test("installWasmtime() says what fails on the way to an archive", async () => {
  let gone: string;
  {
    await using world = await makeWorld();
    gone = world.url;
  }
  await using world = await makeWorld(() => new Response("any"));
  const { cacheDir, folder } = world;
  await assertRejects(
    () => installWasmtime({ from: "archive", baseUrl: gone, cacheDir }),
    SandboxError,
    "does not answer",
  );
  const options = { from: "archive", baseUrl: world.url, cacheDir };
  const { code, message } = await probe("./install_probe.ts", {
    args: [JSON.stringify(options)],
    env: { PATH: folder },
  });
  assertEquals(code, "runtime-unavailable");
  assertStringIncludes(message, "tar cannot be started");
});

Deno.test("installWasmtime() installs only what it knows", async () => {
  await using world = await makeWorld();
  const { url: baseUrl, cacheDir } = world;
  for (
    const [version, hint] of [
      ["50.0.1", "did you mean 50.0.0?"],
      ["v49.0.0", "did you mean 49.0.0?"],
      ["__proto__", "known are 49.0.0, 50.0.0"],
      ["../../x", "known are"],
    ] as const
  ) {
    const error = await assertRejects(
      () => installWasmtime({ from: "archive", baseUrl, cacheDir, version }),
      SandboxError,
    );
    assertStringIncludes(error.message, hint);
  }
  assertEquals(world.requests, []);
});

Deno.test("archiveUrl() names the archives of the releases", () => {
  const pinned = { bytes: 0, sha256: "" };
  const rows = [
    [
      "linux-x86_64",
      "https://m/r",
      "https://m/r/v1.2.3/wasmtime-v1.2.3-x86_64-linux-c-api.tar.xz",
    ],
    [
      "darwin-aarch64",
      "https://m/r/",
      "https://m/r/v1.2.3/wasmtime-v1.2.3-aarch64-macos-c-api.tar.xz",
    ],
    [
      "windows-x86_64",
      "https://m/?a=1",
      "https://m/v1.2.3/wasmtime-v1.2.3-x86_64-windows-c-api.zip?a=1",
    ],
    ["windows-x86_64", "https://m/a.zip", "https://m/a.zip"],
  ] as const;
  for (const [platform, base, expected] of rows) {
    const wanted = { version: "1.2.3", platform, pinned };
    assertEquals(archiveUrl(wanted, base).href, expected);
  }
});

wasmtimeTest("installWasmtime() takes a zip too", async () => {
  const content = await pinnedLibrary();
  const other = { name: "other", content: Uint8Array.of(1) };
  const archive = await zip([other, { name: MEMBER, content }, other]);
  await using world = await makeWorld(body(archive));
  const { url, cacheDir, path } = world;
  const baseUrl = `${url}a.zip`;
  await installWasmtime({ from: "archive", baseUrl, cacheDir });
  assert(await isPinnedFile(path, PINNED));
});
