import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { wat } from "../wasm.ts";
import { IMPORTS, numbers, open } from "./_process.ts";

Deno.test("call() carries every number exactly", async () => {
  await using source = await open(await numbers(), { imports: IMPORTS });
  await using instance = await source.instantiate({});
  assertEquals(await instance.call("add", [2 ** 31 - 1, 1]), -(2 ** 31));
  assertEquals(await instance.call("add", [2 ** 32 - 1, 0]), -1);
  assertEquals(await instance.call("nothing", []), undefined);
  assertEquals(await instance.call("two", []), [1, -2n]);
  assertEquals(await instance.call("limit", []), 2n ** 63n - 1n);
  for (
    const value of [0, -0, NaN, Infinity, -Infinity, 5e-324, 1.7e308, 0.1, 1e21]
  ) {
    assert(Object.is(await instance.call("f64", [value]), value));
  }
  assertEquals(await instance.call("f32", [0.1]), Math.fround(0.1));
  assertEquals(await instance.call("i64", [2n ** 64n - 1n]), -1n);
  assertEquals(await instance.call("i64", [-(2n ** 63n)]), -(2n ** 63n));
});

Deno.test("call() refuses what does not fit, and the guest lives on", async () => {
  await using source = await open(await numbers(), { imports: IMPORTS });
  await using instance = await source.instantiate({});
  await assertRejects(
    () => instance.call("add", [1]),
    TypeError,
    "2 arguments",
  );
  await assertRejects(() => instance.call("i64", [1]), TypeError, "bigint");
  const missing = await assertRejects(
    () => instance.call("ad", []),
    SandboxError,
    'did you mean "add"',
  );
  assertEquals(missing.code, "export-not-found");
  await assertRejects(
    () => instance.call("add", [1, 2], { timeoutMs: -1 }),
    TypeError,
    "above 0",
  );
  assertEquals(await instance.call("add", [1, 2]), 3);
});

Deno.test("call() runs host functions in the host, asynchronous ones too", async () => {
  const seen: unknown[] = [];
  await using source = await open(await numbers(), {
    imports: {
      host: {
        ...IMPORTS["host"],
        twice: async (value: number) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          seen.push(value, Deno.pid);
          return 2 * value;
        },
        // deno-lint-ignore no-explicit-any -- a promise is no result inline
      } as any,
    },
  });
  await using instance = await source.instantiate({});
  assertEquals(await instance.call("twice", [21]), 42);
  assertEquals(seen, [21, Deno.pid]);
  assertEquals(await instance.call("wide", [-5n, 7]), 2n);
});

Deno.test("call() tells what a host function threw", async () => {
  const cause = new Error("no \u001b[31mluck");
  await using source = await open(await numbers(), {
    imports: {
      host: {
        ...IMPORTS["host"],
        twice: () => {
          throw cause;
        },
      },
    },
  });
  await using instance = await source.instantiate({});
  const error = await assertRejects(
    () => instance.call("twice", [1]),
    SandboxError,
    "no \\u{1b}[31mluck",
  );
  assert(SandboxError.is(error, "host-function-failed"));
  assertEquals(error.cause, cause);
  assertEquals(error.details.import, { module: "host", name: "twice" });
  assert(instance.failure !== undefined);
});

Deno.test("call() ends a host function that never returns at the deadline", async () => {
  await using source = await open(await numbers(), {
    limits: { timeoutMs: 100 },
    imports: {
      host: {
        ...IMPORTS["host"],
        twice: () => new Promise(() => {}),
        // deno-lint-ignore no-explicit-any -- a promise is no result inline
      } as any,
    },
  });
  await using instance = await source.instantiate({});
  const error = await assertRejects(
    () => instance.call("twice", [1]),
    SandboxError,
    "timeoutMs",
  );
  assertEquals(error.code, "limit-exceeded");
});

Deno.test("call() ends at its deadline, and another process takes over", async () => {
  await using source = await open(await numbers(), {
    imports: IMPORTS,
    limits: { timeoutMs: 2_000 },
  });
  await using instance = await source.instantiate({});
  const start = performance.now();
  const error = await assertRejects(
    () => instance.call("spin", [], { timeoutMs: 50 }),
    SandboxError,
  );
  assert(performance.now() - start < 500);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "timeoutMs");
  assertEquals(error.details.allowed, 50);
  assertEquals(instance.failure, error);
  const dead = await assertRejects(
    () => instance.call("add", [1, 2]),
    SandboxError,
  );
  assertEquals(dead.code, "instance-dead");
  await using next = await source.instantiate({});
  assertEquals(await next.call("add", [1, 2]), 3);
});

Deno.test("call() rejects with the caller's own reason when aborted", async () => {
  await using source = await open(await numbers(), { imports: IMPORTS });
  await using instance = await source.instantiate({});
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 30);
  const start = performance.now();
  const error = await assertRejects(() =>
    instance.call("spin", [], { signal: controller.signal })
  );
  assertEquals(error, reason);
  assert(performance.now() - start < 1_000);
  assertEquals(instance.failure?.code, "process-failed");
  await assertRejects(
    () => instance.call("add", [1, 2], { signal: controller.signal }),
    Error,
    "enough",
  );
});

