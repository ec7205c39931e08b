import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import { SandboxError } from "../../errors.ts";
import { bytesOf } from "./_hand.ts";
import { Host, schema } from "./_host.ts";

Deno.test("maxCalls ends the guest, and is shown by usage()", async () => {
  const host = new Host({
    functions: { f: { handler: () => 1, maxCalls: 2 }, g: () => 2 },
  });
  const name = "hostFunctions.f.maxCalls";
  assertEquals(host.services.usage(), { [name]: { allowed: 2, used: 0 } });
  await host.call("f");
  await host.call("f");
  await host.call("g");
  const error = await assertRejects(() => host.call("f"), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, name);
  assertEquals(host.services.usage(), { [name]: { allowed: 2, used: 2 } });
});

Deno.test("timeoutMs ends the wait, and aborts the function", async () => {
  let reason: unknown;
  const host = new Host({
    functions: {
      f: {
        timeoutMs: 20,
        handler: (_, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              reason = signal.reason;
              // what comes late is told to nobody
              reject(signal.reason);
            });
          }),
      },
    },
  });
  const fault = await assertRejects(() => host.call("f"), GuestFault);
  assertEquals(fault.status, "timed-out");
  assert(SandboxError.is(reason, "timed-out"));
  assertEquals(host.errors, []);
});

Deno.test("end() aborts functions that never answer", async () => {
  const signals: AbortSignal[] = [];
  const host = new Host({
    functions: {
      f: (_, { signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    },
  });
  const [first, second] = [host.begin(), host.begin()];
  const waiting = Promise.resolve(first.call("f", bytesOf("1")));
  const other = Promise.resolve(second.call("f", bytesOf("1")));
  const reason = new Error("deadline");
  await first.end(reason);
  const fault = await assertRejects(() => waiting, GuestFault);
  assertEquals(fault.status, "closed");
  assert(signals[0]?.reason === reason);
  assertEquals(signals[1]?.aborted, false);
  assertThrows(() => first.call("f", bytesOf("1")), GuestFault, "is over");
  await second.end();
  await assertRejects(() => other, GuestFault);
  assertEquals(signals[1]?.aborted, true);
});

Deno.test("end() keeps a function from running after its schema", async () => {
  const looked = Promise.withResolvers<{ value: number }>();
  let runs = 0;
  const host = new Host({
    functions: {
      f: { input: schema(() => looked.promise), handler: () => ++runs },
    },
  });
  const services = host.begin();
  const waiting = Promise.resolve(services.call("f", bytesOf("1")));
  await services.end();
  await assertRejects(() => waiting, GuestFault);
  looked.resolve({ value: 1 });
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(runs, 0);
});

Deno.test("onHostFunctionError() may throw", async () => {
  const onHostFunctionError: (() => unknown)[] = [
    () => {
      throw new Error("report");
    },
    () => Promise.reject(new Error("report")),
  ];
  for (const each of onHostFunctionError) {
    const host = new Host({
      functions: { f: () => Promise.reject(new Error("no")) },
      onHostFunctionError: each,
    });
    const fault = await assertRejects(() => host.call("f"), GuestFault);
    assertEquals(fault.status, "failed");
  }
});
