import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { WASMTIME_VERSION } from "../../runtime/wasmtime/checksums.ts";
import { findLibrary, requireIntact } from "../../runtime/wasmtime/find.ts";
import {
  cacheFolder,
  libraryFile,
  libraryInCache,
  platformOf,
  systemPlaces,
} from "../../runtime/wasmtime/places.ts";
import { isCutOff } from "../../runtime/wasmtime/verify.ts";
import { wasmtimeTest } from "../_wasmtime.ts";
import { makeWorld, PINNED, probe } from "./_install.ts";

const HOW = "backends install wasmtime";

Deno.test("findLibrary() takes what the option names", async () => {
  await using world = await makeWorld();
  const path = `${world.folder}/a b.so`;
  await Deno.writeTextFile(path, "any file");
  const found = { path, foundBy: "option" };
  assertEquals(await findLibrary({ library: path }), found);
  const url = new URL(`file://${encodeURI(path)}`);
  assertEquals(await findLibrary({ library: url }), found);
  assertEquals(await findLibrary({ library: url.href }), found);
});

Deno.test("findLibrary() passes over nothing that is named", async () => {
  await using world = await makeWorld();
  const { folder } = world;
  const rows = [
    [`${folder}/gone.so`, "which does not exist"],
    [folder, "which is no file"],
  ] as const;
  for (const [library, expected] of rows) {
    const error = await assertRejects(
      () => findLibrary({ library }),
      SandboxError,
    );
    assertEquals(error.code, "runtime-unavailable");
    assertStringIncludes(error.message, `the option \`library\` names`);
    assertStringIncludes(error.message, expected);
    assertStringIncludes(error.message, HOW);
    const { message } = await probe("./find_probe.ts", {
      env: { WASM_SANDBOX_WASMTIME: library },
    });
    assertStringIncludes(message, "WASM_SANDBOX_WASMTIME names");
    assertStringIncludes(message, expected);
  }
  for (const library of ["", "a\0b", new URL("https://host.invalid/x.so")]) {
    await assertRejects(() => findLibrary({ library }), TypeError);
  }
});

Deno.test("findLibrary() makes a bare name a path", async () => {
  await using world = await makeWorld();
  const cwd = Deno.cwd();
  Deno.chdir(world.folder);
  try {
    await Deno.writeTextFile("libwasmtime.so", "any file");
    const { path } = await findLibrary({ library: "libwasmtime.so" });
    assertEquals(path, `${Deno.cwd()}/libwasmtime.so`);
  } finally {
    Deno.chdir(cwd);
  }
});

Deno.test("findLibrary() takes the variable, then the cache", async () => {
  await using world = await makeWorld();
  const { folder } = world;
  const env = { HOME: folder, XDG_CACHE_HOME: `${folder}/xdg` };
  const cache = cacheFolder(env) ?? "";
  const path = libraryInCache(cache, WASMTIME_VERSION);
  await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeFile(path, new Uint8Array(PINNED.bytes));
  const found = { path, foundBy: "cache", version: WASMTIME_VERSION };
  assertEquals((await probe("./find_probe.ts", { env })).found, found);
  const named = `${folder}/named.so`;
  await Deno.writeTextFile(named, "any file");
  const { found: first } = await probe("./find_probe.ts", {
    env: { ...env, WASM_SANDBOX_WASMTIME: named },
  });
  assertEquals(first, { path: named, foundBy: "environment" });

  await assertRejects(
    () => requireIntact({ ...found, foundBy: "cache" }),
    SandboxError,
    "is not what was installed",
  );
  await Deno.truncate(path, 1000);
  assertStringIncludes(
    (await probe("./find_probe.ts", { env })).message,
    "is broken: a part of it is missing (install it once more",
  );
});

Deno.test("findLibrary() asks for no permission, and says what it missed", async () => {
  await using world = await makeWorld();
  const { folder } = world;
  const env = { HOME: folder, XDG_CACHE_HOME: folder };
  const named = { ...env, WASM_SANDBOX_WASMTIME: `${folder}/any.so` };
  const nothing = await probe("./find_probe.ts", { env: named, flags: [] });
  assertEquals(nothing.code, "runtime-unavailable");
  assertStringIncludes(
    nothing.message,
    "WASM_SANDBOX_WASMTIME may not be read",
  );
  assertStringIncludes(nothing.message, "cannot be told by the environment");
  assertMatch(nothing.message, /more may not be looked at: no --allow-read/);
  assertStringIncludes(nothing.message, HOW);
  const unread = await probe("./find_probe.ts", {
    env: named,
    flags: ["--allow-env"],
  });
  // whoever opens it will tell what is wrong with it
  const path = `${folder}/any.so`;
  assertEquals(unread.found, { path, foundBy: "environment" });
  const { message } = await probe("./find_probe.ts", {
    env,
    flags: ["--allow-env"],
  });
  assertStringIncludes(message, `${folder}/wasm-sandbox/wasmtime/`);
});

wasmtimeTest(
  "findLibrary() refuses what would end the process",
  async (library) => {
    await using world = await makeWorld();
    const path = `${world.folder}/cut.so`;
    await Deno.copyFile(library, path);
    assertEquals(await isCutOff(path), false);
    if (Deno.build.os !== "linux") return;
    const { size } = await Deno.stat(path);
    for (const length of [Math.floor(size / 2), 4096, 100, 64]) {
      await Deno.truncate(path, length);
      assert(await isCutOff(path), `${length} bytes`);
      await assertRejects(
        () => findLibrary({ library: path }),
        SandboxError,
        "a part of it is missing",
      );
    }
    for (const length of [10, 0]) {
      await Deno.truncate(path, length);
      assertEquals(await isCutOff(path), false, "the system refuses it");
      const open = () => Deno.dlopen(path, {});
      assertMatch(
        String(await Promise.resolve().then(open).catch(String)),
        /too short|invalid/,
      );
    }
  },
);

Deno.test("places are named for each system", () => {
  const linux = { os: "linux", arch: "aarch64" } as const;
  const mac = { os: "darwin", arch: "aarch64" } as const;
  const windows = { os: "windows", arch: "x86_64" } as const;
  assertEquals(
    [linux, mac, windows].map(libraryFile),
    ["libwasmtime.so", "libwasmtime.dylib", "wasmtime.dll"],
  );
  const home = { HOME: "/home/me", LOCALAPPDATA: "C:\\Local" };
  assertEquals(
    [linux, mac, windows].map((machine) => cacheFolder(home, machine)),
    [
      "/home/me/.cache/wasm-sandbox",
      "/home/me/Library/Caches/wasm-sandbox",
      "C:\\Local\\wasm-sandbox",
    ],
  );
  for (const [xdg, expected] of [["/x", "/x"], ["x", "/home/me/.cache"]]) {
    const variables = { ...home, XDG_CACHE_HOME: xdg ?? "" };
    assertEquals(cacheFolder(variables, linux), `${expected}/wasm-sandbox`);
  }
  assertEquals(cacheFolder({}, linux), undefined);
  assertEquals(
    libraryInCache("C:\\x", "1.0.0", windows),
    "C:\\x\\wasmtime\\1.0.0\\windows-x86_64\\wasmtime.dll",
  );
  const places = systemPlaces(linux);
  assert(places.includes("/usr/lib/aarch64-linux-gnu/libwasmtime.so"));
  assert(places.indexOf("/usr/local/lib/libwasmtime.so") === 0);
  assertEquals(systemPlaces(mac)[0], "/opt/homebrew/lib/libwasmtime.dylib");
  assertEquals(platformOf({ os: "freebsd", arch: "x86_64" }), undefined);
});
