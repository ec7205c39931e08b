import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { V8Runtime } from "../../runtime/mod.ts";
import type { HostModule } from "../../runtime/types.ts";
import { wat } from "../wasm.ts";
import { assertAtRest, failure, host, later, never, waiter } from "./_waits.ts";

Deno.test("Instance.call waits for a host function's promise, or takes its answer", async () => {
  await using runtime = new V8Runtime();
  assert(runtime.features.async);
  let promises = true;
  const instance = await waiter(runtime, {
    wait: (n: number) => promises ? later(1, n * 2) : n * 3,
  });
  assertEquals(await instance.call("wait", [21]), 42);
  assertEquals(await instance.call("many", [10]), 110);
  promises = false;
  assertEquals(await instance.call("wait", [21]), 63);
  assertEquals(instance.callSync("wait", [5]), 15);
  assertEquals(instance.usage().hostCalls, 13);
  await assertAtRest();
});

Deno.test("Instance.call passes every number type through a wait, and none", async () => {
  const guest = await wat(`(module
    (import "h" "i64" (func $a (param i64 f64) (result i64)))
    (import "h" "f64" (func $b (param f32) (result f64)))
    (import "h" "f32" (func $c (result f32)))
    (import "h" "none" (func $d))
    (import "h" "two" (func $e (param i32) (result i64 f32)))
    (func (export "i64") (result i64)
      (call $a (i64.const -9007199254740993) (f64.const 0.5)))
    (func (export "f64") (result f64) (call $b (f32.const 1.5)))
    (func (export "f32") (result f32) (call $c))
    (func (export "none") (call $d))
    (func (export "two") (result i64 f32) (call $e (i32.const 3))))`);
  const module: HostModule = {
    name: "h",
    signatures: {
      i64: { params: ["i64", "f64"], results: ["i64"] },
      f64: { params: ["f32"], results: ["f64"] },
      f32: { params: [], results: ["f32"] },
      none: { params: [], results: [] },
      two: { params: ["i32"], results: ["i64", "f32"] },
    },
    suspending: ["i64", "f64", "f32", "none", "two"],
    link: () => ({
      i64: (a: bigint) => answer(a),
      f64: (a: number) => answer(a * 2),
      f32: () => answer(0.25),
      none: () => answer(undefined),
      two: (a: number) => answer([BigInt(a), a / 2]),
    }),
  };
  let waits = true;
  function answer<T>(value: T): T | Promise<T> {
    return waits ? Promise.resolve(value) : value;
  }
  await using runtime = new V8Runtime();
  const instance = await runtime.instantiate(await runtime.compile(guest), {
    hostModules: [module],
  });
  for (waits of [true, false]) {
    assertEquals(await instance.call("i64", []), -9007199254740993n);
    assertEquals(await instance.call("f64", []), 3);
    assertEquals(await instance.call("f32", []), 0.25);
    assertEquals(await instance.call("none", []), undefined);
    assertEquals(await instance.call("two", []), [3n, 1.5]);
  }
});

Deno.test("Instance.call has results that look like nothing taken for results", async () => {
  await using runtime = new V8Runtime();
  const instance = await waiter(runtime, { wait: (n: number) => n });
  for (const value of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    assertEquals(await instance.call("wait", [value]), value);
  }
});

Deno.test("Instance.callSync refuses a promise, and ends the guest", async () => {
  await using runtime = new V8Runtime();
  // its rejection is nobody's
  const instance = await waiter(runtime, {
    wait: () => Promise.reject(new Error("late")),
  });
  const error = assertThrows(() => instance.callSync("catches", [1]));
  assert(SandboxError.is(error, "unsupported"), String(error));
  assert(error.details.feature.includes("callSync"));
  assertEquals(instance.failure, error);
  await failure(instance.call("plain", [1]), "instance-dead");
  await assertAtRest();
});

Deno.test("V8Runtime.instantiate refuses a start function that would wait", async () => {
  await using runtime = new V8Runtime();
  const module = await runtime.compile(
    await wat(`(module
      (import "host" "wait" (func $wait (param i32) (result i32)))
      (func $start (drop (call $wait (i32.const 1)))) (start $start))`),
  );
  const wait = host({ wait: () => Promise.resolve(1) });
  const ready = host({ wait: () => 1 });
  await failure(
    runtime.instantiate(module, { hostModules: [wait] }),
    "unsupported",
  );
  await runtime.instantiate(module, { hostModules: [ready] });
});

