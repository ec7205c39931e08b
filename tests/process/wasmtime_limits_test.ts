import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { Machine } from "../../runtime/process/machine.ts";
import { wasmtimeTest } from "../_wasmtime.ts";
import { wat } from "../wasm.ts";
import {
  childrenOf,
  execute,
  GRANTS,
  IMPORTS,
  isRunning,
  numbers,
  runTour,
  tour,
} from "./_process.ts";
import { endOf, openOn, within } from "./_wasmtime.ts";

const MIB = 2 ** 20;

/** Resident bytes of a process. */
function residentOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
}

wasmtimeTest(
  "a loop without end is killed at the deadline, on wasmtime",
  async (library) => {
    const limits = { timeoutMs: 300 };
    const start = performance.now();
    const error = await endOf(library, await numbers(), "spin", {
      imports: IMPORTS,
      limits,
    });
    assert(SandboxError.is(error, "limit-exceeded"), error.message);
    assertEquals(error.details.limit, "timeoutMs");
    assert(performance.now() - start < 10_000);
  },
);

wasmtimeTest(
  "a start function without end is killed, on wasmtime",
  async (library) => {
    const module = await wat(`(module (func $s (loop br 0)) (start $s))`);
    await using source = await openOn(library, module, {
      limits: { timeoutMs: 300 },
    });
    const error = await assertRejects(
      () => source.instantiate({}),
      SandboxError,
    );
    assertEquals(error.code, "limit-exceeded");
    assertEquals(childrenOf(Deno.pid), []);
  },
);

wasmtimeTest(
  "abort and disposal kill a guest that runs, on wasmtime",
  async (library) => {
    await within(library, await tour(), {
      capabilities: GRANTS,
    }, async (instance) => {
      const [pid = 0] = childrenOf(Deno.pid);
      const controller = new AbortController();
      const reason = new Error("stop");
      setTimeout(() => controller.abort(reason), 50);
      const { signal } = controller;
      const run = execute(instance, ["spin"], {}, { signal });
      assertEquals(await assertRejects(() => run), reason);
      assert(pid > 0 && !isRunning(pid));
    });
    const source = await openOn(library, await numbers(), { imports: IMPORTS });
    const instance = await source.instantiate({});
    const [pid = 0] = childrenOf(Deno.pid);
    const call = assertRejects(() => instance.call("spin", []), SandboxError);
    await source[Symbol.asyncDispose]();
    await call;
    assert(pid > 0 && !isRunning(pid));
  },
);

wasmtimeTest(
  "memory that is all written to stays within its limit, on wasmtime",
  async (library) => {
    const module = await wat(`(module (memory (export "memory") 1)
    (func (export "fill") (result i32)
      (loop $grow (br_if $grow
        (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      (memory.fill (i32.const 0) (i32.const 1)
        (i32.mul (memory.size) (i32.const 65536)))
      memory.size))`);
    const limits = { memoryBytes: 32 * MIB };
    await within(library, module, { limits }, async (instance, source) => {
      assertEquals(await instance.call("fill", []), 512);
      const [pid = 0] = childrenOf(Deno.pid);
      assert(residentOf(pid) < 200 * MIB, `${residentOf(pid)}`);
      assertEquals(instance.usage().memoryBytes, 32 * MIB);
      assert((source.isolationReport.dataBytes ?? 0) < 2 ** 31);
    });
  },
);

wasmtimeTest(
  "a table grows to its limit alone, on wasmtime",
  async (library) => {
    const module = await wat(`(module (table 1 funcref)
    (func (export "grow") (result i32)
      (loop $grow (br_if $grow (i32.ne (i32.const -1)
        (table.grow 0 (ref.null func) (i32.const 1)))))
      table.size 0))`);
    const limits = { tableElements: 5_000 };
    await within(library, module, { limits }, async (instance) => {
      assertEquals(await instance.call("grow", []), 5_000);
    });
  },
);

wasmtimeTest(
  "endless recursion is a trap, and the process lives on, on wasmtime",
  async (library) => {
    const module = await wat(`(module (import "host" "twice"
      (func $twice (param i32) (result i32)))
    (func $deep (param i32) (result i32)
      (i32.add (call $twice (i32.const 0))
        (call $deep (i32.add (local.get 0) (i32.const 1)))))
    (func $dive (result i32) (i32.add (i32.const 1) (call $dive)))
    (func (export "deep") (result i32) (call $deep (i32.const 0)))
    (func (export "dive") (result i32) (call $dive))
    (func (export "one") (result i32) i32.const 1))`);
    await using source = await openOn(library, module, { imports: IMPORTS });
    for (const name of ["dive", "deep"]) {
      const pids = childrenOf(Deno.pid);
      {
        await using instance = await source.instantiate({});
        const error = await assertRejects(
          () => instance.call(name, []),
          SandboxError,
        );
        assertEquals(error.code, "limit-exceeded", error.message);
        assertStringIncludes(error.message, "stack");
      }
      assertEquals(childrenOf(Deno.pid), pids);
      await using next = await source.instantiate({});
      assertEquals(await next.call("one", []), 1);
    }
  },
);

