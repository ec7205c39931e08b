import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Sandbox, SandboxError } from "../../mod.ts";
import { fakeGuest } from "../../testing/mod.ts";

Deno.test("fakeGuest() replies with JSON, bytes and the request", async () => {
  const long = { text: "é".repeat(100_000) };
  const module = fakeGuest({
    short: { reply: [1, null] },
    long: { reply: long },
    bytes: { bytes: Uint8Array.of(0, 255) },
    copy: "echo",
  });
  await using sandbox = await Sandbox.create({ module });
  assertEquals(await sandbox.call("short", {}), [1, null]);
  assertEquals(await sandbox.call("long", {}), long);
  assertEquals(
    await sandbox.call("bytes", new Uint8Array()),
    Uint8Array.of(0, 255),
  );
  assertEquals(await sandbox.call("copy", long), long);
  const large = new Uint8Array(2 ** 20).fill(7);
  assertEquals(await sandbox.call("copy", large), large);
});

Deno.test("fakeGuest() fails, traps and never ends", async () => {
  const module = fakeGuest({
    refuse: { fail: "it is closed" },
    crash: "trap",
    spin: "loop",
    other: { fail: "no" },
  });
  await using sandbox = await Sandbox.create({
    module,
    instance: "fresh",
    limits: { timeoutMs: 100 },
  });
  for (
    const [name, code, text] of [
      ["refuse", "guest-error", "it is closed"],
      ["other", "guest-error", "no"],
      ["crash", "trap", "crash"],
      ["spin", "limit-exceeded", "timeoutMs"],
    ] as const
  ) {
    const error = await assertRejects(
      () => sandbox.call(name, {}),
      SandboxError,
      text,
    );
    assertEquals(error.code, code);
  }
});

Deno.test("fakeGuest() does at its start what it is told", async () => {
  for (const start of ["loop", "trap"] as const) {
    const error = await assertRejects(async () => {
      await using sandbox = await Sandbox.create({
        module: fakeGuest({ handle: "echo" }, { start }),
        limits: { timeoutMs: 100 },
      });
      await sandbox.call("handle", {});
    }, SandboxError);
    assertEquals(error.code, start === "loop" ? "limit-exceeded" : "trap");
  }
});

Deno.test("fakeGuest() has as many pages as it is given", async () => {
  const { instance } = await WebAssembly.instantiate(
    fakeGuest({ handle: "echo" }, { pages: 200 }),
  );
  const { memory } = instance.exports;
  assert(memory instanceof WebAssembly.Memory);
  assertEquals(memory.buffer.byteLength, 200 * 65_536);
});

Deno.test("fakeGuest() refuses replies that are no JSON", () => {
  assertThrows(() => fakeGuest({ f: { reply: undefined } }), TypeError, "of f");
});
