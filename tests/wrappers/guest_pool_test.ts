import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertRejects,
} from "@std/assert";
import { Capabilities, SecurityPolicy } from "../../mod.ts";
import { SandboxError } from "../../errors.ts";
import type { Sandbox } from "../../sandbox.ts";
import { GuestPool, type GuestPoolOptions } from "../../wrappers/mod.ts";
import { childrenOf } from "../process/_process.ts";
import { wat } from "../wasm.ts";
import { actorModule } from "./_guests.ts";

async function open(given: Partial<GuestPoolOptions> = {}): Promise<GuestPool> {
  const module = await actorModule();
  return await GuestPool.create({ module, maxInstances: 2, ...given });
}

function act(pool: GuestPool, text: string): Promise<unknown> {
  return pool.use((sandbox) => sandbox.call("act", text));
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(run, SandboxError);
  return SandboxError.is(error, "limit-exceeded")
    ? error.details.limit
    : error.code;
}

Deno.test("GuestPool.use() lends each guest to one call at a time", async () => {
  await using pool = await open({ isolation: "process", maxInstances: 3 });
  const lent = new Set<Sandbox>();
  let most = 0;
  const lend = () =>
    pool.use(async (sandbox) => {
      assert(!lent.has(sandbox));
      lent.add(sandbox);
      most = Math.max(most, lent.size);
      await sandbox.call("act", "w");
      lent.delete(sandbox);
    });
  // until the others have started
  for (let turn = 0; turn < 200 && most < 3; turn++) {
    await Promise.all(Array.from({ length: 10 }, lend));
  }
  assertEquals(most, 3);
  assertEquals(pool.stats(), {
    instances: 3,
    busy: 0,
    waiting: 0,
    replaced: 0,
  });
  assertEquals(childrenOf(Deno.pid).length, 3);
});

Deno.test("GuestPool.use() makes no second guest as long as one will do", async () => {
  await using pool = await open();
  for (let turn = 0; turn < 10; turn++) await act(pool, "e");
  assertEquals(pool.stats().instances, 1);
  // state lives on from call to call
  const count = () => pool.use((sandbox) => sandbox.call<number>("count"));
  assertEquals([await count(), await count()], [1, 2]);
});

Deno.test("GuestPool.use() begins anew for each call with fresh", async () => {
  await using pool = await open({ instance: "fresh" });
  const count = () => pool.use((sandbox) => sandbox.call<number>("count"));
  assertEquals([await count(), await count(), await count()], [1, 1, 1]);
  assertEquals(pool.stats().instances, 1);
});

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`GuestPool.use() resets a guest that failed, ${isolation}`, async () => {
    const limits = { timeoutMs: isolation === "inline" ? 100 : 500 };
    await using pool = await open({ isolation, maxInstances: 1, limits });
    const count = () => pool.use((sandbox) => sandbox.call<number>("count"));
    for (const [text, code] of Object.entries(FAILURES)) {
      await count();
      assertEquals(await codeOf(() => act(pool, text)), code, text);
      assertEquals(await count(), 1, text);
    }
    assertEquals(pool.stats().replaced, Object.keys(FAILURES).length);
  });
}

/** What a guest does, by the letter that asks for it. */
const FAILURES = { s: "timeoutMs", t: "trap", g: "trap", l: "guest-protocol" };

Deno.test("GuestPool.use() goes on with a guest whose caller failed", async () => {
  await using pool = await open({ maxInstances: 1 });
  const own = new Error("mine");
  const error = await assertRejects(() => pool.use(() => Promise.reject(own)));
  assertEquals(error, own);
  await assertRejects(() =>
    pool.use(() => {
      throw own;
    })
  );
  assertEquals(pool.stats(), {
    instances: 1,
    busy: 0,
    waiting: 0,
    replaced: 0,
  });
});

