import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { ProcessPool } from "../../runtime/process/pool.ts";
import { openEvil } from "./_evil.ts";
import { childrenOf, IMPORTS, numbers, open, until } from "./_process.ts";

const WAYS = [
  "wrong id",
  "a body of 4 GiB",
  "endless questions",
  "half a frame and silence",
  "exit code",
] as const;

for (const what of WAYS) {
  Deno.test(`a pool has room again after a child of this sort: ${what}`, async () => {
    await using pool = new ProcessPool({ spares: 0, maxProcesses: 1 });
    {
      await using source = await openEvil(what, {
        pool,
        limits: { timeoutMs: 300, hostCalls: 1_000 },
      });
      await using instance = await source.instantiate({});
      assertEquals(pool.size, 1);
      await assertRejects(() => instance.call("add", [2, 3]), SandboxError);
      await until(() => pool.size === 0);
      assertEquals(childrenOf(Deno.pid), []);
    }
    await using honest = await open(await numbers(), {
      imports: IMPORTS,
      pool,
    });
    await using instance = await honest.instantiate({});
    assertEquals(await instance.call("add", [2, 3]), 5);
    assertEquals(pool.size, 1);
  });
}

Deno.test("a pool that is disposed leaves nothing of those it let go", async () => {
  const pool = new ProcessPool({ spares: 2 });
  const imports = IMPORTS;
  await using source = await open(await numbers(), { imports, pool });
  await until(() => pool.ready === 2);
  // spares of another kind give way, and are still ending when it is disposed
  const limits = { memoryBytes: 2 ** 21 };
  await using other = await open(await numbers(), { imports, pool, limits });
  await pool[Symbol.asyncDispose]();
  assertEquals(childrenOf(Deno.pid), []);
  await assertRejects(() => source.instantiate({}), SandboxError);
  assert(other.module.byteLength > 0);
});
