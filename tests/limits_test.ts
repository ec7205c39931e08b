import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  counted,
  DEFAULT_LIMITS,
  LIMIT_PRESETS,
  resolveLimits,
  type ResourceLimits,
  Sandbox,
  SandboxError,
} from "../mod.ts";
import { wat } from "./wasm.ts";

Deno.test("resolveLimits() fills in the defaults and freezes", () => {
  const limits = resolveLimits({ fuel: 10, memoryBytes: 65_536 });
  assertEquals(limits, { ...DEFAULT_LIMITS, fuel: 10, memoryBytes: 65_536 });
  assert(Object.isFrozen(limits));
});

Deno.test("resolveLimits() refuses what is no limit and no whole number", () => {
  const bad: unknown[] = [
    { memory: 1 },
    { memoryBytes: "64MiB" },
    { memoryBytes: NaN },
    { memoryBytes: 1.5 },
    { memoryBytes: Infinity },
    { timeoutMs: null },
    { timeoutMs: 10n },
    { timeoutMs: Infinity },
    { fuel: Infinity },
  ];
  for (const limits of bad) {
    assertThrows(() => resolveLimits(limits as ResourceLimits), TypeError);
  }
});

Deno.test("resolveLimits() refuses what is out of range", () => {
  const bad: ResourceLimits[] = [
    { memoryBytes: -1 },
    { memoryBytes: 2 ** 33 },
    { timeoutMs: 0 },
    { timeoutMs: 2 ** 31 },
    { tableElements: 10_000_001 },
    { functionBytes: 8_000_000 },
  ];
  for (const limits of bad) {
    assertThrows(() => resolveLimits(limits), RangeError);
  }
});

Deno.test("resolveLimits() takes no deadline only together with fuel", () => {
  const { timeoutMs } = resolveLimits({ timeoutMs: Infinity, fuel: 1 });
  assertEquals(timeoutMs, Infinity);
});

Deno.test("counted() gives a host function limits of its own, in both isolations", async () => {
  const module = await wat(`(module
    (import "kv" "put" (func $put (param i32)))
    (func (export "put") (param i32) (call $put (local.get 0))))`);
  for (const isolation of ["inline", "process"] as const) {
    const puts: number[] = [];
    const put = counted((bytes: number) => void puts.push(bytes), {
      counters: { bytes: 10, calls: 3 },
      costs: (bytes: number) => ({ bytes, calls: 1 }),
    });
    await using sandbox = await Sandbox.create({
      module,
      isolation,
      imports: { kv: { put } },
      instance: "fresh",
    });
    await sandbox.call("put", [4]);
    const error = await assertRejects(() => sandbox.call("put", [7]));
    assert(SandboxError.is(error, "limit-exceeded"), String(error));
    assertEquals(error.details.limit, "kv.put.bytes");
    assertEquals(error.details.used, 11);
    await sandbox.call("put", [6]);
    assertEquals(puts, [4, 6], "what is too much is not done");
    assertEquals(sandbox.usage().counters, {
      "kv.put.bytes": { allowed: 10, used: 10 },
      "kv.put.calls": { allowed: 3, used: 2 },
    });
    const lie = await assertRejects(() => sandbox.call("put", [-1]));
    assert(SandboxError.is(lie, "host-function-failed"), String(lie));
  }
});

Deno.test("LIMIT_PRESETS are limits that a sandbox takes", () => {
  for (const preset of Object.values(LIMIT_PRESETS)) {
    assertEquals(resolveLimits(preset), { ...DEFAULT_LIMITS, ...preset });
    assert(Object.isFrozen(preset));
  }
});