Deno.test("call() refuses while another call runs", async () => {
  await using source = await open(await numbers(), {
    imports: IMPORTS,
    limits: { timeoutMs: 200 },
  });
  await using instance = await source.instantiate({});
  const spinning = assertRejects(() => instance.call("spin", []), SandboxError);
  const busy = await assertRejects(
    () => instance.call("add", [1, 2]),
    SandboxError,
  );
  assertEquals(busy.code, "instance-busy");
  await spinning;
});

Deno.test("call() tells of a trap, and the process lives on", async () => {
  await using source = await open(await numbers(), { imports: IMPORTS });
  await using instance = await source.instantiate({});
  assertEquals(await instance.call("count", []), 1);
  const error = await assertRejects(
    () => instance.call("trap", []),
    SandboxError,
  );
  assert(SandboxError.is(error, "trap"));
  assertEquals(error.details, { export: "trap", kind: "trap" });
  await using next = await source.instantiate({});
  assertEquals(await next.call("count", []), 1);
});

Deno.test("callSync() is refused", async () => {
  await using source = await open(await numbers(), { imports: IMPORTS });
  await using instance = await source.instantiate({});
  const error = await assertRejects(
    // deno-lint-ignore require-await -- what it throws is to be a rejection
    async () => instance.callSync("add", [1, 2]),
    SandboxError,
  );
  assertEquals(error.code, "unsupported");
  assertEquals(source.features.sync, false);
});

Deno.test("usage() and setFuel() cross to the process", async () => {
  await using source = await open(await numbers(), {
    imports: IMPORTS,
    limits: { fuel: 10_000, memoryBytes: 2 ** 20 },
  });
  await using instance = await source.instantiate({ fuel: 1_000 });
  await instance.call("add", [1, 2]);
  const { fuel, memoryBytes } = instance.usage();
  assert(fuel !== undefined && fuel > 0 && fuel < 1_000);
  assertEquals(memoryBytes, 65_536);
  assertEquals(await instance.call("grow", [100]), -1);
  assertEquals(await instance.call("grow", [2]), 1);
  assertEquals(instance.usage().memoryBytes, 3 * 65_536);
  const error = await assertRejects(
    () => instance.call("spin", []),
    SandboxError,
  );
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "fuel");
  await using next = await source.instantiate({ fuel: 50 });
  next.setFuel(5_000);
  for (let turn = 0; turn < 20; turn++) await next.call("add", [1, 2]);
});

Deno.test("exchange() carries text and bytes, large ones too", async () => {
  const echo = await wat(`(module
    (memory (export "memory") 80)
    (func (export "wasm_sandbox_alloc") (param i32) (result i32) i32.const 8)
    (func (export "echo") (param i32 i32) (result i64)
      (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
        (i64.extend_i32_u (local.get 1)))))`);
  await using source = await open(echo, { limits: { messageBytes: 4 << 20 } });
  await using instance = await source.instantiate({});
  assertEquals(await instance.exchange("echo", "häß\u0000 ✓"), "häß\u0000 ✓");
  assertEquals(await instance.exchange("echo", ""), "");
  const bytes = crypto.getRandomValues(new Uint8Array(65_536));
  const large = new Uint8Array(4 << 20);
  for (let at = 0; at < large.length; at += bytes.length) large.set(bytes, at);
  assertEquals(await instance.exchange("echo", large), large);
  const error = await assertRejects(
    () => instance.exchange("echo", new Uint8Array((4 << 20) + 1)),
    SandboxError,
    "messageBytes",
  );
  assertEquals(error.code, "limit-exceeded");
  const abi = { alloc: "missing" };
  const broken = await assertRejects(
    () => instance.exchange("echo", "x", { abi }),
    SandboxError,
  );
  assertEquals(broken.code, "guest-protocol");
  assertEquals(await instance.exchange("echo", "still here"), "still here");
});

Deno.test("create() tells why a module is refused", async () => {
  const error = await assertRejects(
    () => open(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
    SandboxError,
  );
  assertEquals(error.code, "invalid-module");
  const missing = await assertRejects(
    async () => {
      await using source = await open(await numbers());
      await source.instantiate({});
    },
    SandboxError,
  );
  assertEquals(missing.code, "import-not-granted");
  assertStringIncludes(missing.message, "twice");
});

Deno.test("dispose ends a call that runs", async () => {
  await using source = await open(await numbers(), { imports: IMPORTS });
  const instance = await source.instantiate({});
  const spinning = assertRejects(() => instance.call("spin", []), SandboxError);
  await instance[Symbol.asyncDispose]();
  const error = await spinning;
  assertEquals(error.code, "disposed");
  await using next = await source.instantiate({});
  assertEquals(await next.call("add", [1, 2]), 3);
});

Deno.test("instantiate() gives a second instance a process of its own", async () => {
  await using source = await open(await numbers(), {
    imports: IMPORTS,
    limits: { timeoutMs: 300 },
  });
  await using one = await source.instantiate({});
  await using two = await source.instantiate({});
  const spinning = assertRejects(() => one.call("spin", []), SandboxError);
  assertEquals(await two.call("add", [1, 2]), 3);
  await spinning;
  assertEquals(await two.call("count", []), 1);
});
