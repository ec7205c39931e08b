import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Capabilities, type ResourceLimits } from "../../mod.ts";
import { childrenOf, until } from "../process/_process.ts";
import { wat } from "../wasm.ts";
import { create, failure, program, run, USUAL, workspace } from "./_wasmer.ts";

const LOOP = await program("(loop $more (br $more))");

/** Ends with the number of pages or elements that it could grow by. */
function grower(instruction: string): string {
  return `(block $full (loop $more
      (br_if $full (i32.eq (i32.const -1) ${instruction}))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $more)))
    (call $proc_exit (local.get $i))`;
}

/** Writes without an end. */
function flood(fd: 1 | 2): Promise<Uint8Array<ArrayBuffer>> {
  return program(`(i32.store (i32.const 4) (i32.const 65536))
    (loop $more (drop (call $fd_write
      (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $more))`);
}

/** The limit that ends a program. */
async function limitOf(
  module: Uint8Array<ArrayBuffer>,
  limits: ResourceLimits,
  stdin = "",
): Promise<string> {
  const error = await failure(
    "limit-exceeded",
    () => run(module, { limits }, { stdin }),
  );
  await until(() => childrenOf(Deno.pid).length === 0);
  return error.details.limit;
}

Deno.test("memoryBytes holds on Wasmer", async () => {
  const module = await program(grower("(memory.grow (i32.const 1))"));
  const limits = { memoryBytes: 10 * 65_536 };
  assertEquals((await run(module, { limits })).exitCode, 8);
  const one = { memoryBytes: 65_536 };
  await failure("limit-exceeded", () => create(module, { limits: one }));
});

Deno.test("memoryBytes holds for a memory that threads share on Wasmer", async () => {
  const module = await program(grower("(memory.grow (i32.const 1))"), {
    memory: '(export "memory" (memory 0))',
    parts: '(import "env" "memory" (memory 1 60000 shared))',
  });
  const { exitCode } = await run(module, {
    features: { threads: true },
    limits: { memoryBytes: 10 * 65_536 },
  });
  assertEquals(exitCode, 9);
});

Deno.test("tableElements holds on Wasmer", async () => {
  const module = await program(
    grower("(table.grow (ref.null func) (i32.const 1))"),
    { parts: "(table 1 funcref)" },
  );
  const limits = { tableElements: 50 };
  assertEquals((await run(module, { limits })).exitCode, 49);
});

Deno.test("timeoutMs holds on Wasmer, and no time is burnt afterwards", async () => {
  assertEquals(await limitOf(LOOP, { timeoutMs: 300 }), "timeoutMs");
});

Deno.test("cpuMs holds on Wasmer", async () => {
  const limits = { cpuMs: 2_000, timeoutMs: 30_000 };
  assertEquals(await limitOf(LOOP, limits), "cpuMs");
});

Deno.test("stdoutBytes and stderrBytes hold on Wasmer", async () => {
  const limits = { stdoutBytes: 100_000, stderrBytes: 200_000 };
  assertEquals(await limitOf(await flood(1), limits), "stdoutBytes");
  assertEquals(await limitOf(await flood(2), limits), "stderrBytes");
});

Deno.test("stdinBytes holds on Wasmer", async () => {
  const module = await program(`(drop (call $fd_read
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)))`);
  const limits = { stdinBytes: 1_000 };
  assertEquals(await limitOf(module, limits, "a".repeat(1_001)), "stdinBytes");
  const { exitCode } = await run(module, { limits }, {
    stdin: "a".repeat(1_000),
  });
  assertEquals(exitCode, 0);
});

Deno.test("moduleBytes and functionBytes hold on Wasmer", async () => {
  const module = await program("(nop) ".repeat(2_000));
  for (const limits of [{ moduleBytes: 1_000 }, { functionBytes: 1_000 }]) {
    await failure("limit-exceeded", () => create(module, { limits }));
  }
});

Deno.test("limits that nobody enforces are refused on Wasmer", async () => {
  const refused: ResourceLimits[] = [
    { fuel: 1_000_000 },
    { openFiles: 10 },
    { writtenBytes: 1_000 },
    { fileEntries: 10 },
    { hostCalls: 10 },
    { stackBytes: 2 ** 19 },
    { messageBytes: 1_000 },
  ];
  for (const limits of refused) {
    const { details } = await failure(
      "unsupported",
      () => create(LOOP, { limits }),
    );
    assertEquals(details.runtime, "wasmer");
  }
});

Deno.test("a trap on Wasmer is told as one", async () => {
  const cases: Readonly<Record<string, string>> = {
    unreachable: "unreachable",
    "out of bounds": "(drop (i32.load (i32.const 1000000)))",
    "divide by zero": "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
  };
  for (const [reason, start] of Object.entries(cases)) {
    const module = await program(start);
    const { message } = await failure("trap", () => run(module));
    assert(message.includes(reason), message);
  }
});

