import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Sandbox, SandboxError } from "../../mod.ts";
import { machine } from "../../runtime/process/machine.ts";
import type { SandboxOptions } from "../../sandbox_options.ts";
import { LIBRARY_VARIABLE } from "../../runtime/wasmtime/places.ts";
import { wasmtimeTest } from "../_wasmtime.ts";
import { wat } from "../wasm.ts";
import { childrenOf, numbers, text, tour } from "./_process.ts";

const PROCESS = { runtime: "wasmtime", isolation: "process" } as const;

function adder(): Promise<Uint8Array<ArrayBuffer>> {
  return wat(`(module (memory (export "memory") 1)
    (func (export "add") (param i32 i32) (result i32)
      local.get 0 local.get 1 i32.add)
    (func (export "spin") (loop br 0)))`);
}

wasmtimeTest("Sandbox.create() runs wasmtime in a process", async () => {
  await using sandbox = await Sandbox.create({
    ...PROCESS,
    module: await adder(),
    limits: { timeoutMs: 500 },
  });
  assertEquals(await sandbox.call("add", [2, 3]), 5);
  const { runtime, isolation, limits, unprotected } = sandbox.enforcement();
  assertEquals([runtime, isolation], ["wasmtime", "process"]);
  assertStringIncludes(limits.timeoutMs?.by ?? "", "kills");
  assertStringIncludes(unprotected.join("\n"), "--allow-ffi");
  const error = await assertRejects(
    () => sandbox.call("spin", []),
    SandboxError,
  );
  assertEquals(error.code, "limit-exceeded");
  assertEquals(childrenOf(Deno.pid), []);
  await sandbox.reset();
  assertEquals(await sandbox.call("add", [20, 22]), 42);
});

wasmtimeTest(
  "isolation auto is a process where wasmtime's guest has host directories",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/a`, "given");
      const mounts = [{ guest: "/in", host: folder }];
      const policy = [
        { type: "filesystem", mounts },
        { type: "stdio", stdin: true, stdout: true, stderr: true },
        { type: "process", arguments: true, exit: true },
      ] as unknown as NonNullable<SandboxOptions["policy"]>;
      await using sandbox = await Sandbox.create({
        runtime: "wasmtime",
        module: await tour(),
        policy,
      });
      assertEquals(sandbox.enforcement().isolation, "process");
      const { exitCode, stdout } = await sandbox.execute(["cat", "/in/a"]);
      assertEquals([exitCode, text(stdout)], [0, "given"]);
      const outside = await sandbox.execute(["cat", "/in/../../etc/passwd"]);
      assertEquals([outside.exitCode, text(outside.stdout)], [1, ""]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

wasmtimeTest(
  "limits that nothing enforces are refused in wasmtime's process",
  async () => {
    const module = await adder();
    const error = await assertRejects(
      () =>
        Sandbox.create({ ...PROCESS, module, limits: { stackBytes: 2 ** 19 } }),
      SandboxError,
      "stackBytes",
    );
    assert(SandboxError.is(error, "unsupported"));
    assertEquals(error.details.runtime, "wasmtime");
    assertEquals(childrenOf(Deno.pid), []);
  },
);

wasmtimeTest("callSync() names wasmtime where it refuses", async () => {
  await using sandbox = await Sandbox.create({
    ...PROCESS,
    module: await numbers(),
    imports: { host: { twice: () => 0, wide: () => 0n, limit: 1n } },
  });
  try {
    sandbox.callSync("add", [1, 2]);
  } catch (error) {
    assert(SandboxError.is(error, "unsupported"), String(error));
    assertEquals(error.details.runtime, "wasmtime");
    return;
  }
  throw new Error("callSync has returned");
});

wasmtimeTest(
  "wasmtime in a process needs --allow-ffi of its host",
  async (library) => {
    const program = `
    import { Sandbox } from ${
      JSON.stringify(import.meta.resolve("../../mod.ts"))
    };
    try {
      await using sandbox = await Sandbox.create({
        module: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
        runtime: "wasmtime",
        isolation: "process",
      });
      console.log("opened");
    } catch (error) {
      console.log(error.code);
    }`;
    const run = async (...flags: string[]) => {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-prompt",
          "--no-config",
          "--allow-read",
          `--allow-env=${LIBRARY_VARIABLE}`,
          `--allow-run=${machine.deno}`,
          ...flags,
          `data:application/typescript,${encodeURIComponent(program)}`,
        ],
        env: { [LIBRARY_VARIABLE]: library, NO_COLOR: "1" },
      }).output();
      return text(stdout).trim() || text(stderr);
    };
    assertEquals(await run(), "runtime-unavailable");
    assertEquals(await run("--allow-ffi"), "opened");
  },
);
