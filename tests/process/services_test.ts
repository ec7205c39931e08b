import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import type { GuestServices } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import type { GuestInstance } from "../../runtime/guest_source.ts";
import { openEvil } from "./_evil.ts";
import {
  childrenOf,
  isRunning,
  open,
  type OpenOptions,
  services,
  text,
  until,
} from "./_process.ts";
import { talker } from "./_talker.ts";
import { KINDS } from "./evil.ts";
import { wat } from "../wasm.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const bytesOf = (value: string): Bytes => ENCODER.encode(value);

/** Opens the talker, and makes an instance of it. */
async function talk(
  given: Partial<GuestServices>,
  { onEnd, ...options }: OpenOptions & {
    readonly onEnd?: (failure: unknown) => void;
  } = {},
): Promise<{ instance: GuestInstance } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(
    await open(await talker(), {
      services: services(given, onEnd),
      ...options,
    }),
  );
  const instance = stack.use(await source.instantiate({}));
  const moved = stack.move();
  return { instance, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** Has the guest ask, and tells status and answer. */
async function ask(
  instance: GuestInstance,
  input: string,
): Promise<readonly [status: number, answer: string]> {
  const reply = await instance.exchange("ask", bytesOf(input));
  return [reply[0] ?? -1, text(reply.subarray(4))];
}

Deno.test("call() carries bytes both ways, at once or later", async () => {
  for (const later of [false, true]) {
    await using guest = await talk({
      call: (name, input) => {
        const answer = bytesOf(`${name}:${text(input)}`);
        return later ? Promise.resolve(answer) : answer;
      },
    });
    assertEquals(await ask(guest.instance, "x\0ÿ"), [0, "f:x\0ÿ"]);
    assertEquals(await ask(guest.instance, ""), [0, "f:"]);
  }
});

Deno.test("call() carries messages as long as they may be", async () => {
  const all = new Uint8Array(2 ** 20 - 4).map((_, at) => at * 7);
  await using guest = await talk({ call: (_, input) => input });
  const reply = await guest.instance.exchange("ask", all);
  assertEquals(reply.subarray(4), all);
});

Deno.test("call() tells the guest of faults, whatever they hold", async () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const odd: Readonly<Record<string, unknown>> = {
    "a prototype": JSON.parse('{"__proto__":{"x":1},"constructor":2}'),
    "a cycle": cycle,
    "a bigint": 5n,
    "too much": "x".repeat(2 ** 21),
    "a getter": Object.defineProperty({}, "x", {
      enumerable: true,
      get() {
        throw new Error("gotten");
      },
    }),
  };
  await using guest = await talk({
    call: (_, input) => {
      throw new GuestFault("failed", "no\n", {
        code: "odd",
        data: odd[text(input)],
      });
    },
  });
  const told: Record<string, string> = {};
  for (const what of Object.keys(odd)) {
    const [status, answer] = await ask(guest.instance, what);
    assertEquals(status, 4);
    told[what] = answer;
  }
  const plain = '{"code":"odd","message":"no\\n"}';
  assertEquals(told, {
    "a prototype": '{"code":"odd","message":"no\\n",' +
      '"data":{"__proto__":{"x":1},"constructor":2}}',
    "a cycle": plain,
    "a bigint": plain,
    "too much": plain,
    "a getter": plain,
  });
});

Deno.test("call() ends a guest whose host fails, with the host's own error", async () => {
  const limit = new SandboxError("limit-exceeded", "too much", {
    details: { limit: "hostCalls", allowed: 1, suggestion: "" },
  });
  const bug = new TypeError("a secret");
  const stays: unknown[] = [];
  await using source = await open(await talker(), {
    services: services({
      call: (_, input) => {
        throw text(input) === "limit" ? limit : bug;
      },
    }, (failure) => void stays.push(failure)),
  });
  await using first = await source.instantiate({});
  const [pid = 0] = childrenOf(Deno.pid);
  const error = await assertRejects(() => ask(first, "limit"));
  assert(error === limit);
  assert(stays.at(-1) === limit);
  assert(first.failure === limit);
  await using second = await source.instantiate({});
  const failed = await assertRejects(() => ask(second, "bug"), SandboxError);
  assert(SandboxError.is(failed, "host-function-failed"));
  assert(failed.cause === bug);
  assertEquals(failed.details.import, { module: "wasm_sandbox", name: "call" });
  // the process is none the worse for it
  await using _third = await source.instantiate({});
  assertEquals(childrenOf(Deno.pid), [pid]);
});

Deno.test("receive() waits as long as the guest says", async () => {
  const waits: number[] = [];
  await using guest = await talk({
    receive: (timeoutMs) => {
      waits.push(timeoutMs);
      return timeoutMs === 0 ? undefined : Promise.resolve(bytesOf("abc"));
    },
  });
  const { instance } = guest;
  assertEquals(await instance.call("receive", [-1]), 3n);
  assertEquals(await instance.call("receive", [250]), 3n);
  const none = BigInt(await instance.call("receive", [0]) as bigint);
  assertEquals(none >> 32n, 7n);
  assertEquals(waits, [Infinity, 250, 0]);
});

Deno.test("send() waits for room", async () => {
  const sent: string[] = [];
  await using guest = await talk({
    send: async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      sent.push(text(message));
    },
  });
  await guest.instance.exchange("send", bytesOf("one"));
  assertEquals(sent, ["one"]);
});

