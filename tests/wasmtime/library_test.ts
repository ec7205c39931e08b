import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { WasmtimeRuntime } from "../../runtime/wasmtime/runtime.ts";
import { SYMBOLS } from "../../runtime/wasmtime/symbols.ts";
import { LIBRARY, testOnWasmtime } from "./_wasmtime.ts";

/** Opening a file fails, and says what is wrong with it. */
async function assertUnavailable(library: string, says: RegExp) {
  const error = await assertRejects(() => WasmtimeRuntime.open({ library }));
  assert(SandboxError.is(error, "runtime-unavailable"), String(error));
  assertEquals(error.details.runtime, "wasmtime");
  assert(says.test(error.message), error.message);
  assert(error.details.suggestion.length > 10);
}

async function inFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("WasmtimeRuntime.open() refuses files that are no library", () =>
  inFolder(async (folder) => {
    const path = `${folder}/libwasmtime.so`;
    for (const content of ["", "no library", "\x7fELF\x02\x01\x01"]) {
      await Deno.writeTextFile(path, content);
      await assertUnavailable(path, /./);
    }
    await assertUnavailable(`${folder}/none.so`, /none\.so/);
    await assertUnavailable(folder, /./);
  }));

/** A library with all functions, and what they give for a version. */
function fake(version: string, without?: string): string {
  const special = [
    "wasmtime_module_new",
    "wasmtime_module_serialize",
    "dlopen",
  ];
  const names = new Set(
    Object.entries(SYMBOLS).map(([name, symbol]) =>
      "name" in symbol ? symbol.name : name
    ).filter((name) => !special.includes(name) && name !== without),
  );
  const code = JSON.stringify(version);
  return `#include <string.h>
    static char room[256];
    ${
    [...names].map((name) =>
      `void *${name}(void) { return ${
        /_new|_context$/.test(name) ? "room" : "0"
      }; }`
    ).join("\n")
  }
    void *wasmtime_module_new(void *e, void *b, long n, void **out) {
      *out = room; return 0;
    }
    void *wasmtime_module_serialize(void *m, long *out) {
      room[64] = 0; room[65] = strlen(${code}); strcpy(room + 66, ${code});
      out[0] = 256; out[1] = (long) room; return 0;
    }`;
}

async function build(source: string, path: string): Promise<boolean> {
  await Deno.writeTextFile(`${path}.c`, source);
  try {
    const args = ["-shared", "-fPIC", "-o", path, `${path}.c`];
    const { success } = await new Deno.Command("cc", { args }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const { success: HAS_COMPILER } = await new Deno.Command("sh", {
  args: ["-c", "command -v cc"],
}).output().catch(() => ({ success: false }));

Deno.test({
  name: "WasmtimeRuntime.open() refuses versions that it does not know",
  ignore: !HAS_COMPILER,
  fn: () =>
    inFolder(async (folder) => {
      for (const version of ["12", "99", "", "x", "4 9"]) {
        const path = `${folder}/v${version.length}${version.charCodeAt(0)}.so`;
        assert(await build(fake(version), path));
        await assertUnavailable(path, /version/);
      }
    }),
});

Deno.test({
  name: "WasmtimeRuntime.open() names a function that the library lacks",
  ignore: !HAS_COMPILER,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/lacking.so`;
      assert(await build(fake("49", "wasmtime_store_limiter"), path));
      await assertUnavailable(path, /wasmtime_store_limiter/);
    }),
});

const RUNTIME = new URL("../../runtime/wasmtime/runtime.ts", import.meta.url);

/** Runs a program on its own. */
async function run(program: string, flags: readonly string[]) {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", `--config=${config}`, "--no-lock", ...flags, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

testOnWasmtime(
  "WasmtimeRuntime.open() says what is missing without --allow-ffi, and asks nobody",
  async () => {
    // for one path is not enough: functions of the host are called back, too
    for (const flags of [[], [`--allow-ffi=${LIBRARY}`]]) {
      const { stdout, stderr, code } = await run(
        `import { WasmtimeRuntime } from ${JSON.stringify(RUNTIME.href)};
    try {
      await WasmtimeRuntime.open({ library: ${JSON.stringify(LIBRARY)} });
    } catch (error) { console.log(error.code, error.message); }`,
        ["--allow-read", ...flags],
      );
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assert(/^runtime-unavailable .*--allow-ffi/.test(stdout), stdout);
    }
  },
);

testOnWasmtime(
  "WasmtimeRuntime does not keep a program from ending",
  async () => {
    const { stdout, stderr, code } = await run(
      `import { WasmtimeRuntime } from ${JSON.stringify(RUNTIME.href)};
    const library = ${JSON.stringify(LIBRARY)};
    const runtime = await WasmtimeRuntime.open({ library });
    // (module (func (export "answer") (result i32) i32.const 42))
    const module = await runtime.compile(Uint8Array.fromHex(
      "0061736d010000000105016000017f03020100" +
        "070a0106616e7377657200000a06010400412a0b"));
    const instance = await runtime.instantiate(module);
    console.log(await instance.call("answer", []));`,
      ["--allow-read", "--allow-ffi"],
    );
    assertEquals({ code, stdout, stderr }, {
      code: 0,
      stdout: "42",
      stderr: "",
    });
  },
);