Deno.test("Instance.call ends the guest when the promise rejects or is of another type", async () => {
  await using runtime = new V8Runtime();
  for (
    const [value, code] of [
      [() => Promise.reject(new Error("broken")), "host-function-failed"],
      [() => Promise.reject(undefined), "host-function-failed"],
      [() => Promise.resolve("7"), "host-function-failed"],
      [() => Promise.resolve(7n), "host-function-failed"],
      [() => Promise.resolve(undefined), "host-function-failed"],
      [
        () =>
          Promise.reject(
            new SandboxError("guest-exit", "Exit", {
              details: { exitCode: 3 },
            }),
          ),
        "guest-exit",
      ],
    ] as const
  ) {
    const instance = await waiter(runtime, { wait: value as () => never });
    const error = await failure(instance.call("catches", [1]), code);
    assertEquals(instance.failure, error);
  }
  await assertAtRest();
});

Deno.test("Instance.call takes any object with then for a promise", async () => {
  await using runtime = new V8Runtime();
  const instance = await waiter(runtime, {
    wait: ((n: number) => ({
      then: (resolve: (value: number) => void) => resolve(n + 1),
    })) as unknown as () => number,
  });
  assertEquals(await instance.call("wait", [1]), 2);
});

Deno.test("Instance.call is refused while the guest waits, and dispose ends it", async () => {
  await using runtime = new V8Runtime();
  const instance = await waiter(runtime, { wait: never });
  const waiting = instance.call("wait", [1]);
  await failure(instance.call("plain", [1]), "instance-busy");
  await failure(instance.exchange("echo", "x"), "instance-busy");
  assertThrows(() => instance.callSync("plain", [1]), SandboxError, "running");
  const ended = failure(waiting, "disposed");
  await instance[Symbol.asyncDispose]();
  await ended;
  await failure(instance.call("plain", [1]), "disposed");
  await assertAtRest();
});

Deno.test("Instance.call is refused from within the host function it waits for", async () => {
  await using runtime = new V8Runtime();
  const codes: unknown[] = [];
  const instance = await waiter(runtime, {
    async wait(n: number) {
      for (const sync of [true, false]) {
        try {
          if (sync) instance.callSync("plain", [1]);
          else await instance.call("plain", [1]);
        } catch (error) {
          codes.push(SandboxError.is(error) && error.code);
        }
        await later(1, 0);
      }
      return n;
    },
  });
  assertEquals(await instance.call("wait", [4]), 4);
  assertEquals(codes, ["instance-busy", "instance-busy"]);
  assertEquals(await instance.call("plain", [4]), 5);
});

Deno.test("Instance.call that need not wait is over at once", async () => {
  await using runtime = new V8Runtime();
  const instance = await waiter(runtime, {});
  const calls = [instance.call("wait", [1]), instance.call("wait", [2])];
  assertEquals(instance.callSync("plain", [2]), 3);
  assertEquals(await Promise.all(calls), [1, 2]);
});

Deno.test("Instance.exchange that need not wait keeps its own reply", async () => {
  await using runtime = new V8Runtime();
  const instance = await waiter(runtime, {});
  const bytes = Uint8Array.of(1, 2, 3);
  assertEquals(
    await Promise.all([
      instance.exchange("echo", "first"),
      instance.exchange("echo", bytes),
      instance.exchange("echo", "last"),
    ]),
    ["first", bytes, "last"],
  );
});

Deno.test("Instance.call ends a guest that waits at its deadline, as one call", async () => {
  await using runtime = new V8Runtime();
  for (const wait of [never, () => later(20, 1)]) {
    const instance = await waiter(runtime, { wait }, { timeoutMs: 150 });
    const start = performance.now();
    const error = await failure(
      instance.call("many", [1000]),
      "limit-exceeded",
    );
    const time = performance.now() - start;
    assert(time > 140 && time < 1_000, `${time} ms`);
    assertEquals(error.details.limit, "timeoutMs");
    assertEquals(error.details.allowed, 150);
  }
  const short = await waiter(runtime, { wait: never });
  const start = performance.now();
  await failure(
    short.call("catches", [1], { timeoutMs: 30 }),
    "limit-exceeded",
  );
  assert(performance.now() - start < 1_000);
  await assertAtRest();
});

Deno.test("Instance.call stops a loop that begins after a wait", async () => {
  await using runtime = new V8Runtime();
  const instance = await waiter(runtime, { wait: () => later(50, 1) }, {
    timeoutMs: 100,
  });
  const start = performance.now();
  const error = await failure(
    instance.call("wait_then_spin", [1]),
    "limit-exceeded",
  );
  assertEquals(error.details.limit, "timeoutMs");
  const time = performance.now() - start;
  assert(time > 90 && time < 1_000, `${time} ms`);
  await assertAtRest();
});

Deno.test("Instance.call that waits ends with its signal's reason", async () => {
  await using runtime = new V8Runtime();
  for (const limits of [{}, { timeoutMs: Infinity, fuel: 1e6 }]) {
    const instance = await waiter(runtime, { wait: never }, limits);
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = instance.call("catches", [1], { signal });
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 10);
    assertEquals(await assertRejects(() => waiting), reason);
    assert(SandboxError.is(instance.failure));
    await failure(instance.call("plain", [1]), "instance-dead");
  }
  // aborted by the host function itself, before it is waited for
  const controller = new AbortController();
  const instance = await waiter(runtime, {
    wait() {
      controller.abort("now");
      return never();
    },
  });
  const { signal } = controller;
  const reason = await instance.call("wait", [1], { signal }).catch((e) => e);
  assertEquals(reason, "now");
  await assertAtRest();
});