wasmtimeTest(
  "a flood of output ends at its limit, on wasmtime",
  async (library) => {
    await using source = await openOn(library, await tour(), {
      capabilities: GRANTS,
      limits: { stdoutBytes: 100_000 },
    });
    const error = await assertRejects(
      () => runTour(source, ["flood"]),
      SandboxError,
    );
    assert(SandboxError.is(error, "limit-exceeded"), error.message);
    assertEquals(error.details.limit, "stdoutBytes");
  },
);

wasmtimeTest(
  "a flood of host calls ends at its limit, on wasmtime",
  async (library) => {
    let calls = 0;
    const twice = (value: number) => {
      calls++;
      return value;
    };
    const module = await wat(`(module (import "host" "twice"
      (func $twice (param i32) (result i32)))
    (func (export "flood") (loop
      (drop (call $twice (i32.const 1))) (br 0))))`);
    const error = await endOf(library, module, "flood", {
      imports: { host: { twice } },
      limits: { hostCalls: 500 },
    });
    assert(SandboxError.is(error, "limit-exceeded"), error.message);
    assertEquals(error.details.limit, "hostCalls");
    assertEquals(calls, 500);
  },
);

wasmtimeTest(
  "fuel ends a loop, and is counted, on wasmtime",
  async (library) => {
    await using source = await openOn(library, await numbers(), {
      imports: IMPORTS,
      limits: { fuel: 100_000, timeoutMs: Infinity },
    });
    await using instance = await source.instantiate({ fuel: 100_000 });
    assertEquals(await instance.call("add", [1, 2]), 3);
    assert((instance.usage().fuel ?? 0) > 0);
    const error = await assertRejects(
      () => instance.call("spin", []),
      SandboxError,
    );
    assert(SandboxError.is(error, "limit-exceeded"), error.message);
    assertEquals(error.details.limit, "fuel");
  },
);

wasmtimeTest(
  "cpuMs ends a guest by the kernel, on wasmtime",
  async (library) => {
    const machine = new Machine();
    if ((await machine.tools()).prlimit === undefined) return;
    const error = await endOf(library, await numbers(), "spin", {
      imports: IMPORTS,
      machine,
      limits: { cpuMs: 1_000, timeoutMs: 30_000 },
    });
    assert(SandboxError.is(error, "limit-exceeded"), error.message);
    assertEquals(error.details.limit, "cpuMs");
  },
);

wasmtimeTest(
  "stackBytes is not among what wasmtime enforces in a process",
  async (library) => {
    const limits = { stackBytes: 512 * 1024 };
    await using source = await openOn(library, await numbers(), {
      imports: IMPORTS,
      limits,
    });
    assertEquals(source.features.limits.stackBytes, undefined);
  },
);

/** A function of so many loops within each other that set so many locals. */
function costly(depth: number, locals: number): Uint8Array<ArrayBuffer> {
  const leb = (n: number): number[] =>
    n < 128 ? [n] : [n & 127 | 128, ...leb(n >>> 7)];
  const body = [1, ...leb(locals + 1), 0x7f];
  for (let i = 0; i < depth; i++) body.push(0x03, 0x40);
  for (let i = 0; i < locals; i++) {
    body.push(0x20, ...leb(i), 0x21, ...leb(i + 1));
  }
  for (let i = 0; i < depth; i++) body.push(0x20, 0, 0x0d, 0, 0x0b);
  body.push(0x0b);
  const code = [1, ...leb(body.length), ...body];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0],
    ...[7, 5, 1, 1, 0x66, 0, 0, 10, ...leb(code.length), ...code],
  ]);
}

wasmtimeTest(
  "a module that takes all memory to compile ends its process alone",
  async (library) => {
    const machine = new Machine();
    if ((await machine.tools()).prlimit === undefined) return;
    const error = await assertRejects(
      () => openOn(library, costly(8_000, 20_000), { machine }),
      SandboxError,
    );
    const allowed = ["process-failed", "module-refused", "limit-exceeded"];
    assert(allowed.includes(error.code), error.message);
    assertEquals(childrenOf(Deno.pid), []);
  },
);
