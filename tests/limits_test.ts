import { assert, assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_LIMITS, resolveLimits, type ResourceLimits } from "../mod.ts";

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
