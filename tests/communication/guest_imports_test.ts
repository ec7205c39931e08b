import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import {
  abiVersionOf,
  requireAbi,
  usesGuestImports,
} from "../../communication/guest_imports.ts";
import { SandboxError } from "../../errors.ts";
import type { ModuleExport } from "../../runtime/types.ts";
import { bytesOf, type Given, Hand, services } from "./_hand.ts";

const END = 40 * 65_536;
const echo = { call: (_name: string, input: Uint8Array<ArrayBuffer>) => input };

Deno.test("version() is 1", () => {
  assertEquals(new Hand().raw("version"), 1);
});

Deno.test("GuestImports has each function of the table, and its type", () => {
  const { name, signatures, suspending } = new Hand().imports.module;
  assertEquals(name, "wasm_sandbox");
  const types = Object.entries(signatures).map(([name, { params, results }]) =>
    `${name} (${params.join()}) -> (${results.join()})`
  );
  assertEquals(types, [
    "version () -> (i32)",
    "call (i32,i32,i32,i32) -> (i64)",
    "receive (i32) -> (i64)",
    "take (i32,i32) -> (i32)",
    "send (i32,i32) -> (i32)",
    "read (i32,i32) -> (i32)",
    "write (i32,i32) -> (i32)",
    "log (i32,i32,i32) -> ()",
    "fail (i32,i32) -> ()",
  ]);
  assertEquals(suspending, ["call", "receive", "send", "read", "write", "log"]);
});

Deno.test("call() answers at once where the host does", () => {
  const hand = new Hand(echo);
  assertEquals(hand.call("kv.get", '{"a":1}'), [0, '{"a":1}']);
});

Deno.test("call() answers later where the host does", async () => {
  const hand = new Hand({ call: (_, input) => Promise.resolve(input) });
  assertEquals(await hand.callLater("kv.get", "[1]"), [0, "[1]"]);
});

Deno.test("call() gives each name as it is", () => {
  const names: string[] = [];
  const hand = new Hand({
    call(name) {
      names.push(name);
      return new Uint8Array();
    },
  });
  const all = ["a", "b", "", "a", "\0", "\ufeffa", "__proto__", "né🙂", "b"];
  // many names, some of which share a place where decoded ones are kept
  for (let index = 0; index < 500; index++) all.push(`name-${index % 300}`);
  all.push("x".repeat(65), "x".repeat(1_024));
  for (const name of all) assertEquals(hand.call(name), [0, ""]);
  assertEquals(names, all);
});

Deno.test("call() refuses names that are not UTF-8, and long ones", () => {
  const hand = new Hand(echo);
  const wrong: Given[] = [
    Uint8Array.of(0xff),
    Uint8Array.of(0xc0, 0x80),
    Uint8Array.of(0xed, 0xa0, 0x80),
    Uint8Array.of(0xf4, 0x90, 0x80, 0x80),
    Uint8Array.of(0x61, 0xe2, 0x82),
    new Uint8Array(2_000).fill(0xff),
    "x".repeat(1_025),
  ];
  for (const name of wrong) {
    const [status, document] = hand.call(name);
    assertEquals(status, 3);
    assertEquals(JSON.parse(document).code, "invalid");
  }
  assertEquals(hand.call("good", "1"), [0, "1"]);
});

/** Each function, with a range at the two arguments that are given last. */
const RANGES: Readonly<
  Record<string, (at: number, length: number) => [string, ...number[]]>
> = {
  "the name of call": (at, length) => ["call", at, length, 0, 0],
  "the input of call": (at, length) => ["call", 0, 1, at, length],
  "take": (at, length) => ["take", at, length],
  "send": (at, length) => ["send", at, length],
  "read": (at, length) => ["read", at, length],
  "write": (at, length) => ["write", at, length],
  "log": (at, length) => ["log", 2, at, length],
  "fail": (at, length) => ["fail", at, length],
};

const BAD: readonly [at: number, length: number][] = [
  [END, 1],
  [END - 1, 2],
  [0, END + 1],
  [0, -1],
  [-1, 1],
  [-1, -1],
  [-1, 0],
  [1, -1],
  [-(2 ** 31), -(2 ** 31)],
  [2 ** 31 - 1, 2 ** 31 - 1],
  [END + 1, 0],
];

