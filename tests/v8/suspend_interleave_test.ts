import { assert, assertEquals } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { V8Runtime } from "../../runtime/mod.ts";
import type { Instance } from "../../runtime/types.ts";
import { assertAtRest, busy, failure, later, never, waiter } from "./_waits.ts";

/** A host function whose promises the test settles. */
class Gate {
  readonly #resolve: ((value: number) => void)[] = [];
  readonly wait = (): Promise<number> =>
    new Promise((resolve) => this.#resolve.push(resolve));

  /** Settles the oldest promise. */
  open(value = 1): void {
    this.#resolve.shift()?.(value);
  }
}

/** How a call has failed. */
function codeOf(error: unknown): string {
  if (SandboxError.is(error)) return error.code;
  return error instanceof Error ? error.name : String(error);
}

/** Runs something after so many microtasks. */
async function microtasks(count: number): Promise<void> {
  for (let k = 0; k < count; k++) await undefined;
}

Deno.test("a guest that traps after a wait stops no guest that runs before its call knows", async () => {
  await using runtime = new V8Runtime();
  const other = await waiter(runtime, {}, { timeoutMs: 10_000 });
  for (let count = 0; count < 8; count++) {
    const gate = new Gate();
    const trapping = await waiter(runtime, gate, { timeoutMs: 40 });
    const ended = trapping.call("wait_then_trap", [1]).then(
      () => "returned",
      codeOf,
    );
    gate.open();
    await microtasks(count);
    // past the deadline of the one that has trapped, or is about to go on
    busy(60);
    const start = performance.now();
    assertEquals(other.callSync("plain", [1]), 2);
    assertEquals(await other.call("wait", [2]), 2);
    assert(performance.now() - start < 1_000);
    assert(["trap", "limit-exceeded"].includes(await ended));
    await assertAtRest();
  }
});

Deno.test("a guest that is resumed while another has just trapped runs under its own deadline", async () => {
  await using runtime = new V8Runtime();
  const gates = [new Gate(), new Gate()] as const;
  const trapping = await waiter(runtime, gates[0], { timeoutMs: 5_000 });
  const spinning = await waiter(runtime, gates[1], { timeoutMs: 100 });
  const calls = [
    failure(trapping.call("wait_then_trap", [1]), "trap"),
    failure(spinning.call("wait_then_spin", [1]), "limit-exceeded"),
  ];
  const start = performance.now();
  gates[0].open();
  gates[1].open();
  await Promise.all(calls);
  assert(performance.now() - start < 2_000);
  await assertAtRest();
});

Deno.test("guests that wait go on in any order, each with its own result", async () => {
  await using runtime = new V8Runtime();
  const guests = await Promise.all(
    Array.from({ length: 50 }, () =>
      waiter(runtime, {
        wait: (n: number) => n % 7 === 0 ? n : later(n * 13 % 11, n),
      })),
  );
  const results = await Promise.all(
    guests.map((guest, index) => guest.call("many", [5 + index % 9])),
  );
  results.forEach((result, index) => {
    const n = 5 + index % 9;
    assertEquals(result, n * (n + 1) / 2);
  });
  await assertAtRest();
});

Deno.test("50 guests of all kinds end as each must, whatever the others do", async () => {
  await using runtime = new V8Runtime();
  const kinds = [
    ["wait", "returned"],
    ["wait_then_trap", "trap"],
    ["wait_then_spin", "limit-exceeded"],
    ["wait_then_deep", "limit-exceeded"],
    ["now_then_trap", "trap"],
  ] as const;
  const guests = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const [name, outcome] = kinds[index % kinds.length] ?? ["", ""];
      // one of those that spin at a time holds up all others
      const timeoutMs = name === "wait_then_spin" ? 20 : 20_000;
      const wait = (n: number) => later(n % 3, n);
      const guest = await waiter(runtime, { wait }, { timeoutMs });
      return { guest, name, outcome, index };
    }),
  );
  await Promise.all(guests.map(async ({ guest, name, outcome, index }) => {
    const ended = await guest.call(name, [index]).then(
      () => "returned",
      codeOf,
    );
    assertEquals(`${name} ${ended}`, `${name} ${outcome}`);
  }));
  await assertAtRest();
});

Deno.test("a guest's host function may call other guests, before and after a wait", async () => {
  await using runtime = new V8Runtime();
  const inner = await waiter(runtime, { wait: (n: number) => later(1, n) });
  const trapping = await waiter(runtime, { wait: () => Promise.resolve(1) });
  const outer = await waiter(runtime, {
    wait: (n: number) => inner.call("many", [n]) as Promise<number>,
    now(n: number) {
      // a nested guest that traps at once, and one that returns
      trapping.callSync("plain", [1]);
      void trapping.call("wait_then_trap", [1]).catch(() => {});
      const other = inner.callSync("plain", [n]);
      return Number(other);
    },
  });
  assertEquals(await outer.call("wait_then_now", [4]), 11);
  await assertAtRest();
});

Deno.test("a nested guest that is late after a wait does not end the one around it", async () => {
  await using runtime = new V8Runtime();
  const spinning = await waiter(runtime, {}, { timeoutMs: 50 });
  const codes: unknown[] = [];
  const outer = await waiter(runtime, {
    wait: (n: number) => later(1, n),
    now(n: number) {
      try {
        spinning.callSync("wait_then_spin", [1]);
      } catch (error) {
        codes.push(SandboxError.is(error) && error.code);
      }
      return n;
    },
  }, { timeoutMs: 5_000 });
  assertEquals(await outer.call("wait_then_now", [4]), 4);
  assertEquals(codes, ["limit-exceeded"]);
  await assertAtRest();
});