Deno.test("log() tells the host of each line, before what follows", async () => {
  const told: string[] = [];
  await using guest = await talk({
    log: (level, line) => void told.push(`${level} ${line}`),
    call: () => {
      told.push("call");
      return new Uint8Array();
    },
  });
  await guest.instance.exchange("log", bytesOf("ü\n".repeat(3_000)));
  await ask(guest.instance, "");
  assertEquals(told.length, 2);
  assertStringIncludes(told[0] ?? "", "warn ü\nü");
  assertEquals(told[1], "call");
});

Deno.test("fail() makes the call fail, whatever the reason holds", async () => {
  const ends: unknown[] = [];
  await using guest = await talk({}, {
    onEnd: (failure) => ends.push(failure),
  });
  for (const reason of ["no", "\0".repeat(5_000), "\u{e0001}".repeat(1_000)]) {
    const error = await assertRejects(
      () => guest.instance.exchange("fail", bytesOf(reason)),
      SandboxError,
    );
    assert(SandboxError.is(error, "guest-error"), error.message);
    assertEquals(error.details.export, "fail");
    assert(ends.at(-1) === error);
  }
  assertEquals(guest.instance.failure, undefined);
});

Deno.test("a function that never answers ends at the deadline", async () => {
  const ends: unknown[] = [];
  await using guest = await talk({ call: () => new Promise(() => {}) }, {
    limits: { timeoutMs: 300 },
    onEnd: (failure) => ends.push(failure),
  });
  ends.length = 0;
  const start = performance.now();
  const error = await assertRejects(
    () => ask(guest.instance, ""),
    SandboxError,
  );
  assert(performance.now() - start < 1_500);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "timeoutMs");
  assertEquals(ends, [error]);
  assertEquals(childrenOf(Deno.pid), []);
});

Deno.test("a child that dies while its function runs ends the call", async () => {
  const ends: unknown[] = [];
  await using guest = await talk({
    call: () => {
      for (const pid of childrenOf(Deno.pid)) Deno.kill(pid, "SIGKILL");
      return new Promise(() => {});
    },
  }, { onEnd: (failure) => ends.push(failure) });
  ends.length = 0;
  const error = await assertRejects(
    () => ask(guest.instance, ""),
    SandboxError,
  );
  assertEquals(error.code, "process-failed");
  assertEquals(ends, [error]);
});

Deno.test("a call that is aborted ends its services with the reason", async () => {
  const ends: unknown[] = [];
  const controller = new AbortController();
  const reason = new Error("enough");
  await using guest = await talk({
    call: () => {
      setTimeout(() => controller.abort(reason), 10);
      return new Promise(() => {});
    },
  }, { onEnd: (failure) => ends.push(failure) });
  const [pid = 0] = childrenOf(Deno.pid);
  ends.length = 0;
  const { signal } = controller;
  const error = await assertRejects(
    () => guest.instance.exchange("ask", new Uint8Array(), { signal }),
  );
  assert(error === reason);
  assertEquals(ends, [reason]);
  assert(!isRunning(pid));
});

Deno.test("a guest reaches hostCalls by its questions", async () => {
  let calls = 0;
  await using guest = await talk({
    call: () => (calls++, new Uint8Array()),
  }, { limits: { hostCalls: 50 } });
  const error = await assertRejects(
    () => guest.instance.call("again", [51]),
    SandboxError,
  );
  assert(SandboxError.is(error, "limit-exceeded"), error.message);
  assertEquals(error.details.limit, "hostCalls");
  assertEquals(calls, 50);
});

Deno.test("a second call while the guest waits is refused", async () => {
  let answer: (bytes: Bytes) => void = () => {};
  await using guest = await talk({
    call: () => new Promise((resolve) => answer = resolve),
  });
  const first = ask(guest.instance, "");
  await assertRejects(() => ask(guest.instance, ""), SandboxError, "running");
  await until(() => answer.length === 1);
  answer(bytesOf("late"));
  assertEquals(await first, [0, "late"]);
});

Deno.test("create() refuses a guest of a later ABI, whatever it imports", async () => {
  const module = await wat('(module (func (export "wasm_sandbox_abi_2")))');
  const error = await assertRejects(() => open(module), SandboxError);
  assertEquals(error.code, "module-refused");
});

Deno.test("create() opens modules that import from each other", async () => {
  const main = await wat(`(module
    (import "tools" "ask" (func $ask (result i64)))
    (func (export "run") (result i64) (call $ask)))`);
  const tools = await wat(`(module
    (import "wasm_sandbox" "receive" (func $receive (param i32) (result i64)))
    (memory (export "memory") 1)
    (func (export "ask") (result i64) (call $receive (i32.const 0))))`);
  await using source = await open(main, {
    linked: { tools },
    services: services({ receive: () => bytesOf("12345") }),
  });
  await using instance = await source.instantiate({});
  assertEquals(await instance.call("run", []), 5n);
});

for (const what of KINDS.services) {
  Deno.test(`a child is ended for what it asks: ${what}`, async () => {
    const ends: unknown[] = [];
    const bug = new Error("fatal");
    await using source = await openEvil(what, {
      services: services({
        call: async (name) => {
          if (name === "fatal") throw bug;
          if (name === "slow") {
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
          return new Uint8Array();
        },
        write: () => new Promise(() => {}),
        extism: () => 0n,
      }, (failure) => void ends.push(failure)),
    });
    await using instance = await source.instantiate({});
    ends.length = 0;
    const error = await assertRejects(
      () => instance.call("add", [2, 3]),
      SandboxError,
    );
    assert(SandboxError.is(error, "process-failed"), error.message);
    assertEquals(error.details.phase, "protocol");
    assertEquals(instance.failure, error);
    assertEquals(ends, [error]);
  });
}