Deno.test("a stack that is exhausted on Wasmer is told as that", async () => {
  const module = await program("(call $deep)", {
    parts: "(func $deep (call $deep) (call $deep))",
  });
  assertEquals(await limitOf(module, {}), "stack");
});

Deno.test("a program whose instance cannot be made does not end with 0", async () => {
  const module = await program("", {
    parts: '(data (i32.const 1000000) "beyond")',
  });
  await failure("trap", () => run(module));
});

/** Starts threads without an end, which run without an end. */
const THREADS = await program(
  "(loop $more (drop (call $spawn (i32.const 0))) (br $more))",
  {
    parts: `(import "wasi" "thread-spawn"
        (func $spawn (param i32) (result i32)))
      (import "env" "memory" (memory 1 2 shared))
      (func (export "wasi_thread_start") (param i32 i32)
        (loop $more (br $more)))`,
    memory: '(export "memory" (memory 0))',
  },
);

Deno.test("threads without an end end with their process on Wasmer", async () => {
  await using sandbox = await create(THREADS, {
    features: { threads: true },
    limits: { timeoutMs: 2_000 },
  });
  const error = await sandbox.execute().then(() => undefined, (error) => error);
  assert(
    ["limit-exceeded", "process-failed"].includes(error?.code),
    `${error}`,
  );
  await until(() => childrenOf(Deno.pid).length === 0);
});

Deno.test("files without an end end with their process on Wasmer", async () => {
  const module = await program(
    `(drop (call $path_open (i32.const 4) (i32.const 0) (i32.const 64)
        (i32.const 1) (i32.const 1) (i64.const 64) (i64.const 64)
        (i32.const 0) (i32.const 32)))
     (i32.store (i32.const 4) (i32.const 65536))
     (loop $more
       (drop (call $fd_write (i32.load (i32.const 32))
         (i32.const 0) (i32.const 1) (i32.const 8)))
       (br $more))`,
    { parts: '(data (i32.const 64) "f")' },
  );
  const before = Deno.memoryUsage().rss;
  await using sandbox = await create(module, {
    policy: [...USUAL, Capabilities.random(), workspace({ maxBytes: 1_000 })],
    limits: { timeoutMs: 2_000 },
  });
  const error = await sandbox.execute().then(() => undefined, (error) => error);
  assert(error !== undefined, "it has ended");
  assert(Deno.memoryUsage().rss - before < 200 * 2 ** 20, "host's memory");
  await until(() => childrenOf(Deno.pid).length === 0);
});

Deno.test("files beyond maxBytes are not handed back on Wasmer", async () => {
  const module = await program(
    `(drop (call $path_open (i32.const 4) (i32.const 0) (i32.const 64)
        (i32.const 1) (i32.const 1) (i64.const 64) (i64.const 64)
        (i32.const 0) (i32.const 32)))
     (i32.store (i32.const 4) (i32.const 1001))
     (drop (call $fd_write (i32.load (i32.const 32))
       (i32.const 0) (i32.const 1) (i32.const 8)))`,
    { parts: '(data (i32.const 64) "f")' },
  );
  const policy = [
    ...USUAL,
    Capabilities.random(),
    workspace({ maxBytes: 1_000 }),
  ];
  const { details } = await failure(
    "limit-exceeded",
    () => run(module, { policy }),
  );
  assertEquals(details.limit, "maxBytes");
});

Deno.test("files of names that nobody else takes are not handed back on Wasmer", async () => {
  // a byte 0, and 5,000 letters
  for (const [length, text] of [[3, "a\\00b"], [5_000, "a".repeat(5_000)]]) {
    const module = await program(
      `(drop (call $path_open (i32.const 4) (i32.const 0) (i32.const 64)
        (i32.const ${length}) (i32.const 1) (i64.const 64) (i64.const 64)
        (i32.const 0) (i32.const 32)))`,
      { parts: `(data (i32.const 64) "${text}")` },
    );
    const policy = [...USUAL, Capabilities.random(), workspace()];
    const { details } = await failure(
      "guest-protocol",
      () => run(module, { policy }),
    );
    assertEquals(details.export, "_start");
  }
});

Deno.test("create() refuses threads with a memory for each on Wasmer", async () => {
  const threads = (own: string) =>
    wat(`(module
      (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
      (import "env" "memory" (memory 1 2 shared)) ${own}
      (export "memory" (memory 0))
      (func (export "wasi_thread_start") (param i32 i32))
      (func (export "_start")))`);
  const features = { threads: true, multiMemory: true };
  const { message } = await failure(
    "unsupported",
    async () => create(await threads("(memory 1)"), { features }),
  );
  assertStringIncludes(message, "memory");
  await using sandbox = await create(await threads(""), { features });
  assertEquals((await sandbox.execute()).exitCode, 0);
});
