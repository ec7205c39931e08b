import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { type Launch, prepareLaunch } from "../../runtime/process/launch.ts";
import { Machine } from "../../runtime/process/machine.ts";
import { ProcessPool } from "../../runtime/process/pool.ts";
import { resolveLimits } from "../../security/limits.ts";
import { childrenOf, IMPORTS, numbers, open, until } from "./_process.ts";

const MACHINE = new Machine();

function launchOf(memoryBytes = 2 ** 20): Promise<Launch> {
  const limits = resolveLimits({ memoryBytes });
  return prepareLaunch({ limits, read: [], write: [], fileBytes: 0 }, MACHINE);
}

Deno.test("acquire() gives a ready process and starts the next one", async () => {
  await using pool = new ProcessPool({ spares: 1 });
  const launch = await launchOf();
  const first = await pool.acquire(launch);
  await until(() => pool.ready === 1);
  const second = await pool.acquire(launch);
  assert(second.pid !== first.pid);
  await until(() => pool.ready === 1);
  assertEquals(pool.size, 3);
  await first[Symbol.asyncDispose]();
  await until(() => pool.size === 2);
});

Deno.test("acquire() never gives what another launch started", async () => {
  await using pool = new ProcessPool({ spares: 1 });
  const launch = await launchOf();
  await pool.acquire(launch);
  await until(() => pool.ready === 1);
  const other = await launchOf(2 ** 21);
  const child = await pool.acquire(other);
  assertEquals(child.launch.key, other.key);
});

Deno.test("a ready process that dies is replaced", async () => {
  await using pool = new ProcessPool({ spares: 1 });
  const child = await pool.acquire(await launchOf());
  await until(() => pool.ready === 1);
  const [spare = 0] = childrenOf(Deno.pid).filter((pid) => pid !== child.pid);
  assert(spare > 1);
  Deno.kill(spare, "SIGKILL");
  await until(() => pool.ready === 0);
  await until(() => pool.ready === 1);
  const next = await pool.acquire(await launchOf());
  assert(next.isAlive && next.pid !== spare);
});

Deno.test("acquire() waits where the pool is full", async () => {
  await using pool = new ProcessPool({ spares: 0, maxProcesses: 1 });
  const launch = await launchOf();
  const first = await pool.acquire(launch);
  let waited = false;
  const second = pool.acquire(launch).then((child) => {
    waited = true;
    return child;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(waited, false);
  await first[Symbol.asyncDispose]();
  assert((await second).isAlive);
  assertEquals(pool.size, 1);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("no patience")), 20);
  await assertRejects(
    () => pool.acquire(launch, { signal: controller.signal }),
    Error,
    "no patience",
  );
});

Deno.test("acquire() refuses where the pool is full and shall not wait", async () => {
  await using pool = new ProcessPool({
    spares: 0,
    maxProcesses: 1,
    whenFull: "refuse",
  });
  const launch = await launchOf();
  await pool.acquire(launch);
  const error = await assertRejects(() => pool.acquire(launch), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "processes");
});

Deno.test("dispose ends every process and those who wait", async () => {
  const pool = new ProcessPool({ spares: 2, maxProcesses: 3 });
  const launch = await launchOf();
  const children = [await pool.acquire(launch)];
  children.push(await pool.acquire(launch), await pool.acquire(launch));
  const waiting = assertRejects(() => pool.acquire(launch), SandboxError);
  await pool[Symbol.asyncDispose]();
  await pool[Symbol.asyncDispose]();
  assertEquals((await waiting).code, "disposed");
  assert(children.every(({ isAlive }) => !isAlive));
  await until(() => childrenOf(Deno.pid).length === 0);
});

Deno.test("a source with a pool gives each guest a process of its own", async () => {
  await using pool = new ProcessPool({ spares: 2 });
  const module = await numbers();
  const pids = new Set<number>();
  for (let turn = 0; turn < 3; turn++) {
    await using source = await open(module, { imports: IMPORTS, pool });
    await using instance = await source.instantiate({});
    assertEquals(await instance.call("count", []), 1);
    for (const pid of childrenOf(Deno.pid)) pids.add(pid);
  }
  assert(pids.size >= 3);
});

Deno.test("ProcessPool refuses numbers that make no sense", () => {
  assertThrows(() => new ProcessPool({ spares: -1 }), RangeError);
  assertThrows(() => new ProcessPool({ maxProcesses: 0 }), RangeError);
  assertThrows(() => new ProcessPool({ maxProcesses: 1.5 }), RangeError);
});

Deno.test("ProcessPool refuses a whenFull that it does not know", () => {
  const options = { whenFull: "drop" } as unknown as { whenFull: "wait" };
  assertThrows(() => new ProcessPool(options), TypeError, "drop");
});