Deno.test("GuestPool.use() gives each call exactly the same fuel", async () => {
  const burn = (pool: GuestPool, turns: number) =>
    pool.use(async (sandbox) => {
      const before = sandbox.usage().limits.fuel;
      assertEquals((before?.allowed ?? 0) - (before?.used ?? 0), 20_000);
      await sandbox.call("burn", [turns]);
      return (sandbox.usage().limits.fuel?.used ?? 0) - (before?.used ?? 0);
    });
  for (const instance of ["reuse", "fresh"] as const) {
    await using pool = await open({
      instance,
      maxInstances: 1,
      limits: { fuel: 20_000 },
    });
    const used = await burn(pool, 1_000);
    for (let turn = 0; turn < 50; turn++) {
      assertEquals(await burn(pool, 1_000), used);
      if (turn % 10 > 0) continue;
      assertEquals(await codeOf(() => burn(pool, 1_000_000)), "fuel");
    }
  }
});

Deno.test("GuestPool.use() makes a guest anew that has used up what is counted", async () => {
  const failures = async (
    options: Partial<GuestPoolOptions>,
    run: (sandbox: Sandbox) => Promise<unknown>,
  ) => {
    await using pool = await open({ maxInstances: 1, ...options });
    const codes: string[] = [];
    for (let turn = 0; turn < 12; turn++) {
      await pool.use(run).catch((error) => {
        assert(SandboxError.is(error, "limit-exceeded"), String(error));
        codes.push(error.details.limit);
      });
    }
    return { codes, replaced: pool.stats().replaced };
  };
  const echo = (sandbox: Sandbox) => sandbox.call("echo", 1);
  // four messages are two calls
  assertEquals(await failures({ limits: { messages: 4 } }, echo), {
    codes: [],
    replaced: 6,
  });
  assertEquals(await failures({ limits: { messages: 5 } }, echo), {
    codes: [],
    replaced: 6,
  });
  assertEquals(
    (await failures({ limits: { messages: 1 } }, echo)).codes.length,
    12,
  );
  assertEquals(
    await failures({ limits: { instances: 3 }, instance: "fresh" }, echo),
    { codes: [], replaced: 4 },
  );
  assertEquals(await failures({ limits: { instances: 1 } }, echo), {
    codes: [],
    replaced: 0,
  });
  const trap = (sandbox: Sandbox) => sandbox.call("trap").catch(() => {});
  assertEquals(await failures({ limits: { instances: 2 } }, trap), {
    codes: [],
    replaced: 12,
  });
});

Deno.test("GuestPool.use() counts host calls and quotas for each guest", async () => {
  const module = await wat(`(module
    (import "env" "ask" (func $ask))
    (func (export "ask") (param i32)
      (loop $again
        (call $ask)
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br_if $again (local.get 0)))))`);
  let calls = 0;
  const imports = { env: { ask: () => void calls++ } };
  const ask = (pool: GuestPool, times: number) =>
    pool.use((sandbox) => sandbox.call("ask", [times]));
  for (
    const given of [
      { limits: { hostCalls: 10 } },
      {
        policy: SecurityPolicy.strict().allowCapability(
          Capabilities.hostFunctions(["env.ask"], { maxCalls: 10 }),
        ),
      },
    ]
  ) {
    await using pool = await GuestPool.create({
      module,
      imports,
      maxInstances: 1,
      ...given,
    });
    for (let turn = 0; turn < 5; turn++) {
      await ask(pool, 10);
      calls = 0;
      await assertRejects(() => ask(pool, 1_000), SandboxError);
      assertEquals(calls, 10);
    }
  }
});

Deno.test("GuestPool.use() turns away calls that find too many waiting", async () => {
  await using pool = await open({
    isolation: "process",
    maxInstances: 1,
    maxWaiting: 1,
    what: "questions",
  });
  const both = [act(pool, "w"), act(pool, "e")];
  const error = await assertRejects(() => act(pool, "e"), SandboxError);
  assert(SandboxError.is(error, "overloaded"));
  assertEquals(error.details, { running: 1, waiting: 1 });
  assert(error.message.includes("more questions"));
  await Promise.all(both);
});

Deno.test("GuestPool.use() takes calls in the order in which they came", async () => {
  await using pool = await open({ isolation: "process" });
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, (_, turn) =>
      pool.use((sandbox) => {
        order.push(turn);
        return sandbox.call("act", "e");
      })),
  );
  assertEquals(order, order.toSorted((a, b) => a - b));
});