for (const [what, range] of Object.entries(RANGES)) {
  Deno.test(`${what} outside of the memory ends the guest`, () => {
    for (const [at, length] of BAD) {
      const hand = new Hand(services());
      const error = assertThrows(
        () => hand.raw(...range(at, length)),
        SandboxError,
        "outside of its memory",
      );
      assert(SandboxError.is(error, "guest-protocol"), error.message);
      assertEquals(error.details.export, "run");
    }
  });
}

Deno.test("GuestImports ends a guest without a memory as soon as it points", () => {
  for (const range of Object.values(RANGES)) {
    const hand = new Hand(services());
    hand.memory = new Uint8Array();
    assertThrows(
      () => hand.raw(...range(0, 1)),
      SandboxError,
      "its memory of 0",
    );
  }
  const hand = new Hand(echo);
  hand.memory = new Uint8Array();
  assertEquals(hand.raw("call", 0, 0, 0, 0), 0n);
});

Deno.test("call() and send() refuse what is longer than messageBytes", () => {
  const asked: string[] = [];
  const hand = new Hand({
    call: (name) => (asked.push(name), new Uint8Array()),
    send: () => void asked.push("send"),
  }, { messageBytes: 3 });
  assertEquals(hand.call("a", "123"), [0, ""]);
  assertEquals(hand.call("b", "1234")[0], 5);
  assertEquals(hand.raw("send", 0, 3), 0);
  assertEquals(hand.raw("send", 0, 4), -5);
  assertStringIncludes(hand.take(), '"code":"too-large"');
  assertEquals(asked, ["a", "send"]);
});

Deno.test("call() and receive() refuse answers longer than messageBytes", async () => {
  const long = new Uint8Array(4);
  const hand = new Hand({
    call: () => long,
    receive: () => Promise.resolve(long),
  }, { messageBytes: 3 });
  assertEquals(hand.call("a", "1")[0], 5);
  const [status, document] = hand.result(await hand.raw("receive", -1));
  assertEquals([status, JSON.parse(document).code], [5, "too-large"]);
});

Deno.test("GuestImports copies what it hands on", () => {
  let kept = new Uint8Array();
  const hand = new Hand({
    call(_, input) {
      kept = input;
      hand.memory.fill(0x7a);
      return bytesOf("answer");
    },
  });
  hand.call("a", "input");
  assertEquals(new TextDecoder().decode(kept), "input");
});

Deno.test("GuestImports looks at the memory anew after a wait", async () => {
  const hand = new Hand({ read: () => Promise.resolve(bytesOf("abc")) });
  const result = hand.raw("read", 10, 3);
  // as memory.grow does: the old buffer is gone
  const old = hand.memory.buffer;
  hand.memory = new Uint8Array(41 * 65_536);
  old.transfer();
  assertEquals(await result, 3);
  assertEquals([...hand.memory.subarray(10, 13)], [97, 98, 99]);
});

Deno.test("GuestImports ends a guest whose memory is gone after a wait", async () => {
  const hand = new Hand({ read: () => Promise.resolve(bytesOf("abc")) });
  const result = hand.raw("read", 10, 3);
  hand.memory = new Uint8Array();
  await assertRejects(
    () => Promise.resolve(result),
    SandboxError,
    "outside of its memory",
  );
});

Deno.test("take() gives an answer once, and no more than there is room for", () => {
  const hand = new Hand({ call: () => bytesOf("0123456789") });
  assertEquals(hand.take(), "");
  hand.raw("call", 0, 0, 0, 0);
  assertEquals(hand.take(4), "0123");
  assertEquals(hand.take(), "");
  hand.raw("call", 0, 0, 0, 0);
  assertEquals(hand.take(0), "");
  assertEquals(hand.take(), "");
  hand.raw("call", 0, 0, 0, 0);
  hand.imports.begin("next");
  assertEquals(hand.take(), "");
});

Deno.test("receive() takes a message, or says why there is none", async () => {
  const asked: number[] = [];
  const messages = [bytesOf("a"), new Uint8Array(), undefined];
  const hand = new Hand({
    receive(timeoutMs) {
      asked.push(timeoutMs);
      return Promise.resolve(messages.shift());
    },
  });
  assertEquals(hand.result(await hand.raw("receive", -1)), [0, "a"]);
  assertEquals(hand.result(await hand.raw("receive", 0)), [0, ""]);
  const [status, document] = hand.result(
    await hand.raw("receive", 2 ** 31 - 1),
  );
  assertEquals([status, JSON.parse(document).code], [7, "timed-out"]);
  assertEquals(asked, [Infinity, 0, 2 ** 31 - 1]);
  assertEquals(hand.result(hand.raw("receive", -2))[0], 3);
  assertEquals(hand.result(hand.raw("receive", -(2 ** 31)))[0], 3);
});

