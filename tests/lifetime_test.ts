import { assert, assertEquals, assertRejects } from "@std/assert";
import { Sandbox, SandboxError, V8Runtime } from "../mod.ts";
import { ModuleCache } from "../runtime/v8/cache.ts";
import { MAX_INSTANCES, realm } from "../runtime/v8/realm.ts";
import { wat } from "./wasm.ts";

const MOD = new URL("../mod.ts", import.meta.url).href;
const ANSWER = await wat(`(module (memory (export "memory") 1)
  (func (export "answer") (result i32) (i32.const 42))
  (func (export "spin") (loop (br 0))))`);

/** Runs a program of its own, and gives what it printed and how it ended. */
async function run(
  body: string,
  flags: readonly string[] = [],
): Promise<{ text: string; code: number; ms: number }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      `const { Sandbox } = await import(${JSON.stringify(MOD)});
      const module = Uint8Array.fromHex("${ANSWER.toHex()}");
      ${body}`,
    );
    const start = performance.now();
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-check",
        "--allow-read=/proc/self",
        ...flags,
        file,
      ],
      signal: AbortSignal.timeout(30_000),
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    return { text, code, ms: performance.now() - start };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a program ends by itself with a sandbox that was never disposed", async () => {
  const { text, code, ms } = await run(`
    const sandbox = await Sandbox.create({ module });
    console.log(sandbox.callSync("answer"));`);
  assertEquals([text, code], ["42\n", 0]);
  assert(ms < 10_000);
});

Deno.test("a program ends by itself after a guest was stopped", async () => {
  const { text, code, ms } = await run(`
    const sandbox = await Sandbox.create({ module, limits: { timeoutMs: 50 } });
    await sandbox.call("spin").catch((error) => console.log(error.code));`);
  assertEquals([text, code], ["limit-exceeded\n", 0]);
  assert(ms < 10_000);
});

Deno.test("a program that idles between calls still has its deadlines", async () => {
  // longer than the watchdog looks on before it sleeps
  const { text, code } = await run(`
    const sandbox = await Sandbox.create({ module, limits: { timeoutMs: 50 } });
    await new Promise((resolve) => setTimeout(resolve, 700));
    await sandbox.call("spin").catch((error) => console.log(error.code));`);
  assertEquals([text, code], ["limit-exceeded\n", 0]);
});

Deno.test("memory and threads stay flat over create, call and dispose", async () => {
  // in a process of its own: other tests leave garbage behind; and with a small
  // nursery, which V8 otherwise lets grow by and by, whatever lives
  const flags = ["--v8-flags=--expose-gc,--max-semi-space-size=2"];
  const { text, code } = await run(
    `
    const { cycle, growth } = await import(${
      JSON.stringify(new URL("./cycles.ts", import.meta.url).href)
    });
    const { grownBytes, threads } = await growth(10_000, () => cycle(module));
    console.log(JSON.stringify([grownBytes, threads]));`,
    flags,
  );
  assertEquals(code, 0, text);
  const [grownBytes, grownThreads] = JSON.parse(text);
  assert(grownBytes < 16 * 2 ** 20, `${grownBytes} bytes more`);
  // Deno's own pool may have started one for the file system
  assert(grownThreads <= 2, `${grownThreads} threads more`);
});

Deno.test("errors that are kept do not keep the memory of their guest", async () => {
  const filler = await wat(`(module (memory 512)
    (func (export "run") (memory.fill
      (i32.const 0) (i32.const 1) (i32.const 33554432)) (unreachable)))`);
  const { text, code } = await run(
    `
    const filler = Uint8Array.fromHex("${filler.toHex()}");
    const kept = [];
    for (let guest = 0; guest < 40; guest++) {
      await using sandbox = await Sandbox.create({ module: filler });
      await sandbox.call("run").catch((error) => kept.push(error));
    }
    for (let turn = 0; turn < 5; turn++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    console.log(JSON.stringify([kept.length, Deno.memoryUsage().rss]));`,
    ["--v8-flags=--expose-gc"],
  );
  assertEquals(code, 0, text);
  const [kept, rss] = JSON.parse(text);
  assertEquals(kept, 40);
  // the guests filled 32 MiB each
  assert(rss < 400 * 2 ** 20, `${rss} bytes`);
});

