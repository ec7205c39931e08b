import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import {
  type HostFunctionContext,
  hostFunctionProblems,
  type HostFunctions,
} from "../../communication/host_functions.ts";
import type { StandardSchemaV1 } from "../../communication/standard_schema.ts";
import { SandboxError } from "../../errors.ts";
import { bytesOf } from "./_hand.ts";
import { Host, schema, text } from "./_host.ts";

/** What is thrown at a guest that calls `f`. */
async function faultOf(
  functions: HostFunctions,
  input = "null",
): Promise<{ fault: GuestFault; host: Host }> {
  const host = new Host({ functions });
  const fault = await assertRejects(() => host.call("f", input), GuestFault);
  return { fault, host };
}

const length = schema((value) =>
  typeof value === "string"
    ? { value: value.length }
    : { issues: [{ message: "must be a string" }] }
);

Deno.test("hostFunctions answers with JSON, at once and later", async () => {
  const host = new Host({
    functions: {
      now: (input) => ({ got: input }),
      later: async (input) => (await Promise.resolve(), [input]),
      nothing: () => {},
      thenable: () => ({
        then: (done: (value: unknown) => void) => done("then"),
      }),
    },
  });
  const services = host.begin();
  const now = services.call("now", bytesOf('{"a":[1,"é"]}'));
  assert(now instanceof Uint8Array, "no promise");
  assertEquals(text(now), '{"got":{"a":[1,"é"]}}');
  assertEquals(await host.call("later", "1"), "[1]");
  assertEquals(await host.call("nothing"), "null");
  assertEquals(await host.call("thenable"), '"then"');
  await services.end();
});

Deno.test("hostFunctions takes bytes as they are", async () => {
  const host = new Host({
    functions: {
      turn: {
        codec: "bytes",
        handler: (input: Uint8Array) => input.toReversed(),
      },
      shared: {
        codec: "bytes",
        handler: () => new Uint8Array(new SharedArrayBuffer(2)),
      },
      text: { codec: "bytes", handler: () => "text" },
    },
  });
  assertEquals(await host.call("turn", Uint8Array.of(99, 98)), "bc");
  const shared = await host.begin().call("shared", new Uint8Array());
  assert(shared.buffer instanceof ArrayBuffer);
  await assertRejects(() => host.call("text"), GuestFault, "function failed");
  assertStringIncludes(String(host.errors[0]?.cause), "no Uint8Array");
});

Deno.test("hostFunctions finds no name on a prototype", async () => {
  const host = new Host({ functions: { f: () => 1 } });
  for (const name of ["__proto__", "constructor", "toString", "", "F", "f "]) {
    const fault = await assertRejects(() => host.call(name), GuestFault);
    assertEquals(fault.status, "unknown");
  }
});

Deno.test("hostFunctions hands no function what is not JSON", async () => {
  const host = new Host({ functions: { f: () => 1 } });
  const wrong = [
    "",
    "{",
    "undefined",
    "NaN",
    "1 2",
    "\ufeff1",
    "[".repeat(100_000) + "]".repeat(100_000),
    '{"a":'.repeat(600) + "1" + "}".repeat(600),
    Uint8Array.of(0x22, 0xff, 0x22),
  ];
  for (const input of wrong) {
    const fault = await assertRejects(() => host.call("f", input), GuestFault);
    assertEquals(fault.status, "invalid");
  }
  // brackets within text do not nest
  const flat = JSON.stringify('["\\'.repeat(10_000));
  assertEquals(await host.call("f", flat), "1");
  assertEquals(host.errors, []);
});

Deno.test("hostFunctions hands on __proto__ as a key like any other", async () => {
  const host = new Host({
    functions: {
      f: (input: object) => [
        Object.keys(input),
        Object.getPrototypeOf(input) === Object.prototype,
        "polluted" in {},
      ],
    },
  });
  assertEquals(
    await host.call("f", '{"__proto__":{"polluted":1}}'),
    '[["__proto__"],true,false]',
  );
});

Deno.test("hostFunctions tells a fault to the guest, and nothing to the host", async () => {
  for (const later of [false, true]) {
    const { fault, host } = await faultOf({
      f: () => {
        const fault = new GuestFault("closed", "gone", { code: "mine" });
        if (later) return Promise.reject(fault);
        throw fault;
      },
    });
    assertEquals([fault.status, fault.code, fault.message], [
      "closed",
      "mine",
      "gone",
    ]);
    assertEquals(host.errors, []);
  }
});

