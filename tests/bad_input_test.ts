import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type HostFunction,
  type ModuleSource,
  ProcessPool,
  type ResourceLimits,
  Sandbox,
  SandboxError,
  type SandboxErrorCode,
  type SandboxOptions,
  V8Runtime,
} from "../mod.ts";
import { wat } from "./wasm.ts";

const ADD = await wat(`(module (func (export "add") (param i32 i32) (result i32)
  (i32.add (local.get 0) (local.get 1))))`);
const TEXT_STATS = new URL(
  "../examples/guests/c/text_stats.wasm",
  import.meta.url,
);

async function fails(
  create: () => Promise<unknown>,
  code: SandboxErrorCode,
  text: string,
): Promise<SandboxError> {
  const error = await assertRejects(create, SandboxError);
  assertEquals(error.code, code, error.message);
  assertStringIncludes(error.message, text);
  assertFalse(/[\p{Cc}]/u.test(error.message), "unprintable text");
  return error;
}

Deno.test("Sandbox.create() says why a module cannot be read", async (t) => {
  const folder = await Deno.makeTempDir();
  const cases: [name: string, module: ModuleSource, text: string][] = [
    ["missing file", `${folder}/none.wasm`, "does not exist"],
    [
      "missing file URL",
      new URL(`file://${folder}/none.wasm`),
      "does not exist",
    ],
    ["directory", folder, "it is a directory"],
    ["device", "/dev/zero", "it is no file"],
    ["scheme", new URL("ftp://localhost/a.wasm"), "is not supported"],
    ["refused connection", new URL("http://127.0.0.1:9/a.wasm"), "127.0.0.1"],
    ["status", new Response("no", { status: 404 }), "status 404"],
    ["no body", new Response(null), "no body"],
  ];
  for (const [name, module, text] of cases) {
    await t.step(name, async () => {
      await fails(() => Sandbox.create({ module }), "module-unreadable", text);
    });
  }
  await Deno.remove(folder);
});

Deno.test("Sandbox.create() says why bytes are no module", async (t) => {
  const cases: [name: string, module: Uint8Array<ArrayBuffer>, text: string][] =
    [
      ["empty", new Uint8Array(), "it is empty"],
      ["text", new TextEncoder().encode("(module)"), "text must be assembled"],
      ["truncated", ADD.slice(0, 20), "section"],
      ["version", Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), "version"],
    ];
  for (const [name, module, text] of cases) {
    await t.step(name, async () => {
      await fails(() => Sandbox.create({ module }), "invalid-module", text);
    });
  }
  const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 13, 0, 1, 0);
  await fails(
    () => Sandbox.create({ module: component }),
    "module-refused",
    "it is a component",
  );
});

Deno.test("Sandbox.create() takes a module from wherever it comes", async () => {
  const file = await Deno.makeTempFile({ suffix: ".wasm" });
  await Deno.writeFile(file, ADD);
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response(ADD),
  );
  const shared = new SharedArrayBuffer(ADD.length);
  new Uint8Array(shared).set(ADD);
  const sources: ModuleSource[] = [
    ADD,
    ADD.buffer,
    new DataView(ADD.buffer),
    shared as unknown as ArrayBuffer,
    file,
    new URL(`file://${file}`),
    new URL(`http://127.0.0.1:${server.addr.port}/`),
    new URL(`data:application/wasm;base64,${ADD.toBase64()}`),
    new Response(ADD),
    await fetch(`http://127.0.0.1:${server.addr.port}/`),
  ];
  for (const module of sources) {
    await using sandbox = await Sandbox.create({ module });
    assertEquals(sandbox.callSync("add", [2, 3]), 5);
  }
  await Deno.remove(file);
});

Deno.test("Sandbox.create() reads no more than moduleBytes", async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  const limits = { moduleBytes: 1 << 20 };
  await fails(
    () => Sandbox.create({ module: new Response(endless), limits }),
    "limit-exceeded",
    "moduleBytes",
  );
  assert(sent < 2 << 20);
  await fails(
    () => Sandbox.create({ module: new Uint8Array(2 << 20), limits }),
    "limit-exceeded",
    "moduleBytes",
  );
});

Deno.test("Sandbox.create() gives up a body that never comes", async () => {
  const silent = new ReadableStream<Uint8Array>();
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  const thrown = await assertRejects(() =>
    Sandbox.create(
      { module: new Response(silent) },
      { signal: controller.signal },
    )
  );
  assert(thrown === reason);
});

