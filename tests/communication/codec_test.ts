import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bytes,
  type Codec,
  json,
  jsonOf,
  MAX_JSON_DEPTH,
  MemoryChannel,
  type StandardResult,
  type StandardSchemaV1,
  validate,
} from "../../communication/mod.ts";
import { SandboxError } from "../../errors.ts";

const encoder = new TextEncoder();

function schema<T>(
  look: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>,
): StandardSchemaV1<unknown, T> {
  return { "~standard": { version: 1, vendor: "test", validate: look } };
}

const DATE = schema((value) => {
  const date = new Date(typeof value === "string" ? value : NaN);
  return Number.isNaN(date.valueOf())
    ? { issues: [{ message: "must be a date", path: ["at", { key: 0 }] }] }
    : { value: date };
});

function reads(text: string, codec: Codec<unknown> = json): unknown {
  return codec.decode(encoder.encode(text));
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

Deno.test("json carries what JSON holds", () => {
  for (
    const value of [null, true, 0, -1.5, "", "é\u{1f600}\0", [], { a: [] }]
  ) {
    assertEquals(json.decode(json.encode(value)), value);
  }
  assertEquals(json.decode(json.encode(undefined)), null);
  assertEquals(json.decode(json.encode("\ud800")), "\ud800");
});

Deno.test("json.encode() refuses what JSON cannot hold", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  let deep: unknown = null;
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  let reads = 0;
  const twice = {
    get later() {
      if (reads++ > 0) throw new RangeError("not again");
      return null;
    },
  };
  const thrower = {
    get now() {
      throw new Error("no");
    },
  };
  const values = [
    NaN,
    { a: -Infinity },
    1n,
    cycle,
    deep,
    () => {},
    Symbol(),
    twice,
    thrower,
    { toJSON: () => 1n },
    JSON.parse(nested(MAX_JSON_DEPTH + 1)),
  ];
  for (const value of values) assertThrows(() => json.encode(value), TypeError);
});

Deno.test("json.encode() takes a thenable for the data that it holds", () => {
  const thenable = { then: (resolve: () => void) => resolve(), data: 1 };
  assertEquals(json.decode(json.encode(thenable)), { data: 1 });
});

Deno.test("json.decode() refuses what is no UTF-8 and no JSON", () => {
  const bad = [
    Uint8Array.of(),
    Uint8Array.of(0xff),
    Uint8Array.of(0x22, 0xc0, 0x80, 0x22),
    Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22),
    Uint8Array.of(0xef, 0xbb, 0xbf, 0x30),
    Uint8Array.of(0x22, 0x00, 0x22),
  ];
  for (const each of bad) assertThrows(() => json.decode(each), TypeError);
  for (const text of ["{", "NaN", "01", "'a'", "1 2", "undefined", "\0"]) {
    assertThrows(() => reads(text), TypeError, "it is not JSON");
  }
  assertEquals(reads('"\ufffd"'), "\ufffd");
});

Deno.test("json.decode() bounds how deep a message nests", () => {
  assert(Array.isArray(reads(nested(MAX_JSON_DEPTH))));
  const wide = `[${"[],{},".repeat(10_000)}0]`;
  assert(Array.isArray(reads(wide)));
  for (const depth of [MAX_JSON_DEPTH + 1, 100_000, 1_000_000]) {
    assertThrows(() => reads(nested(depth)), TypeError, "nests deeper");
    const objects = '{"a":'.repeat(depth) + "0" + "}".repeat(depth);
    assertThrows(() => reads(objects), TypeError, "nests deeper");
  }
  // brackets in texts do not count, whatever is escaped around them
  const text = '"]\\\\\\"' + "[{".repeat(10_000) + '\\\\"';
  assertEquals(reads(`[${text}]`), [JSON.parse(text)]);
  assertThrows(() => reads('"' + "[".repeat(1_000)), TypeError, "not JSON");
});

Deno.test("json.decode() keeps __proto__ as a key", () => {
  const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}';
  const value = reads(text) as Record<string, unknown>;
  assertEquals(Object.keys(value), ["__proto__", "constructor"]);
  assert(Object.getPrototypeOf(value) === Object.prototype);
  assert(!("polluted" in {}));
});

Deno.test("bytes copies both ways", () => {
  const sent = Uint8Array.of(1, 2, 3);
  const written = bytes.encode(sent);
  const read = bytes.decode(written);
  sent[0] = 9;
  written[1] = 9;
  assertEquals(read, Uint8Array.of(1, 2, 3));
  const part = new Uint8Array(new SharedArrayBuffer(8), 2, 3) as Uint8Array;
  assertEquals(bytes.encode(part as Uint8Array<ArrayBuffer>).length, 3);
  const others = [
    [1],
    "a",
    undefined,
    { length: 2 ** 30 },
    new DataView(
      new ArrayBuffer(1),
    ),
    Object.create(Uint8Array.prototype),
  ];
  for (const other of others) {
    assertThrows(() => bytes.encode(other as never), TypeError);
  }
});

Deno.test("jsonOf() checks what it writes and what it reads", () => {
  const codec = jsonOf(DATE);
  const date = new Date(0);
  assertEquals(codec.decode(codec.encode(date)), date);
  assertThrows(
    () => codec.encode("soon" as never),
    TypeError,
    "Cannot write the message: at.0: must be a date",
  );
  assertThrows(() => reads("5", codec), TypeError, "at.0: must be a date");
  assertThrows(() => jsonOf({} as never), TypeError, "Standard Schema");
  assertThrows(() => jsonOf(null as never), TypeError, "Standard Schema");
});

Deno.test("jsonOf() refuses an asynchronous schema", () => {
  const slow = jsonOf(schema((value) => Promise.resolve({ value })));
  const broken = jsonOf(schema(() => Promise.reject(new Error("unseen"))));
  assertThrows(() => reads("1", slow), TypeError, "asynchronous");
  assertThrows(() => broken.encode(1), TypeError, "asynchronous");
});

Deno.test("jsonOf() cuts and escapes what a schema says", () => {
  const issues = Array.from({ length: 9 }, () => ({
    message: `\x1b[31m${"x".repeat(100_000)}`,
  }));
  const error = assertThrows(
    () => reads("1", jsonOf(schema(() => ({ issues })))),
    TypeError,
    "and 6 more",
  );
  assert(error.message.length < 1_000);
  assert(!error.message.includes("\x1b"));
});

Deno.test("validate() gives what the schema gives", async () => {
  assertEquals(validate(DATE, "1970-01-01"), { value: new Date(0) });
  const result = await validate(DATE, 5);
  assertEquals(result.issues?.length, 1);
  const slow = schema((value) => Promise.resolve({ value }));
  assertEquals(await validate(slow, 7), { value: 7 });
});

Deno.test("MemoryChannel.sendResult() refuses what its schema does", async () => {
  await using channel = new MemoryChannel({ resultCodec: jsonOf(DATE) });
  await channel.sendResult(new Date(1));
  assertEquals(await channel.receiveResult(), new Date(1));
  const error = await channel.sendResult("x" as never).catch((each) => each);
  assert(SandboxError.is(error, "invalid-message"));
  assertEquals(error.details.where, "memory channel");
});