Deno.test("hostFunctions tells the guest nothing of other errors", async () => {
  const secret = new Error("password: 1234");
  const then = {
    get then(): never {
      throw secret;
    },
  };
  const all: HostFunctions[] = [
    {
      f: () => {
        throw secret;
      },
    },
    { f: () => Promise.reject(secret) },
    { f: () => then },
    { f: () => Promise.resolve(then) },
    {
      f: () => ({
        then: (_: unknown, fail: (error: unknown) => void) => fail(secret),
      }),
    },
    {
      f: () => ({
        toJSON: () => {
          throw secret;
        },
      }),
    },
    {
      f: {
        handler: () => 1,
        input: schema(() => {
          throw secret;
        }),
      },
    },
    { f: { handler: () => 1, output: schema(() => Promise.reject(secret)) } },
    {
      f: {
        handler: () => 1,
        capability: () => {
          throw secret;
        },
      },
    },
  ];
  for (const functions of all) {
    const { fault, host } = await faultOf(functions);
    assertEquals(fault.status, "failed");
    assertEquals(fault.message, "the host function failed");
    assertEquals(fault.data, undefined);
    assertEquals(host.errors.length, 1);
    const [error] = host.errors;
    assertEquals(error?.details.import, { module: "wasm_sandbox", name: "f" });
    assertStringIncludes(String(error?.message), "1234");
  }
});

Deno.test("hostFunctions survives what is thrown instead of an error", async () => {
  const odd = new Proxy(new Error("odd"), {
    get() {
      throw new Error("trap");
    },
    getPrototypeOf() {
      throw new Error("trap");
    },
  });
  for (const thrown of [undefined, null, 1n, Symbol("a"), "text", {}, odd]) {
    const { fault, host } = await faultOf({
      f: () => {
        throw thrown;
      },
    });
    assertEquals(fault.status, "failed");
    assert(host.errors[0]?.cause === thrown);
  }
});

Deno.test("hostFunctions refuses answers that JSON cannot hold", async () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (
    const answer of [NaN, 1n, cycle, () => 1, Symbol("a"), { a: -Infinity }]
  ) {
    const { fault, host } = await faultOf({ f: () => answer });
    assertEquals(fault.status, "failed");
    assertStringIncludes(
      String(host.errors[0]?.cause),
      "Cannot send the answer",
    );
  }
});

Deno.test("hostFunctions refuses answers that are too long", async () => {
  const host = new Host({
    functions: { f: (input: number) => "x".repeat(input) },
    limits: { messageBytes: 10 },
  });
  assertEquals(await host.call("f", "8"), `"${"x".repeat(8)}"`);
  const fault = await assertRejects(() => host.call("f", "9"), GuestFault);
  assertEquals(fault.status, "too-large");
  // a child could have sent more than its guest may
  const long = await assertRejects(
    () => host.call("f", " ".repeat(11)),
    GuestFault,
  );
  assertEquals(long.status, "too-large");
});

Deno.test("hostFunctions holds input and answer against schemas", async () => {
  const later = schema(async (value) => {
    await Promise.resolve();
    return Number(value) < 4
      ? { value: `${value}` }
      : { issues: [{ message: "too much" }] };
  });
  const seen: unknown[] = [];
  const host = new Host({
    functions: {
      f: {
        input: length,
        output: later as StandardSchemaV1<number, string>,
        handler: (input: number) => (seen.push(input), input),
      },
    },
  });
  assertEquals(await host.call("f", '"abc"'), '"3"');
  const fault = await assertRejects(() => host.call("f", "[1]"), GuestFault);
  assertEquals(fault.status, "invalid");
  assertStringIncludes(fault.message, "must be a string");
  assertEquals(seen, [3]);
  assertEquals(host.errors, []);
  const failed = await assertRejects(
    () => host.call("f", '"abcd"'),
    GuestFault,
  );
  assertEquals(failed.message, "the host function failed");
  assertStringIncludes(String(host.errors[0]?.cause), "too much");
});

Deno.test("hostFunctions are governed once a policy names some", async () => {
  const calls: string[] = [];
  const note = (_: unknown, { name }: HostFunctionContext) => {
    calls.push(name);
  };
  const host = new Host({
    functions: { a: note, b: note },
    policy: [{
      type: "host_functions",
      functions: ["a", "c"],
      maxCalls: { a: 2 },
    }],
  });
  await host.call("a");
  const denied = await assertRejects(() => host.call("b"), GuestFault);
  assertEquals(denied.status, "denied");
  const unknown = await assertRejects(() => host.call("c"), GuestFault);
  assertEquals(unknown.status, "unknown");
  await host.call("a");
  const limit = await assertRejects(() => host.call("a"), SandboxError);
  assert(SandboxError.is(limit, "limit-exceeded"));
  assertEquals(limit.details.limit, "host_functions.a");
  assertEquals(calls, ["a", "a"]);
  assertEquals(host.decisions, [
    "allowed host_functions.call a",
    "denied host_functions.call b",
    "allowed host_functions.call c",
    "allowed host_functions.call a",
    "denied host_functions.call a",
  ]);
});