Deno.test("a deadline around a guest that begins to wait ends the outer one only", async () => {
  await using runtime = new V8Runtime();
  const gate = new Gate();
  const inner = await waiter(runtime, gate, { timeoutMs: 5_000 });
  let waiting: Promise<unknown> = Promise.resolve();
  const outer = await waiter(runtime, {
    now(n: number) {
      waiting = inner.call("wait", [7]);
      busy(100);
      return n;
    },
  }, { timeoutMs: 50 });
  await failure(outer.call("now", [1]), "limit-exceeded");
  gate.open(9);
  assertEquals(await waiting, 9);
  await assertAtRest();
});

Deno.test("a guest that finishes at its very deadline is late or in time, and all stays in order", async () => {
  await using runtime = new V8Runtime();
  const other = await waiter(runtime, {}, { timeoutMs: 10_000 });
  const ends = new Set<string>();
  for (let k = 0; k < 40; k++) {
    const timeoutMs = 20;
    const guest = await waiter(runtime, {
      wait: () => later(timeoutMs - 2 + k % 5, 1),
    }, { timeoutMs });
    const end = guest.call("wait_then_spend", [1 + k * 20_000]).then(
      () => "returned",
      codeOf,
    );
    ends.add(await end);
    assertEquals(other.callSync("plain", [k]), k + 1);
    await assertAtRest();
  }
  // for the timers of those that were late
  await later(30, 0);
  for (const end of ends) assert(["returned", "limit-exceeded"].includes(end));
});

Deno.test("what a promise comes to after its call is over is nobody's", async () => {
  await using runtime = new V8Runtime();
  const rejects: ((reason: unknown) => void)[] = [];
  const wait = () => new Promise<number>((_, reject) => rejects.push(reject));
  const late = await waiter(runtime, { wait }, { timeoutMs: 20 });
  await failure(late.call("wait", [1]), "limit-exceeded");
  const disposed = await waiter(runtime, { wait });
  const waiting = failure(disposed.call("wait", [1]), "disposed");
  await disposed[Symbol.asyncDispose]();
  await waiting;
  for (const reject of rejects) reject(new Error("nobody listens"));
  await later(5, 0);
  await assertAtRest();
});

Deno.test("a guest disposed in the moment between promise and resumption is ended", async () => {
  await using runtime = new V8Runtime();
  for (let count = 0; count < 6; count++) {
    const gate = new Gate();
    const guest = await waiter(runtime, gate);
    const outcome = guest.call("wait_then_spend", [10]).then(
      () => "returned",
      codeOf,
    );
    gate.open();
    await microtasks(count);
    await guest[Symbol.asyncDispose]();
    assert(["returned", "disposed"].includes(await outcome));
  }
  // the first of them for certain
  const gate = new Gate();
  const guest = await waiter(runtime, gate);
  const ended = failure(guest.call("wait_then_spin", [1]), "disposed");
  gate.open();
  await guest[Symbol.asyncDispose]();
  await ended;
  await assertAtRest();
});

Deno.test("calls that never get their answer leave nothing behind", async () => {
  await using runtime = new V8Runtime();
  const promises: Promise<number>[] = [];
  const wait = () => {
    const promise = never();
    // the host keeps them all
    promises.push(promise);
    return promise;
  };
  const kept: Instance[] = [];
  async function round(count: number): Promise<void> {
    const guests = await Promise.all(
      Array.from({ length: count }, () => waiter(runtime, { wait })),
    );
    const calls = guests.map((guest) =>
      failure(guest.call("wait", [1]), "disposed")
    );
    for (const guest of guests) await guest[Symbol.asyncDispose]();
    await Promise.all(calls);
    // a dead instance holds no memory
    kept.push(...guests);
  }
  await round(200);
  const before = Deno.memoryUsage().rss;
  for (let k = 0; k < 10; k++) await round(200);
  const growth = Deno.memoryUsage().rss - before;
  // 2,000 guests of 64 KiB, with stacks, would be several hundred MiB
  assert(growth < 96 * 2 ** 20, `${growth} bytes`);
  assertEquals([promises.length, kept.length], [2_200, 2_200]);
  await assertAtRest();
});

Deno.test("calls that may wait leave all in order at any depth of the host's stack", async () => {
  await using runtime = new V8Runtime();
  for (const wait of [(n: number) => n, (n: number) => Promise.resolve(n)]) {
    const guests = await Promise.all(
      Array.from({ length: 150 }, () => waiter(runtime, { wait })),
    );
    const ends: Promise<string>[] = [];
    let frame = 0;
    const descend = (): void => {
      try {
        descend();
      } catch {
        // near the end of the stack some frames on the way up try a call
      }
      const guest = guests[ends.length];
      if (guest === undefined || frame++ % 25 > 0) return;
      try {
        ends.push(guest.call("wait", [7]).then(String, codeOf));
      } catch {
        // no room for even that
      }
    };
    descend();
    const counts = new Map<string, number>();
    for (const end of await Promise.all(ends)) {
      counts.set(end, (counts.get(end) ?? 0) + 1);
    }
    assertEquals(ends.length, 150);
    for (const end of counts.keys()) {
      assert(["7", "limit-exceeded", "RangeError"].includes(end), end);
    }
    assert((counts.get("7") ?? 0) > 0, JSON.stringify([...counts]));
    await assertAtRest();
    // none of them may be stuck
    for (const guest of guests) {
      const end = await guest.call("plain", [1]).then(String, codeOf);
      assert(["2", "instance-dead"].includes(end), end);
    }
  }
});