Deno.test("read() writes no more than was asked for, and tells the end", async () => {
  const asked: number[] = [];
  const pieces = [bytesOf("ab"), undefined];
  const hand = new Hand({
    read(maxBytes) {
      asked.push(maxBytes);
      return pieces.shift();
    },
  });
  assertEquals(hand.raw("read", 0, 2 * 2 ** 20), 2);
  assertEquals(await hand.read(1), new Uint8Array());
  // 0 would mean the end
  assertEquals(hand.raw("read", 0, 0), -3);
  assertEquals(asked, [2 ** 20, 1]);
});

Deno.test("write() hands on all of it, piece by piece", async () => {
  const sizes: number[] = [];
  const hand = new Hand({
    write(bytes) {
      sizes.push(bytes.length);
      // at once, and later
      return sizes.length % 2 === 0 ? Promise.resolve() : undefined;
    },
  });
  assertEquals(
    await hand.raw("write", 0, 2.5 * 2 ** 20 - 9),
    2.5 * 2 ** 20 - 9,
  );
  assertEquals(sizes, [2 ** 20, 2 ** 20, 2 ** 19 - 9]);
  assertEquals(hand.raw("write", 0, 0), 0);
});

Deno.test("write() stops at the piece that failed", async () => {
  let pieces = 0;
  const hand = new Hand({
    write() {
      if (++pieces === 2) throw new GuestFault("closed", "no more");
      return Promise.resolve();
    },
  });
  assertEquals(await hand.raw("write", 0, 2.5 * 2 ** 20), -6);
  assertStringIncludes(hand.take(), '"message":"no more"');
  assertEquals(pieces, 2);
});

Deno.test("log() has five levels, escapes nothing and cuts long lines", () => {
  const all = services();
  const hand = new Hand(all);
  for (const level of [0, 1, 2, 3, 4, 5, -1]) {
    hand.raw("log", level, ...hand.put(`at ${level}\n`));
  }
  assertEquals(all.lines.map(([level]) => level), [
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "error",
    "error",
  ]);
  assertEquals(all.lines[2], ["info", "at 2\n"]);
  hand.raw("log", 2, ...hand.put(Uint8Array.of(0x61, 0xff, 0xed, 0xa0, 0x80)));
  assertEquals(all.lines[7]?.[1], "a\ufffd\ufffd\ufffd\ufffd");
  hand.raw("log", 2, 0, END);
  assertEquals(all.lines[8]?.[1].length, 4_097);
});

Deno.test("fail() fails the call once, with the first reason", () => {
  const hand = new Hand();
  assertEquals(hand.imports.takeFailure(), undefined);
  hand.raw("fail", ...hand.put("disk \u001b[31mfull\n"));
  hand.raw("fail", ...hand.put("second"));
  const failure = hand.imports.takeFailure();
  assert(SandboxError.is(failure, "guest-error"));
  assertEquals(failure.details, {
    export: "run",
    problem: "disk \\u{1b}[31mfull\\u{a}",
  });
  assertEquals(hand.imports.takeFailure(), undefined);
  hand.raw("fail", ...hand.put("earlier"));
  hand.imports.begin("next");
  assertEquals(hand.imports.takeFailure(), undefined);
});

Deno.test("fail() takes any bytes, and not too many of them", () => {
  const hand = new Hand();
  hand.raw("fail", 0, END);
  const { details } = hand.imports.takeFailure() ?? {};
  // each NUL becomes \u{0}
  assert(String(details?.problem).length < 6 * 4_200);
});

Deno.test("GuestImports tells a fault as a status and a document", async () => {
  const statuses = {
    denied: 1,
    unknown: 2,
    invalid: 3,
    failed: 4,
    "too-large": 5,
    closed: 6,
    "timed-out": 7,
  } as const;
  for (const [name, number] of Object.entries(statuses)) {
    const fault = new GuestFault(name as keyof typeof statuses, "näh", {
      code: "mine",
      data: { a: [1] },
    });
    const document = '{"code":"mine","message":"näh","data":{"a":[1]}}';
    const hand = new Hand({
      call: () => {
        throw fault;
      },
      send: () => Promise.reject(fault),
      read: () => Promise.reject(fault),
    });
    assertEquals(hand.call("a"), [number, document]);
    assertEquals(await hand.raw("send", 0, 1), -number);
    assertEquals(hand.take(), document);
    assertEquals(await hand.read(), number);
    assertEquals(hand.take(), document);
  }
});

