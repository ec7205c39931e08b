import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import type { StandardSchemaV1 } from "../../communication/mod.ts";
import { SandboxError } from "../../errors.ts";
import {
  CUSTOM,
  CustomWrapper,
  type CustomWrapperConfig,
} from "../../wrappers/custom_wrapper.ts";
import { openManifest } from "../../wrappers/manifest/mod.ts";
import { WrapperFactory } from "../../wrappers/mod.ts";
import { guestOf } from "../../testing/_wrapper_guest.ts";
import { actorModule } from "./_guests.ts";

async function open(
  given: Partial<CustomWrapperConfig> = {},
): Promise<CustomWrapper> {
  return await CustomWrapper.create({
    module: await actorModule(),
    entryPoint: "act",
    timeoutMs: 200,
    ...given,
  });
}

/** A schema of any library would do. */
const NUMBER: StandardSchemaV1<unknown, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "number"
        ? { value }
        : { issues: [{ message: "must be a number" }] },
  },
};

Deno.test("CustomWrapper.processRequest() gives what the guest answers", async () => {
  await using wrapper = await open({ entryPoint: "echo" });
  const request = { text: "é", list: [1, null, { deep: true }] };
  assertEquals(await wrapper.processRequest(request), request);
  const bytes = Uint8Array.of(1, 2, 3);
  assertEquals(await wrapper.processRequest<Uint8Array>(bytes), bytes);
  assertEquals(await wrapper.processRequest(7, { reply: NUMBER }), 7);
});

Deno.test("CustomWrapper.processRequest() refuses a reply that is not as the schema says", async () => {
  await using wrapper = await open({ entryPoint: "echo" });
  const error = await assertRejects(
    () => wrapper.processRequest("seven", { reply: NUMBER }),
    SandboxError,
    "must be a number",
  );
  assert(SandboxError.is(error, "guest-protocol"));
  assertEquals(error.details.export, "echo");
  await assertRejects(
    () => wrapper.processRequest(7, { reply: {} as never }),
    TypeError,
    "Standard Schema",
  );
  assertEquals(await wrapper.processRequest(8, { reply: NUMBER }), 8);
});

Deno.test("CustomWrapper.performOperation() gives the result of the reply", async () => {
  const reply = (text: string) =>
    guestOf({ entry: "process", reply: JSON.parse(text), others: {} });
  const perform = async (text: string) => {
    await using wrapper = await CustomWrapper.create({
      module: reply(text),
      entryPoint: "process",
    });
    return await wrapper.performOperation("data");
  };
  assertEquals(await perform('{"result":"done","status":"ok"}'), "done");
  for (const bad of ["null", "7", '"result"', "[]", "{}", '{"result":7}']) {
    const error = await assertRejects(() => perform(bad), SandboxError);
    assertEquals(error.code, "guest-protocol");
  }
});

Deno.test("CustomWrapper.performOperation() sends data and operation", async () => {
  await using wrapper = await CustomWrapper.create({
    module: "examples/wrappers/formula.wasm",
    entryPoint: "process",
  });
  assertEquals(await wrapper.performOperation("1 + 2 * 3"), "7");
});

Deno.test("CustomWrapper.processRequest() tells each failure, and goes on", async () => {
  for (const isolation of ["inline", "process"] as const) {
    await using wrapper = await open({ isolation, timeoutMs: 500 });
    for (const [text, code] of FAILURES) {
      const error = await assertRejects(
        () => wrapper.processRequest(text),
        SandboxError,
      );
      assertEquals(error.code, code, text);
      assertEquals(await wrapper.processRequest("e"), "e");
    }
    await assertRejects(() => wrapper.processRequest(1n), TypeError);
  }
});

/** What a guest does by the letter, and what comes of it. */
const FAILURES = [
  ["s", "limit-exceeded"],
  ["t", "trap"],
  ["g", "trap"],
  ["l", "guest-protocol"],
  ["j", "guest-protocol"],
] as const;

Deno.test("CustomWrapper.processRequest() counts the wait for a guest", async () => {
  await using wrapper = await open({
    isolation: "process",
    maxConcurrentRequests: 1,
    timeoutMs: 1_000,
  });
  const first = wrapper.processRequest("s");
  const second = wrapper.processRequest("e", { timeoutMs: 100 });
  const error = await assertRejects(() => second, SandboxError);
  assert(SandboxError.is(error, "timed-out"));
  assertEquals(error.details.timeoutMs, 100);
  const late = await assertRejects(() => first, SandboxError);
  assertEquals(late.code, "limit-exceeded");
  for (const timeoutMs of [0, -1, NaN]) {
    await assertRejects(
      () => wrapper.processRequest("e", { timeoutMs }),
      TypeError,
    );
  }
  assertEquals(wrapper.stats().waiting, 0);
});

Deno.test("CustomWrapper.processRequest() keeps its bounds", async () => {
  await using wrapper = await open({
    isolation: "process",
    maxConcurrentRequests: 1,
    maxQueuedRequests: 2,
    timeoutMs: 5_000,
  });
  const taken = ["w", "e", "e"].map((text) => wrapper.processRequest(text));
  const error = await assertRejects(
    () => wrapper.processRequest("e"),
    SandboxError,
  );
  assertEquals(error.code, "overloaded");
  assertEquals(await Promise.all(taken), ["w", "e", "e"]);
});

Deno.test("CustomWrapper.processRequest() can be given up", async () => {
  await using wrapper = await open({
    isolation: "process",
    maxConcurrentRequests: 1,
    timeoutMs: 60_000,
  });
  const reason = new Error("no more");
  const controller = new AbortController();
  const { signal } = controller;
  const running = wrapper.processRequest("s", { signal });
  const waiting = wrapper.processRequest("e", { signal });
  setTimeout(() => controller.abort(reason), 100);
  const ends = [running, waiting].map((each) => assertRejects(() => each));
  assertEquals(await Promise.all(ends), [reason, reason]);
  assertEquals(await wrapper.processRequest("e"), "e");
});

Deno.test("CustomWrapper.create() refuses an entry point that is none", async () => {
  const misspelt = await assertRejects(
    () => open({ entryPoint: "ecko" }),
    SandboxError,
  );
  assert(SandboxError.is(misspelt, "export-not-found"));
  assertEquals(misspelt.details.suggestion, "echo");
  await assertRejects(() => open({ entryPoint: "memory" }), SandboxError);
  await assertRejects(() => open({ entryPoint: "" }), TypeError, "entryPoint");
});

Deno.test("CustomWrapper.create() takes limits and policy, and no others", async () => {
  await using wrapper = await open({
    limits: { timeoutMs: 50 },
    timeoutMs: 60_000,
  });
  const start = performance.now();
  await assertRejects(() => wrapper.processRequest("s"), SandboxError);
  assertLess(performance.now() - start, 5_000);
});

Deno.test("CUSTOM is a section of a manifest", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.writeFile(`${directory}/guest.wasm`, await actorModule());
  const manifest = `${directory}/service.yaml`;
  await Deno.writeTextFile(
    manifest,
    "version: 1\ncustom: { module: guest.wasm, entryPoint: echo, timeoutMs: 2s }\n",
  );
  await using wrapper = await openManifest(manifest);
  await Deno.remove(directory, { recursive: true });
  assert(wrapper instanceof CustomWrapper);
  assertEquals(await wrapper.processRequest("hello"), "hello");
  assertEquals((await new WrapperFactory().create("custom")).type, CUSTOM.type);
});
