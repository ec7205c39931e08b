import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { StdinSource } from "../../runtime/wasi/types.ts";
import { GuestHand } from "./_guest.ts";

function source(text: string): StdinSource & { readonly asked: number[] } {
  let rest = new TextEncoder().encode(text);
  const asked: number[] = [];
  return {
    asked,
    read(maxBytes) {
      asked.push(maxBytes);
      if (rest.length === 0) return undefined;
      const part = rest.subarray(0, maxBytes);
      rest = rest.subarray(maxBytes);
      return part;
    },
  };
}

Deno.test("fd_read() reads the standard input to its end and no further", () => {
  const stdin = source("hello");
  using hand = new GuestHand({ run: { stdin } });
  assertEquals(hand.read(0, 3), "hel");
  assertEquals(hand.read(0, 3), "lo");
  assertEquals(hand.read(0, 0), "");
  assertEquals(hand.read(0, 3), "");
  assertEquals(hand.read(0, 3), "");
  assertEquals(stdin.asked, [3, 3, 3]);
  assertEquals(hand.wasi.usage().stdinBytes, 5);
});

Deno.test("fd_read() ends the guest at stdinBytes, and not at as many", () => {
  using exact = new GuestHand({
    run: { stdin: source("12345") },
    limits: { stdinBytes: 5 },
  });
  assertEquals(exact.read(0), "12345");
  assertEquals(exact.read(0), "");
  const stdin = source("123456789");
  using hand = new GuestHand({ run: { stdin }, limits: { stdinBytes: 5 } });
  assertEquals(hand.read(0), "12345");
  const error = assertThrows(() => hand.read(0), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "stdinBytes");
  assertEquals([error.details.allowed, error.details.used], [5, 6]);
  assertEquals(stdin.asked, [5, 1]);
});

Deno.test("fd_write() ends the guest at stdoutBytes before it writes", () => {
  using hand = new GuestHand({ limits: { stdoutBytes: 5, stderrBytes: 3 } });
  assertEquals(hand.write(1, "12345"), "SUCCESS");
  assertEquals(hand.write(1, ""), "SUCCESS");
  const error = assertThrows(() => hand.write(1, "678"), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "stdoutBytes");
  assertEquals([error.details.allowed, error.details.used], [5, 8]);
  assertEquals(hand.stdout, "12345");
  assertEquals(hand.write(2, "abc"), "SUCCESS");
  assertThrows(() => hand.write(2, "d"), SandboxError, "stderrBytes");
  const { stdoutBytes, stderrBytes } = hand.wasi.usage();
  assertEquals([stdoutBytes, stderrBytes], [5, 3]);
});

Deno.test("Wasi reads no output and writes no input", () => {
  using hand = new GuestHand();
  assertEquals([hand.read(1), hand.read(2), hand.write(0, "x")], [
    "BADF",
    "BADF",
    "BADF",
  ]);
  assertEquals(hand.call("fd_readdir", 1, 512, 64, 0n, 600), "NOTDIR");
  assertEquals(hand.call("fd_filestat_set_times", 1, 0n, 0n, 5), "BADF");
  assertEquals(hand.call("fd_filestat_get", 1, 512), "SUCCESS");
  assertEquals(hand.memory[528], 2);
});

Deno.test("Wasi hands what its streams throw to whoever runs the guest", () => {
  const failure = new Error("the pipe is broken");
  using hand = new GuestHand({
    run: {
      stdout: {
        write() {
          throw failure;
        },
      },
      stdin: { read: () => new Uint8Array(1000) },
    },
  });
  assertEquals(assertThrows(() => hand.write(1, "x")), failure);
  assertThrows(() => hand.read(0, 5), TypeError, "too much");
});