Deno.test("GuestImports leaves out data that JSON cannot hold", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const getter = {
    get a(): never {
      throw new Error("no");
    },
  };
  const all: unknown[] = [
    cycle,
    getter,
    1n,
    { toJSON: () => 1n },
    "x".repeat(2 ** 20),
    () => 1,
    Symbol("a"),
    new Proxy({}, {
      ownKeys() {
        throw new Error("no");
      },
    }),
  ];
  for (const data of all) {
    const hand = new Hand({
      call: () => {
        throw new GuestFault("failed", "no", { data });
      },
    });
    assertEquals(hand.call("a"), [4, '{"code":"failed","message":"no"}']);
  }
});

Deno.test("GuestImports holds documents to a bound", () => {
  const faults = [
    new GuestFault("failed", "\u0001\ud800".repeat(10 ** 6), {
      code: "c".repeat(10 ** 6),
      data: [1],
    }),
    Object.defineProperty(new GuestFault("failed", "odd"), "data", {
      get() {
        throw new Error("no");
      },
    }),
    Object.assign(new GuestFault("failed", "odd"), { status: "__proto__" }),
  ];
  for (const fault of faults) {
    const hand = new Hand({
      call: () => {
        throw fault;
      },
    }, { messageBytes: 10 });
    const [status, document] = hand.call("a", "1");
    assertEquals(status, 4);
    assert(bytesOf(document).length <= 4_096);
    assertEquals(typeof JSON.parse(document).message, "string");
  }
});

Deno.test("GuestImports lets every other error through", async () => {
  const limit = new SandboxError("limit-exceeded", "enough", {
    details: { limit: "hostCalls", allowed: 1, suggestion: "none" },
  });
  for (const error of [limit, new Error("broken"), undefined]) {
    const hand = new Hand({
      call: () => {
        throw error;
      },
      receive: () => Promise.reject(error),
    });
    const told = { sync: {} as unknown, async: {} as unknown };
    try {
      hand.call("a");
    } catch (thrown) {
      told.sync = thrown;
    }
    await Promise.resolve(hand.raw("receive", 0)).catch((thrown) => {
      told.async = thrown;
    });
    assertEquals(told.sync, error);
    assertEquals(told.async, error);
  }
});

Deno.test("GuestImports gives no later call what an earlier one asked for", async () => {
  const answer = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const hand = new Hand({ call: () => answer.promise });
  const late = hand.raw("call", 0, 0, 0, 0);
  hand.imports.begin("next");
  answer.resolve(bytesOf("secret"));
  await assertRejects(() => Promise.resolve(late), SandboxError);
  assertEquals(hand.take(), "");
});

Deno.test("GuestImports charges fuel for the bytes that it moves", () => {
  const hand = new Hand(echo);
  hand.call("a", new Uint8Array(64_000));
  // in and out
  assert(hand.fuel >= 2_000 && hand.fuel < 2_010, String(hand.fuel));
  const before = hand.fuel;
  hand.raw("log", 0, 0, 2 ** 20);
  assert(hand.fuel - before < 70);
});

const exported = (...names: string[]): ModuleExport[] =>
  names.map((name) => ({ name, kind: "function" }));

Deno.test("requireAbi() refuses what was made for a later version", () => {
  assertEquals(abiVersionOf(exported("run")), undefined);
  assertEquals(abiVersionOf(exported("wasm_sandbox_abi_1")), 1);
  assertEquals(
    abiVersionOf(exported("wasm_sandbox_abi_12", "wasm_sandbox_abi_3")),
    12,
  );
  requireAbi(exported("wasm_sandbox_abi_1", "run"));
  requireAbi([{ name: "wasm_sandbox_abi_9", kind: "memory" }]);
  for (const name of ["2", "999999999", "", "0", "01", "1x", "1e1", "-1"]) {
    const error = assertThrows(
      () => requireAbi(exported(`wasm_sandbox_abi_${name}`)),
      SandboxError,
      "guest ABI",
    );
    assert(SandboxError.is(error, "module-refused"));
  }
});

Deno.test("usesGuestImports() looks at the module's name", () => {
  const module = (from: string) => ({
    imports: [{ module: from, name: "call", kind: "function" } as const],
  });
  assert(usesGuestImports(module("wasm_sandbox")));
  assert(!usesGuestImports(module("wasm_sandbox2")));
  assert(!usesGuestImports({ imports: [] }));
});
