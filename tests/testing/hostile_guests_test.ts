import { assert, assertEquals, assertRejects } from "@std/assert";
import { Sandbox } from "../../mod.ts";
import { HOSTILE_GUESTS, testHostileGuests } from "../../testing/mod.ts";

testHostileGuests(
  "Sandbox inline",
  (guest) => Sandbox.create({ ...guest, limits: { timeoutMs: 300 } }),
);

testHostileGuests("Sandbox in a process", (guest) =>
  Sandbox.create({
    ...guest,
    isolation: "process",
    limits: { timeoutMs: 1_000 },
  }));

Deno.test("testHostileGuests() registers a test for each guest", () => {
  const names: string[] = [];
  testHostileGuests("it", () => Promise.reject(new Error("never")), {
    test: (name) => void names.push(name),
  });
  assertEquals(
    names,
    Object.keys(HOSTILE_GUESTS).map((each) => `it contains ${each}`),
  );
  assert(names.length > 10);
});

Deno.test("testHostileGuests() fails where a guest is not contained", async () => {
  const failures = new Map<string, () => Promise<void>>();
  const answer = { call: () => Promise.resolve("ok") };
  const broken = Object.assign(answer, {
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  testHostileGuests("it", () => Promise.resolve(broken as unknown as Sandbox), {
    test: (name, run) => void failures.set(name, run),
  });
  for (const name of ["endless-loop", "trap", "bad-reply", "recursion"]) {
    const run = failures.get(`it contains ${name}`);
    await assertRejects(async () => await run?.(), Error, "it ended well");
  }
});

Deno.test("testHostileGuests() fails where sandboxes cannot be made", async () => {
  const runs: (() => Promise<void>)[] = [];
  testHostileGuests("it", () => Promise.reject(new Error("no such thing")), {
    test: (_name, run) => void runs.push(run),
  });
  for (const run of runs) await assertRejects(run, Error, "no such thing");
});