Deno.test("GuestPool.use() takes a guest that comes back before another is made", async () => {
  await using pool = await open({ isolation: "process", maxInstances: 8 });
  const start = performance.now();
  await Promise.all(Array.from({ length: 8 }, () => act(pool, "e")));
  const together = performance.now() - start;
  // seven processes would take far longer than eight calls
  assertLess(together, 500);
  const controller = new AbortController();
  const given = Array.from(
    { length: 8 },
    () =>
      pool.use((sandbox) => sandbox.call("act", "w"), {
        signal: controller.signal,
      }).catch(() => "given up"),
  );
  controller.abort();
  await Promise.all(given);
  await Promise.all(Array.from({ length: 80 }, () => act(pool, "e")));
  assert(pool.stats().instances <= 8);
});

Deno.test("GuestPool.use() can be given up while it waits", async () => {
  await using pool = await open({ isolation: "process", maxInstances: 1 });
  const running = act(pool, "w");
  const controller = new AbortController();
  let hasRun = false;
  const waiting = pool.use(() => {
    hasRun = true;
    return Promise.resolve();
  }, { signal: controller.signal });
  const reason = new Error("no more");
  controller.abort(reason);
  assertEquals(await assertRejects(() => waiting), reason);
  await running;
  await act(pool, "e");
  assertEquals(hasRun, false);
  await assertRejects(
    () => pool.use(() => Promise.resolve(), { signal: controller.signal }),
    Error,
    "no more",
  );
  assertEquals(pool.stats().busy, 0);
});

Deno.test("GuestPool.use() lets the event loop turn between calls that wait", async () => {
  await using pool = await open({ maxInstances: 1 });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  await Promise.all(Array.from({ length: 30 }, () => act(pool, "w")));
  clearInterval(timer);
  assert(turns >= 3, `the event loop turned ${turns} times`);
});

Deno.test("GuestPool.use() hears of an abort between calls that run inline", async () => {
  await using pool = await open({
    maxInstances: 1,
    limits: { timeoutMs: 200 },
  });
  const signal = AbortSignal.timeout(50);
  const results = await Promise.allSettled(
    Array.from(
      { length: 8 },
      () => pool.use((sandbox) => sandbox.call("spin"), { signal }),
    ),
  );
  const aborted = results.filter(({ status, ...rest }) =>
    status === "rejected" && "reason" in rest && rest.reason === signal.reason
  );
  // one or two run before the timer is looked at
  assert(aborted.length >= 5, `${aborted.length} calls were given up`);
});

Deno.test("GuestPool.drain() waits for calls that run or wait, and takes no more", async () => {
  await using pool = await open({ isolation: "process", maxInstances: 1 });
  const ended: string[] = [];
  const calls = ["w", "e", "e"].map(async (text) => {
    await act(pool, text);
    ended.push(text);
  });
  const impatient = pool.drain({ signal: AbortSignal.timeout(1) });
  await assertRejects(() => impatient, DOMException);
  const drained = pool.drain();
  assertEquals(await codeOf(() => act(pool, "e")), "disposed");
  await drained;
  assertEquals(ended.length, 3);
  await Promise.all(calls);
});