Deno.test("instances that are let go are counted no more", async () => {
  const before = realm.instances;
  {
    await using sandbox = await Sandbox.create({ module: ANSWER });
    assertEquals(realm.instances, before + 1);
    await sandbox.reset();
    assertEquals(realm.instances, before + 1);
  }
  assertEquals(realm.instances, before);
  const failing = Sandbox.create({
    module: await wat(`(module (start 0) (func (unreachable)))`),
  });
  await assertRejects(() => failing, SandboxError);
  assertEquals(realm.instances, before);
});

Deno.test("a runtime disposes the instances that it made", async () => {
  const before = realm.instances;
  const runtime = new V8Runtime();
  const module = await runtime.compile(ANSWER);
  const instance = await runtime.instantiate(module);
  await runtime.instantiate(module);
  assertEquals(realm.instances, before + 2);
  await runtime[Symbol.asyncDispose]();
  assertEquals(realm.instances, before);
  assert(SandboxError.is(instance.failure, "disposed"));
  await assertRejects(() => runtime.instantiate(module), SandboxError);
});

Deno.test("a cap on live instances is kept, and the host lives", async () => {
  await using runtime = new V8Runtime();
  const small = await wat(`(module (func (export "f")))`);
  const module = await runtime.compile(small);
  const error = await assertRejects(async () => {
    for (let made = 0; made <= MAX_INSTANCES; made++) {
      await runtime.instantiate(module);
    }
  }, SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "instances");
  await runtime[Symbol.asyncDispose]();
  await using sandbox = await Sandbox.create({ module: ANSWER });
  assertEquals(sandbox.callSync("answer"), 42);
});

Deno.test("an instance counts once for each of its memories", async () => {
  await using runtime = new V8Runtime();
  const module = await runtime.compile(
    await wat(`(module ${"(memory 1)".repeat(100)})`),
    { features: { multiMemory: true } },
  );
  const before = realm.instances;
  const error = await assertRejects(async () => {
    for (;;) await runtime.instantiate(module);
  }, SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(
    realm.instances - before,
    100 * Math.floor((MAX_INSTANCES - before) / 100),
  );
});

Deno.test("function types are counted over all modules, each once", async () => {
  const { text, code } = await run(`
    const leb = (n) => n < 128 ? [n] : [n & 127 | 128, ...leb(n >>> 7)];
    // a module of many function types, each with parameters of its own
    const types = (count, first) => {
      const items = Array.from({ length: count }, (_, index) => {
        const digits = (first + index).toString(4).padStart(12, "0");
        return [0x60, 12, ...Array.from(digits, (d) => 0x7f - d), 0];
      }).flat();
      const body = [...leb(count), ...items];
      return Uint8Array.from(
        [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, ...leb(body.length)].concat(body));
    };
    for (let round = 0; round < 3; round++) {
      for (const first of [0, 200_000, 400_000]) {
        try {
          for (let more = 0; more < 200_000; more += 8_000) {
            const module = types(8_000, first + more);
            const sandbox = await Sandbox.create({ module });
            await sandbox[Symbol.asyncDispose]();
          }
          console.log("ok");
        } catch (error) {
          console.log(error.details.limit);
        }
      }
    }`);
  const round = "ok\nok\nfunctionTypes\n";
  assertEquals([text, code], [round.repeat(3), 0]);
});

Deno.test("ModuleCache keeps to its bounds and lets the oldest go", () => {
  const cache = new ModuleCache<{ cacheBytes: number }>({
    maxEntries: 3,
    maxBytes: 100,
    maxEntryBytes: 80,
  });
  for (const name of ["a", "b", "c"]) cache.set(name, { cacheBytes: 30 });
  cache.get("a");
  cache.set("d", { cacheBytes: 30 });
  assertEquals(cache.get("b"), undefined);
  assert(cache.get("a") !== undefined);
  cache.set("e", { cacheBytes: 80 });
  assertEquals([cache.size, cache.bytes], [1, 80]);
  cache.set("f", { cacheBytes: 81 });
  assertEquals(cache.get("f"), undefined);
  assertEquals([cache.size, cache.bytes], [1, 80]);
});

Deno.test("a module is compiled once for the same content and limits", async () => {
  await using runtime = new V8Runtime();
  const before = realm.modules.size;
  const bytes = await wat(`(module (func (export "only-here")))`);
  await runtime.compile(bytes);
  await runtime.compile(bytes, { limits: { memoryBytes: 0 } });
  assertEquals(realm.modules.size, before + 1);
  await runtime.compile(bytes, { limits: { fuel: 5 } });
  assertEquals(realm.modules.size, before + 2);
});