Deno.test("capability() is asked before a function runs", async () => {
  let runs = 0;
  const host = new Host({
    functions: {
      f: {
        input: schema((value) => ({ value: String(value) })),
        capability: (key: string) => ({
          operation: "custom_access.read",
          args: [key],
        }),
        handler: () => ++runs,
      },
    },
    policy: [{
      type: "custom_access",
      resources: ["a"],
      readOnly: true,
      maxOperations: 2,
    }],
  });
  assertEquals(await host.call("f", '"a"'), "1");
  const denied = await assertRejects(() => host.call("f", '"b"'), GuestFault);
  assertEquals(denied.status, "denied");
  // nothing of the policy reaches the guest
  assertEquals(denied.message, "the policy does not permit it");
  await host.call("f", '"a"');
  const limit = await assertRejects(() => host.call("f", '"a"'), SandboxError);
  assert(SandboxError.is(limit, "limit-exceeded"));
  assertEquals(runs, 2);
  assertEquals(host.errors, []);
});

Deno.test("context.audit() asks the policy, and its errors are the guest's", async () => {
  const host = new Host({
    functions: {
      f: async (key: string, context) => {
        await Promise.resolve();
        context.audit("custom_access.read", [key]);
        return key;
      },
      other: () => {
        throw new SandboxError("access-denied", "of another sandbox", {
          details: { capability: "", operation: "", resource: "" },
        });
      },
    },
    policy: [{ type: "custom_access", resources: ["a"], readOnly: true }],
  });
  assertEquals(await host.call("f", '"a"'), '"a"');
  const denied = await assertRejects(() => host.call("f", '"b"'), GuestFault);
  assertEquals(denied.status, "denied");
  const other = await assertRejects(() => host.call("other"), GuestFault);
  assertEquals(other.status, "failed");
});

Deno.test("http.request is the sandbox's own, and keeps its own rules", async () => {
  const limit = new SandboxError("limit-exceeded", "enough", {
    details: { limit: "networkRequests", allowed: 0, suggestion: "" },
  });
  let thrown: Error = limit;
  const host = new Host({
    // governs what the caller gives
    policy: [{ type: "host_functions", functions: ["a"] }],
    http(input, { signal }) {
      assertEquals(signal.aborted, false);
      if (input.length === 0) throw thrown;
      return Promise.resolve(input);
    },
  });
  assertEquals(await host.call("http.request", "x"), "x");
  const end = await assertRejects(
    () => host.call("http.request", ""),
    SandboxError,
  );
  assert(end === limit);
  thrown = new GuestFault("denied", "no");
  await assertRejects(() => host.call("http.request", ""), GuestFault, "no");
  assertEquals(host.decisions, []);
  const none = new Host();
  const unknown = await assertRejects(
    () => none.call("http.request"),
    GuestFault,
  );
  assertEquals(unknown.status, "unknown");
});

Deno.test("hostFunctionProblems() says all that is wrong", () => {
  const handler = () => 1;
  const given = {
    "good": handler,
    "": handler,
    "http.request": handler,
    "\ud800": handler,
    ["x".repeat(1_025)]: handler,
    "a": 1,
    "b": null,
    "c": {},
    "d": { handler, codec: "xml" },
    "e": { handler, input: {} },
    "f": { handler, output: null },
    "g": { handler, capability: "custom" },
    "h": { handler, maxCalls: 0 },
    "i": { handler, timeoutMs: 0.5 },
    "j": { handler, timeoutMs: 2 ** 31 },
    "k": { handler, timeout: 1 },
    get l(): never {
      throw new Error("no");
    },
  };
  const problems = [...hostFunctionProblems(given)];
  assertEquals(problems.length, 16);
  assertStringIncludes(
    problems.join("\n"),
    'hostFunctions["k"] has an option "timeout"; known are handler, codec',
  );
  for (const wrong of [undefined, null, 1, [handler]]) {
    assertEquals([...hostFunctionProblems(wrong)].length, 1);
  }
  assertEquals([...hostFunctionProblems({ a: handler })], []);
  assertThrows(
    () => new Host({ functions: { a: 1 } as never }),
    TypeError,
    'hostFunctions["a"] is neither',
  );
});