Deno.test("GuestPool[Symbol.asyncDispose]() ends calls that run or wait, and guests", async () => {
  const pool = await open({
    isolation: "process",
    limits: { timeoutMs: 60_000 },
  });
  const codes = ["s", "s", "e", "e"].map((text) =>
    codeOf(() => act(pool, text))
  );
  while (pool.stats().instances < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all([
    pool[Symbol.asyncDispose](),
    pool[Symbol.asyncDispose](),
  ]);
  for (const code of await Promise.all(codes)) assertEquals(code, "disposed");
  assertEquals(await codeOf(() => act(pool, "e")), "disposed");
  assertEquals(childrenOf(Deno.pid), []);
});

Deno.test("GuestPool[Symbol.asyncDispose]() does not wait for guests that start", async () => {
  // the second instance never starts: its first word in the host says so
  const module = await wat(`(module
    (import "env" "which" (func $which (result i32)))
    (func $start (if (i32.gt_u (call $which) (i32.const 1))
      (then (loop $again (br $again)))))
    (func (export "act"))
    (start $start))`);
  let which = 0;
  const pool = await GuestPool.create({
    module,
    imports: { env: { which: () => ++which } },
    isolation: "process",
    limits: { timeoutMs: 60_000 },
  });
  const first = pool.use(() =>
    new Promise((resolve) => setTimeout(resolve, 600))
  );
  const second = codeOf(() => pool.use((sandbox) => sandbox.call("act")));
  await new Promise((resolve) => setTimeout(resolve, 400));
  const start = performance.now();
  await pool[Symbol.asyncDispose]();
  assertLess(performance.now() - start, 10_000);
  assertEquals(await second, "disposed");
  await first;
});

Deno.test("GuestPool[Symbol.asyncDispose]() ends guests that are made anew", async () => {
  const pool = await open({ isolation: "process", maxInstances: 1 });
  await assertRejects(() => act(pool, "t"), SandboxError);
  // the reset has begun
  const next = codeOf(() => act(pool, "e"));
  await pool[Symbol.asyncDispose]();
  assertEquals(await next, "disposed");
  assertEquals(childrenOf(Deno.pid), []);
});

Deno.test("GuestPool.use() tells why a guest cannot be made anew, and tries again", async () => {
  let mood = "good";
  const module = await wat(`(module
    (import "env" "mood" (func $mood (result i32)))
    (func $start (if (call $mood) (then unreachable)))
    (func (export "trap") unreachable)
    (func (export "act"))
    (start $start))`);
  await using pool = await GuestPool.create({
    module,
    maxInstances: 1,
    imports: { env: { mood: () => mood === "good" ? 0 : 1 } },
  });
  const call = (name: string) => pool.use((sandbox) => sandbox.call(name));
  mood = "bad";
  assertEquals(await codeOf(() => call("trap")), "trap");
  for (let turn = 0; turn < 3; turn++) {
    assertEquals(await codeOf(() => call("act")), "trap");
  }
  mood = "good";
  await call("act");
  assertEquals(pool.stats().instances, 1);
});

Deno.test("GuestPool.use() replaces a guest whose process is killed", async () => {
  await using pool = await open({ isolation: "process", maxInstances: 1 });
  await act(pool, "e");
  for (const pid of childrenOf(Deno.pid)) Deno.kill(pid, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 100));
  // whoever asks next is told, or does not even notice
  await act(pool, "e").catch((error) => {
    assert(SandboxError.is(error, "process-failed"), String(error));
  });
  await act(pool, "e");
  assertEquals(childrenOf(Deno.pid).length, 1);
});

Deno.test("GuestPool.create() reads once what guests are made from", async () => {
  const path = await Deno.makeTempFile({ suffix: ".wasm" });
  await Deno.writeFile(path, await actorModule());
  const policy = [Capabilities.clock()];
  const limits = { fuel: 1_000_000 };
  await using pool = await GuestPool.create({
    module: path,
    policy,
    limits,
    maxInstances: 2,
  });
  await Deno.remove(path);
  policy.push(...Capabilities.program() as never[]);
  limits.fuel = 1;
  const seen: Sandbox[] = [];
  await pool.use((first) =>
    pool.use(async (second) => {
      seen.push(first, second);
      await second.call("echo", 1);
    })
  );
  assertEquals(new Set(seen).size, 2);
  for (const { policy, limits } of seen) {
    assertEquals(policy.capabilities.map(({ type }) => type), ["clock"]);
    assertEquals(limits.fuel, 1_000_000);
  }
});

Deno.test("GuestPool.create() refuses what it does not know, all at once", async () => {
  const error = await assertRejects(
    () => open({ maxInstance: 1, maxInstances: 0, maxWaiting: -1 } as never),
    TypeError,
  );
  for (const name of ["maxInstance ", "maxInstances", "maxWaiting"]) {
    assert(error.message.includes(name), error.message);
  }
  await assertRejects(() => open({ maxInstances: 1e300 }), TypeError);
});

Deno.test("GuestPool.use() keeps nothing of 10,000 calls, of which some fail", async () => {
  await using pool = await open({ limits: { timeoutMs: 1_000 } });
  const round = async (times: number) => {
    for (let turn = 0; turn < times; turn++) {
      const text = turn % 100 === 0 ? "t" : "e";
      await act(pool, text).catch((error) => {
        assertInstanceOf(error, SandboxError);
      });
    }
  };
  await round(2_000);
  const before = Deno.memoryUsage().rss;
  await round(10_000);
  const grown = Deno.memoryUsage().rss - before;
  assertLess(grown, 64 * 2 ** 20);
  assert(pool.stats().instances <= 2);
});
