import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { HostModule } from "../../mod.ts";
import { open, testOnWasmtime } from "./_wasmtime.ts";
import { make } from "./_instances.ts";

testOnWasmtime(
  "WasmtimeRuntime keeps memories and tables within their caps",
  async (t) => {
    await using runtime = await open();
    const grow = `(func (export "grow") (param i32) (result i32)
    (memory.grow (local.get 0)))`;
    const limits = { memoryBytes: 10 * 65_536, tableElements: 100 };
    await t.step("one memory, in steps", async () => {
      await using instance = await make(
        runtime,
        `(module (memory 1) ${grow})`,
        {
          limits,
        },
      );
      for (let pages = 1; pages < 10; pages++) {
        assertEquals(await instance.call("grow", [1]), pages);
      }
      assertEquals(await instance.call("grow", [1]), -1);
      assertEquals(instance.usage().memoryBytes, 10 * 65_536);
    });
    await t.step("many memories together", async () => {
      const many = "(memory 1)".repeat(5);
      const all = [0, 1, 2, 3, 4].map((index) =>
        `(func (export "grow${index}") (result i32)
        (memory.grow ${index} (i32.const 1)))`
      ).join("");
      await using instance = await make(runtime, `(module ${many} ${all})`, {
        limits,
        features: { multiMemory: true },
      });
      for (let round = 0; round < 20; round++) {
        for (let index = 0; index < 5; index++) {
          await instance.call(`grow${index}`, []);
        }
      }
      assertEquals(instance.usage().memoryBytes, 10 * 65_536);
    });
    await t.step("tables", async () => {
      await using instance = await make(
        runtime,
        `(module (table $a 10 funcref) (table $b 10 funcref)
        (func (export "a") (param i32) (result i32)
          (table.grow $a (ref.null func) (local.get 0)))
        (func (export "b") (param i32) (result i32)
          (table.grow $b (ref.null func) (local.get 0))))`,
        { limits },
      );
      assertEquals(await instance.call("a", [40]), 10);
      assertEquals(await instance.call("a", [1]), -1);
      assertEquals(await instance.call("b", [40]), 10);
      assertEquals(await instance.call("b", [1]), -1);
      assertEquals(instance.usage().tableElements, 100);
    });
  },
);

testOnWasmtime(
  "WasmtimeRuntime counts fuel reproducibly, on more than one engine",
  async () => {
    const text = `(module (import "h" "f" (func $f)) (memory 1)
    (func (export "run") (param i32)
      (loop (call $f) (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`;
    const used = async (fuel: number, timeoutMs: number) => {
      await using runtime = await open();
      await using instance = await make(runtime, text, {
        imports: { h: { f: () => {} } },
        limits: { fuel, timeoutMs },
      });
      await instance.call("run", [10]);
      return instance.usage().fuel ?? 0;
    };
    const one = await used(10 ** 6, 5_000);
    // bytes that are moved are charged for
    assert(one > 10_000, String(one));
    assertEquals(await used(10 ** 6, 5_000), one);
    assertEquals(await used(10 ** 6, Infinity), one);
    assertEquals(await used(one, 5_000), one);
    const error = await assertRejects(() => used(one - 1, 5_000));
    assert(SandboxError.is(error, "limit-exceeded"));
    assertEquals(error.details.limit, "fuel");
  },
);

testOnWasmtime(
  "WasmtimeRuntime ends what begins, sleeps or calls the host too long",
  async (t) => {
    await using runtime = await open();
    const limits = { timeoutMs: 200 };
    const late = async (run: () => Promise<unknown>) => {
      const start = performance.now();
      const error = await assertRejects(run);
      assert(SandboxError.is(error, "limit-exceeded"), String(error));
      assertEquals(error.details.limit, "timeoutMs");
      assert(performance.now() - start < 5_000);
    };
    await t.step("in the start function", () =>
      late(() =>
        make(
          runtime,
          `(module (func $s (loop (br 0))) (start $s))`,
          { limits },
        )
      ));
    const sleeper: HostModule = {
      name: "h",
      signatures: { f: { params: [], results: [] } },
      link: (guest) => ({ f: () => guest.sleep(60_000) }),
    };
    const text =
      `(module (import "h" "f" (func $f)) (func (export "run") (call $f)))`;
    await t.step("asleep", async () => {
      await using instance = await make(runtime, text, {
        limits,
        hostModules: [sleeper],
      });
      await late(() => instance.call("run", []));
    });
    await t.step("in a host function, that returns late", async () => {
      const f = () => {
        const end = performance.now() + 300;
        while (performance.now() < end);
      };
      await using instance = await make(runtime, text, {
        limits,
        imports: { h: { f } },
      });
      await late(() => instance.call("run", []));
    });
    await t.step("within the call of another guest", async () => {
      await using inner = await make(
        runtime,
        `(module (func (export "spin") (loop (br 0))))`,
      );
      const f = () => void inner.callSync("spin", []);
      await using outer = await make(runtime, text, {
        limits,
        imports: { h: { f } },
      });
      await late(() => outer.call("run", []));
      assert(SandboxError.is(inner.failure, "limit-exceeded"));
      assertStringIncludes(inner.failure.message, "around this one");
    });
  },
);