Deno.test("Instance.call that is over holds on to no signal and no timer", async () => {
  await using runtime = new V8Runtime();
  const instance = await waiter(runtime, { wait: () => later(1, 1) });
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  await instance.call("many", [3], { signal });
  assertEquals(listeners, 0);
  // the sanitizers of the test see timers
});

Deno.test("Instance.exchange waits in the allocator, the handler and free", async () => {
  await using runtime = new V8Runtime();
  const calls: number[] = [];
  const instance = await waiter(runtime, {
    wait(n: number) {
      calls.push(n);
      return later(1, n);
    },
  });
  assertEquals(await instance.exchange("echo", "héllo"), "héllo");
  assertEquals(
    await instance.exchange("echo", Uint8Array.of(1, 2)),
    Uint8Array.of(1, 2),
  );
  assertEquals(calls, [1, 3, 2, 2, 1, 3, 2, 2]);
  await failure(instance.exchange("lie", "x"), "guest-protocol");
  const late = await waiter(runtime, { wait: never }, { timeoutMs: 30 });
  await failure(late.exchange("echo", "x"), "limit-exceeded");
  const sync = await waiter(runtime, { wait: (n: number) => n });
  assertEquals(sync.exchangeSync("echo", "abc"), "abc");
  assertEquals(await sync.exchange("echo", "abc"), "abc");
  await failure(
    sync.exchange("echo", "x".repeat(2 ** 21)),
    "limit-exceeded",
  );
  await assertAtRest();
});

Deno.test("Instance.call counts host calls and fuel across waits", async () => {
  await using runtime = new V8Runtime();
  const quota = await waiter(runtime, { wait: () => later(0, 1) }, {
    hostCalls: 5,
  });
  const error = await failure(quota.call("many", [10]), "limit-exceeded");
  assertEquals(error.details.limit, "hostCalls");

  const fuels: unknown[] = [];
  for (const wait of [(n: number) => n, (n: number) => later(0, n)]) {
    const instance = await waiter(runtime, { wait }, { fuel: 1e6 });
    await instance.call("many", [10]);
    await instance.call("wait_then_spend", [1000]);
    fuels.push(instance.usage().fuel);
    const empty = await failure(
      instance.call("wait_then_spend", [1e7]),
      "limit-exceeded",
    );
    assertEquals(empty.details.limit, "fuel");
  }
  assertEquals(fuels[0], fuels[1]);

  // what was ended while it waited has used no more than it noted
  const instance = await waiter(runtime, { wait: never }, {
    fuel: 1e6,
    timeoutMs: 20,
  });
  await failure(instance.call("wait", [1]), "limit-exceeded");
  assert((instance.usage().fuel ?? 1e6) < 100);
});

Deno.test("Instance.call tells of traps and exhausted stacks after a wait", async () => {
  await using runtime = new V8Runtime();
  const wait = (n: number) => later(1, n);
  const traps = await waiter(runtime, { wait });
  await failure(traps.call("wait_then_trap", [1]), "trap");
  const deep = await waiter(runtime, { wait });
  const error = await failure(
    deep.call("wait_then_deep", [1]),
    "limit-exceeded",
  );
  assertEquals(error.details.limit, "stack");
  await assertAtRest();
});

Deno.test("HostModule.direct links exports of WebAssembly as they are, and nothing else", async () => {
  const kernel = new WebAssembly.Instance(
    new WebAssembly.Module(
      await wat(`(module (func (export "double") (param i32) (result i32)
        (i32.mul (local.get 0) (i32.const 2))))`),
    ),
  );
  const guest = await wat(`(module
    (import "k" "double" (func $double (param i32) (result i32)))
    (func (export "run") (param i32) (result i32)
      (call $double (call $double (local.get 0)))))`);
  const linked = (double: unknown): HostModule => ({
    name: "k",
    signatures: { double: { params: ["i32"], results: ["i32"] } },
    direct: ["double"],
    link: () => ({ double: double as (n: number) => number }),
  });
  await using runtime = new V8Runtime();
  const module = await runtime.compile(guest);
  const instance = await runtime.instantiate(module, {
    hostModules: [linked(kernel.exports.double)],
  });
  assertEquals(instance.callSync("run", [3]), 12);
  assertEquals(instance.usage().hostCalls, 0);
  for (const other of [(n: number) => n, Math.abs, null, {}]) {
    await assertRejects(
      () => runtime.instantiate(module, { hostModules: [linked(other)] }),
      TypeError,
      'Cannot link "k"."double" directly',
    );
  }
});