Deno.test("Sandbox.create() refuses a ready WebAssembly.Module, and nonsense", async () => {
  const sources: unknown[] = [new WebAssembly.Module(ADD), 7, null, {}, []];
  for (const module of sources) {
    await assertRejects(
      () => Sandbox.create({ module: module as ModuleSource }),
      TypeError,
    );
  }
});

Deno.test("Sandbox.create() refuses options that it does not know or cannot enforce", async () => {
  const unknown = { module: ADD, memoryLimit: 5 } as unknown as SandboxOptions;
  const { message } = await assertRejects(
    () => Sandbox.create(unknown),
    TypeError,
  );
  assertStringIncludes(message, '"memoryLimit" is not known');
  const cases: Partial<SandboxOptions>[] = [
    { features: { gc: true } },
    { features: { threads: true } },
  ];
  for (const options of cases) {
    await fails(
      () => Sandbox.create({ module: ADD, ...options }),
      "unsupported",
      "v8",
    );
  }
});

Deno.test("Sandbox.create() refuses a pool that it would ignore", async () => {
  await using pool = new ProcessPool();
  await assertRejects(
    () => Sandbox.create({ module: ADD, isolation: "inline", pool }),
    TypeError,
    "pool",
  );
});

Deno.test("Sandbox.create() refuses an abi that it would ignore", async () => {
  const bad: unknown[] = [{ aloc: "alloc" }, { alloc: 5 }];
  for (const abi of bad) {
    const options = { module: ADD, abi } as SandboxOptions;
    const { message } = await assertRejects(
      () => Sandbox.create(options),
      TypeError,
    );
    assertStringIncludes(message, "abi");
  }
});

Deno.test("V8Runtime.instantiate() refuses limits that compiling has settled", async () => {
  await using runtime = new V8Runtime();
  const module = await runtime.compile(ADD, { limits: { fuel: 5 } });
  const settled: ResourceLimits[] = [
    { functionBytes: 2 ** 20 },
    { moduleBytes: 8 },
    { tableElements: 5 },
    { timeoutMs: Infinity },
  ];
  for (const limits of settled) {
    await assertRejects(
      () => runtime.instantiate(module, { limits }),
      TypeError,
    );
  }
  const plain = await runtime.compile(ADD);
  await assertRejects(
    () => runtime.instantiate(plain, { limits: { fuel: 5 } }),
    TypeError,
  );
  await using instance = await runtime.instantiate(module, {
    limits: { fuel: 50, timeoutMs: 100 },
  });
  assertEquals(instance.callSync("add", [2, 3]), 5);
});

Deno.test("Sandbox.create() names the imports that nobody grants", async () => {
  const module = await wat(`(module
    (import "env" "log\\1b[31m" (func (param i32)))
    (import "env" "memory" (memory 1))
    (import "constructor" "keys" (func (param i32))))`);
  const error = await fails(
    () => Sandbox.create({ module, imports: { env: { memory: () => {} } } }),
    "import-not-granted",
    'function "env"."log\\u{1b}[31m"',
  );
  assert(SandboxError.is(error, "import-not-granted"));
  assertEquals(error.details.missing.length, 3);
});

Deno.test("Sandbox.create() refuses what does not fit an import", async () => {
  const cases: [text: string, value: HostFunction | number | bigint][] = [
    ['(import "a" "x" (global (mut i32)))', 5],
    ['(import "a" "x" (global i64))', 5],
    ['(import "a" "x" (global i32))', 5n],
    ['(import "a" "x" (global i32))', () => 5],
    ['(import "a" "x" (func (param externref)))', () => {}],
    ['(import "a" "x" (func)) (import "a" "x" (func (result i32)))', () => 5],
  ];
  for (const [text, x] of cases) {
    const module = await wat(`(module ${text})`);
    await fails(
      () => Sandbox.create({ module, imports: { a: { x } } }),
      "import-not-granted",
      "Cannot make an instance",
    );
  }
  const module = await wat(`(module (import "a" "x" (global i64))
    (import "a" "f" (func (result i64))) (import "a" "f" (func (result i64)))
    (func (export "sum") (result i64)
      (i64.add (global.get 0) (i64.add (call 0) (call 1)))))`);
  const imports = { a: { x: 40n, f: () => 1n } };
  await using sandbox = await Sandbox.create({ module, imports });
  assertEquals(sandbox.callSync("sum"), 42n);
});

