import { assert, assertEquals, assertRejects } from "@std/assert";
import { V8Runtime } from "../../runtime/mod.ts";
import { assembleGuests } from "../../testing/build_guests.ts";
import { type RuntimeSuiteOptions, testRuntime } from "../../testing/mod.ts";
import { broken } from "./_broken.ts";

async function namesOf(
  options: RuntimeSuiteOptions = {},
  runtime = () => broken({}),
): Promise<string[]> {
  const names: string[] = [];
  await testRuntime("V8", runtime, {
    ...options,
    test: (name) => void names.push(name),
  });
  return names;
}

Deno.test("_runtime_guests.ts is what guests/ is assembled to", async () => {
  const url = new URL("../../testing/_runtime_guests.ts", import.meta.url);
  const squeeze = (text: string) => text.replaceAll(/[\s"+,]/g, "");
  assertEquals(
    squeeze(await Deno.readTextFile(url)),
    squeeze(await assembleGuests()),
  );
});

Deno.test("testRuntime() names each case once, and each place", async () => {
  const names = await namesOf();
  assertEquals(new Set(names).size, names.length);
  for (const place of ["directly", "inline", "in a process"]) {
    const some = names.filter((name) => name.startsWith(`V8 ${place} `));
    assert(some.length > 50, `${place}: ${some.length}`);
  }
});

Deno.test("testRuntime() runs guests in the wanted isolations only", async () => {
  const names = await namesOf({ isolations: ["process"] });
  assert(!names.some((name) => name.startsWith("V8 inline ")));
  assert(names.some((name) => name.startsWith("V8 in a process ")));
  assertEquals(
    (await namesOf({ isolations: ["inline", "process"] })).length,
    (await namesOf()).length,
  );
});

Deno.test("testRuntime() asks commands alone of a runtime without calls", async () => {
  const commandsOnly = () =>
    broken({
      features: (features) => ({
        ...features,
        calls: false,
        isolations: ["process"],
      }),
    });
  const names = await namesOf({}, commandsOnly);
  assert(!names.some((name) => name.startsWith("V8 directly ")));
  assert(names.includes("V8 in a process gives the exit code"));
  assert(!names.includes("V8 in a process takes and gives every i32"));
});

Deno.test("testRuntime() disposes every runtime that it opens", async () => {
  let alive = 0;
  const open = () => {
    alive++;
    const v8 = new V8Runtime();
    const dispose = v8[Symbol.asyncDispose].bind(v8);
    v8[Symbol.asyncDispose] = () => {
      alive--;
      return dispose();
    };
    return v8;
  };
  const runs: (() => Promise<void>)[] = [];
  await testRuntime("V8", open, {
    test: (name, run) => {
      if (name === "V8 directly takes and gives every i32") runs.push(run);
    },
  });
  assertEquals(alive, 0);
  for (const run of runs) await run();
  assertEquals(runs.length, 1);
  assertEquals(alive, 0);
});

Deno.test("testRuntime() fails at once if the runtime cannot be opened", async () => {
  await assertRejects(
    () => testRuntime("It", () => Promise.reject(new Error("not here"))),
    Error,
    "not here",
  );
});
