import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Capabilities, type SandboxOptions } from "../../mod.ts";
import { ProcessPool } from "../../runtime/mod.ts";
import { WasmerRuntime } from "../../runtime/wasmer/mod.ts";
import { wat } from "../wasm.ts";
import { create, failure, program, USUAL, workspace } from "./_wasmer.ts";

const NOTHING = await program("");

/** A module that imports one function. */
function importing(module: string, name: string, type = "") {
  return wat(`(module (import "${module}" "${name}" (func ${type}))
    (memory (export "memory") 1) (func (export "_start")))`);
}

Deno.test("create() offers no way to other code on Wasmer", async () => {
  const refused = [
    // these evaluate JavaScript
    ["napi", "napi_run_script"],
    ["env", "wasmer_napi_context_eval"],
    // these load modules that nobody has looked over
    ["wasix_32v1", "proc_exec"],
    ["wasix_32v1", "proc_exec3"],
    ["wasix_32v1", "proc_spawn2"],
    ["wasix_32v1", "proc_fork"],
    ["wasix_32v1", "dlopen"],
    ["wasix_32v1", "closure_prepare"],
    // these reach the network
    ["wasix_32v1", "sock_open"],
    ["wasix_32v1", "resolve"],
    ["wasix_32v1", "port_bridge"],
    // these are for threads alone
    ["wasi", "thread-spawn"],
    ["wasix_32v1", "thread_spawn_v2"],
    ["wasix_64v1", "fd_write"],
    ["wasi_snapshot_preview1", "__proto__"],
    ["constructor", "name"],
  ] as const;
  for (const [module, name] of refused) {
    const { details } = await failure(
      "import-not-granted",
      async () => create(await importing(module, name)),
    );
    assertEquals(details.missing, [{ module, name, kind: "function" }]);
  }
});

Deno.test("create() takes functions of WASIX on Wasmer", async () => {
  const module = await wat(`(module
    (import "wasix_32v1" "getcwd"
      (func $getcwd (param i32 i32) (result i32)))
    (import "wasix_32v1" "proc_exit2" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 100))
      (drop (call $getcwd (i32.const 16) (i32.const 0)))
      (call $exit (i32.load8_u (i32.const 16)))))`);
  await using sandbox = await create(module, { need: ["wasix"] });
  // the first letter of a path
  assertEquals((await sandbox.execute()).exitCode, 47);
});

Deno.test("create() refuses a program that could do what is not granted", async () => {
  const starts: Readonly<Record<string, string>> = {
    "proc_exit": "(call $proc_exit (i32.const 0))",
    "random_get": "(drop (call $random_get (i32.const 0) (i32.const 8)))",
    "clock_time_get": `(drop (call $clock_time_get
      (i32.const 0) (i64.const 0) (i32.const 0)))`,
    "path_open": `(drop (call $path_open (i32.const 3) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0)
      (i32.const 0) (i32.const 0)))`,
  };
  for (const [name, start] of Object.entries(starts)) {
    const events: string[] = [];
    const module = await program(start);
    const { message } = await failure("unsupported", () =>
      create(module, {
        policy: [],
        audit: ({ decision, via }) => events.push(`${decision} ${via}`),
      }));
    assertStringIncludes(message, name);
    assertEquals(events, [`denied ${name}`]);
  }
});

Deno.test("create() refuses to open files of random bytes without random", async () => {
  const module = await program(`(drop (call $path_open (i32.const 3)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0)
    (i64.const 0) (i32.const 0) (i32.const 0)))`);
  const policy = [...USUAL, workspace()];
  const { message } = await failure(
    "unsupported",
    () => create(module, { policy }),
  );
  assertStringIncludes(message, "random");
});

Deno.test("create() refuses links where a mount refuses them", async () => {
  const module = await program(`(drop (call $path_symlink (i32.const 0)
    (i32.const 0) (i32.const 3) (i32.const 0) (i32.const 0)))`);
  await failure(
    "unsupported",
    () => create(module, { policy: [...USUAL, workspace()] }),
  );
  const policy = [...USUAL, workspace({ symlinks: "within" })];
  await using sandbox = await create(module, { policy });
  assertEquals((await sandbox.execute()).exitCode, 0);
});

Deno.test("create() refuses grants that Wasmer cannot keep to", async () => {
  const mount = (part: object) =>
    Capabilities.filesystem({
      mounts: [{ guest: "/workspace", memory: true, ...part }],
    });
  const refused = [
    Capabilities.clock({ mode: "coarse" }),
    Capabilities.clock({ mode: "virtual" }),
    Capabilities.random({ seed: 1 }),
    Capabilities.customAccess(["resource"], true),
    Capabilities.hostFunctions(["env.f"]),
    Capabilities.networkAccess(["example.com"]),
    mount({ guest: "/data" }),
    mount({ guest: "/workspace/sub" }),
    mount({ access: "read" }),
    Capabilities.filesystem({
      mounts: [{ guest: "/workspace", host: Deno.cwd() }],
    }),
  ];
  for (const capability of refused) {
    const { message } = await failure(
      "unsupported",
      () => create(NOTHING, { policy: [capability] }),
    );
    assertStringIncludes(message, "wasmer");
  }
});

Deno.test("create() refuses what is not for programs on Wasmer", async () => {
  await using pool = new ProcessPool();
  const refused: Partial<SandboxOptions>[] = [
    { isolation: "inline" },
    { imports: { env: { f() {} } } },
    { linked: { other: NOTHING } },
    { pool },
    { need: ["calls"] },
    { need: ["sync"] },
    { features: { gc: true } },
    { features: { memory64: true } },
  ];
  for (const options of refused) {
    await failure("unsupported", () => create(NOTHING, options));
  }
  const modules = [
    '(module (memory (export "memory") 1) (func (export "run")))',
    '(module (func (export "_start")))',
    `(module (memory (export "memory") 1) (func $f) (start $f)
      (func (export "_start")))`,
  ];
  for (const text of modules) {
    await failure("unsupported", async () => create(await wat(text)));
  }
});

Deno.test("call() is refused on Wasmer", async () => {
  await using sandbox = await create(NOTHING);
  const { details } = await failure(
    "unsupported",
    () => sandbox.call("_start", undefined, { abi: "raw" }),
  );
  assertEquals(details.runtime, "wasmer");
});

Deno.test("instantiate() is refused by WasmerRuntime", async () => {
  await using runtime = await WasmerRuntime.open();
  const module = await runtime.compile(NOTHING);
  assert(module.exports.some(({ name }) => name === "_start"));
  await failure("unsupported", () => runtime.instantiate());
});

Deno.test('"auto" passes from Wasmer to one that can', async () => {
  await using sandbox = await create(NOTHING, {
    runtime: "auto",
    need: ["wasix"],
  });
  assertEquals(sandbox.enforcement().runtime, "wasmer");
  assertEquals(sandbox.enforcement().passedOver?.[0]?.runtime, "v8");
});