Deno.test("Sandbox.create() says when segments do not fit", async () => {
  const texts = [
    '(memory 1) (data (i32.const 65536) "x")',
    "(table 1 funcref) (elem (i32.const 1) 0) (func)",
  ];
  for (const text of texts) {
    await fails(
      async () => Sandbox.create({ module: await wat(`(module ${text})`) }),
      "trap",
      "out of bounds",
    );
  }
});

Deno.test("Sandbox.call() says which export does not exist", async () => {
  await using sandbox = await Sandbox.create({ module: TEXT_STATS });
  const error = await fails(
    () => sandbox.call("text_stat", {}),
    "export-not-found",
    'did you mean "text_stats"?',
  );
  assert(SandboxError.is(error, "export-not-found"));
  assertEquals(error.details.suggestion, "text_stats");
  await fails(
    () => sandbox.call("memory"),
    "export-not-found",
    "it is a memory",
  );
  for (
    const name of ["__proto__", "then", "toString", "", "a\u001b\n".repeat(99)]
  ) {
    await fails(
      () => sandbox.call(name),
      "export-not-found",
      "no such function",
    );
  }
  assertEquals(sandbox.callSync("add", [1, 1]), 2);
});

Deno.test("Sandbox.call() refuses arguments that do not fit, and goes on", async () => {
  const module = await wat(`(module
    (func (export "i") (param i32)) (func (export "l") (param i64))
    (func (export "f") (param f64)) (func (export "r") (param externref))
    (func (export "v") (result externref) (ref.null extern)))`);
  await using sandbox = await Sandbox.create({ module });
  const evil = { valueOf: () => assert(false, "was called") };
  const cases: [name: string, input: unknown, text: string][] = [
    ["i", [], "takes 1 argument (i32), not 0"],
    ["i", [1, 2], "not 2"],
    ["i", [2 ** 32], "from -2147483648 to 4294967295"],
    ["i", [1.5], "whole number"],
    ["i", [NaN], "whole number"],
    ["i", ["1"], "whole number"],
    ["i", [1n], "whole number"],
    ["i", [evil], "an object"],
    ["i", 5, "must be an array"],
    ["i", "text", "must be an array"],
    ["l", [1], "such as 5n"],
    ["l", [2n ** 64n], "bigint of 64 bits"],
    ["f", ["1"], "must be a number"],
    ["r", [null], "reference"],
    ["v", [], "returns a vector or a reference"],
  ];
  for (const [name, input, text] of cases) {
    const { message } = await assertRejects(
      () => sandbox.call(name, input),
      TypeError,
    );
    assertStringIncludes(message, text);
  }
  assertEquals(sandbox.callSync("i", [2 ** 32 - 1]), undefined);
});

Deno.test("Sandbox.call() refuses what JSON cannot hold", async () => {
  await using sandbox = await Sandbox.create({ module: TEXT_STATS });
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const inputs: unknown[] = [
    NaN,
    { text: "x", number: Infinity },
    [[{ deep: -Infinity }]],
    cycle,
    { big: 1n },
    () => {},
    Symbol("s"),
  ];
  for (const input of inputs) {
    const { message } = await assertRejects(
      () => sandbox.call("text_stats", input),
      TypeError,
    );
    assertStringIncludes(message, "as JSON");
    assertFalse(message.includes("\n"));
  }
  const reply = await sandbox.call("text_stats", { text: "null", other: null });
  assertEquals((reply as { words: number }).words, 1);
});

Deno.test("Sandbox.call() refuses messages over messageBytes on both ways", async () => {
  const limits = { messageBytes: 1000 };
  await using sandbox = await Sandbox.create({ module: TEXT_STATS, limits });
  assertEquals(
    await sandbox.call("reverse", new Uint8Array(1000)),
    new Uint8Array(1000),
  );
  await fails(
    () => sandbox.call("reverse", new Uint8Array(1001)),
    "limit-exceeded",
    "request of 1001 bytes",
  );
  const module = await wat(`(module (memory (export "memory") 1)
    (func (export "wasm_sandbox_alloc") (param i32) (result i32) (i32.const 8))
    (func (export "big") (param i32 i32) (result i64) (i64.const 1001)))`);
  await using liar = await Sandbox.create({ module, limits });
  await fails(
    () => liar.call("big", 1),
    "limit-exceeded",
    "reply of 1001 bytes",
  );
});

Deno.test("Sandbox.create() refuses imports that are no functions or numbers", async () => {
  const imports = { env: { f: "text" as unknown as HostFunction } };
  const { message } = await assertRejects(
    () => Sandbox.create({ module: ADD, imports }),
    TypeError,
  );
  assertStringIncludes(message, '"env"."f" is neither');
});
