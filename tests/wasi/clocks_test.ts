import { assert, assertEquals } from "@std/assert";
import { GuestClock } from "../../runtime/wasi/clocks.ts";
import type { ClockCapability } from "../../security/types.ts";
import { GuestHand, OPEN, PROGRAM, READ, WRITE } from "./_guest.ts";

const STEP = 1_000_000n;
const OTHERS = PROGRAM.filter((capability) =>
  (capability as { type: string }).type !== "clock"
);

function withClock(clock: object): GuestHand {
  return new GuestHand({ policy: [...OTHERS, { type: "clock", ...clock }] });
}

/** What a clock shows; or the name of the error. */
function time(hand: GuestHand, clock: number): bigint | string {
  const errno = hand.call("clock_time_get", clock, 0n, 512);
  return errno === "SUCCESS" ? hand.u64(512) : errno;
}

function resolution(hand: GuestHand, clock: number): bigint | string {
  const errno = hand.call("clock_res_get", clock, 512);
  return errno === "SUCCESS" ? hand.u64(512) : errno;
}

Deno.test("clock_time_get() of a real clock follows the host's", () => {
  using hand = withClock({ mode: "real" });
  const before = BigInt(Date.now() - 20) * STEP;
  const now = time(hand, 0);
  assert(typeof now === "bigint" && now > before);
  assert(now < BigInt(Date.now() + 20) * STEP);
  let last = 0n;
  for (let look = 0; look < 1000; look++) {
    const shown = time(hand, 1);
    assert(typeof shown === "bigint" && shown >= last && shown > 0n);
    last = shown;
  }
  for (const clock of [2, 3]) assert(typeof time(hand, clock) === "bigint");
  for (const clock of [0, 1, 2, 3]) {
    assertEquals(resolution(hand, clock), 1000n);
  }
  for (const clock of [4, 99, -1]) {
    assertEquals(time(hand, clock), "INVAL");
    assertEquals(resolution(hand, clock), "INVAL");
  }
});

Deno.test("clock_time_get() of a coarse clock shows whole steps alone", () => {
  using hand = withClock({ mode: "coarse", resolutionNs: 7_000_000 });
  for (let look = 0; look < 200; look++) {
    for (const clock of [0, 1]) {
      const shown = time(hand, clock);
      assert(typeof shown === "bigint" && shown % 7_000_000n === 0n);
    }
  }
  assertEquals(resolution(hand, 0), 7_000_000n);
  assertEquals(resolution(hand, 1), 7_000_000n);
  for (const clock of [2, 3]) {
    assertEquals(time(hand, clock), "NOTCAPABLE");
    assertEquals(resolution(hand, clock), "NOTCAPABLE");
  }
});

Deno.test("clock_time_get() of a virtual clock shows the same each time", () => {
  const look = () => {
    using hand = withClock({ mode: "virtual", startMs: 5_000 });
    const shown = [time(hand, 0), time(hand, 1), time(hand, 0)];
    subscribe(hand, { clock: 1, timeout: 3_600n * 1_000n * STEP });
    assertEquals(hand.call("poll_oneoff", 0, 1000, 1, 2000), "SUCCESS");
    assertEquals(hand.slept, []);
    return [...shown, time(hand, 0), time(hand, 2)];
  };
  assertEquals(look(), [
    5_000n * STEP,
    1_001n * STEP,
    5_002n * STEP,
    (5_003n + 3_600_000n) * STEP,
    "NOTCAPABLE",
  ]);
  assertEquals(look(), look());
});

Deno.test("GuestClock stops a virtual clock before its number overflows", () => {
  const virtual: ClockCapability = {
    type: "clock",
    mode: "virtual",
    resolutionNs: 1,
    startMs: 0,
  };
  const clock = new GuestClock([virtual]);
  for (let look = 0; look < 3; look++) clock.advance(2n ** 64n - 1n);
  assert(clock.now("realtime") < 2n ** 63n);
  assert(clock.now("monotonic") < 2n ** 63n);
});

Deno.test("fd_filestat_get() tells no more of time than the clock", () => {
  const times = (hand: GuestHand) => {
    const fd = hand.opened("a", { flags: OPEN.CREAT, rights: READ | WRITE });
    hand.write(fd, "text");
    hand.call("fd_filestat_get", fd, 512);
    return [hand.u64(552), hand.u64(560), hand.u64(568)];
  };
  using none = new GuestHand({ policy: OTHERS });
  assertEquals(times(none), [0n, 0n, 0n]);
  using virtual = withClock({ mode: "virtual", startMs: 5_000 });
  assertEquals(times(virtual), [5_000n * STEP, 5_000n * STEP, 5_000n * STEP]);
  using coarse = withClock({ mode: "coarse", resolutionNs: 60_000_000_000 });
  for (const shown of times(coarse)) {
    assert(shown > 0n && shown % 60_000_000_000n === 0n);
  }
  using real = withClock({ mode: "real" });
  for (const shown of times(real)) {
    assert(shown > BigInt(Date.now() - 1_000) * STEP);
  }
});

Deno.test("fd_filestat_get() hides the times of a host without a clock", async () => {
  const host = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${host}/a`, "text");
    for (const mode of [undefined, "virtual", "coarse", "real"]) {
      using hand = new GuestHand({
        policy: [
          { type: "filesystem", mounts: [{ guest: "/", host }] },
          ...(mode === undefined ? [] : [{ type: "clock", mode }]),
        ],
      });
      const errno = hand.call(
        "path_filestat_get",
        3,
        0,
        ...hand.text("a"),
        512,
      );
      assertEquals(errno, "SUCCESS");
      const mtim = hand.u64(560);
      if (mode === "coarse") assert(mtim > 0n && mtim % STEP === 0n);
      else if (mode === "real") assert(mtim > 0n);
      else assertEquals(mtim, 0n, mode ?? "none");
    }
  } finally {
    await Deno.remove(host, { recursive: true });
  }
});

Deno.test("random_get() gives no more at a time than a read", () => {
  using hand = new GuestHand({ pages: 257 });
  const most = 16 * 2 ** 20;
  assertEquals(hand.call("random_get", 0, most + 1), "INVAL");
  assertEquals(hand.call("random_get", 0, most), "SUCCESS");
});

Deno.test("random_get() gives the bytes of its seed, or others each time", () => {
  const bytes = (random: object, lengths: readonly number[]) => {
    using hand = new GuestHand({
      policy: [{ type: "random", ...random }],
      pages: 3,
    });
    let at = 0;
    for (const length of lengths) {
      assertEquals(hand.call("random_get", at, length), "SUCCESS");
      at += length;
    }
    return hand.memory.slice(0, at);
  };
  const first = bytes({ seed: 7 }, [100_000]);
  assertEquals(bytes({ seed: 7 }, [1, 0, 2, 3, 99_994]), first);
  // the same in every version of this package, too
  assertEquals(first.slice(0, 8).toHex(), "8be48b0c5c4b622a");
  assert(bytes({ seed: 8 }, [64]).join() !== first.slice(0, 64).join());
  assert(
    bytes({ seed: 7 + 2 ** 32 }, [64]).join() !== first.slice(0, 64).join(),
  );
  const [one, other] = [bytes({}, [64]), bytes({}, [64])];
  assert(one.join() !== other.join());
  // every value comes about as often as any other
  const counts = new Array<number>(256).fill(0);
  for (const byte of first) counts[byte] = (counts[byte] ?? 0) + 1;
  assert(counts.every((count) => count > 300 && count < 490), counts.join());
});

/** What is subscribed to, in the layout of preview 1. */
function subscribe(
  hand: GuestHand,
  { at = 0, ...subscription }: {
    at?: number;
    clock?: number;
    timeout?: bigint;
    flags?: number;
    type?: number;
    fd?: number;
  },
): void {
  const { clock = 0, timeout = 0n, flags = 0, type = 0, fd } = subscription;
  hand.memory.fill(0, at, at + 48);
  hand.setU64(at, BigInt(at + 7));
  hand.memory[at + 8] = type;
  hand.setU32(at + 16, fd ?? clock);
  hand.setU64(at + 24, timeout);
  hand.setU32(at + 40, flags);
}

/** Events as `userdata errno type`. */
function poll(hand: GuestHand, count: number): readonly string[] {
  hand.memory.fill(255, 1000, 1000 + 32 * count);
  const errno = hand.call("poll_oneoff", 0, 1000, count, 2000);
  if (errno !== "SUCCESS") return [errno];
  return Array.from({ length: hand.u32(2000) }, (_, index) => {
    const at = 1000 + index * 32;
    // no byte that stood there before shows
    assertEquals([...hand.memory.slice(at + 11, at + 16)], [0, 0, 0, 0, 0]);
    assertEquals([...hand.memory.slice(at + 26, at + 32)], [0, 0, 0, 0, 0, 0]);
    return `${hand.u64(at)} ${hand.u16(at + 8)} ${hand.memory[at + 10]} ${
      hand.u64(at + 16)
    }`;
  });
}

Deno.test("poll_oneoff() sleeps until the earliest clock", () => {
  using hand = withClock({ mode: "real" });
  subscribe(hand, { at: 0, clock: 1, timeout: 50n * STEP });
  subscribe(hand, { at: 48, clock: 1, timeout: 20n * STEP });
  subscribe(hand, { at: 96, clock: 0, timeout: 20n * STEP });
  assertEquals(poll(hand, 3), ["55 0 0 0", "103 0 0 0"]);
  assertEquals(hand.slept, [20]);
  const now = time(hand, 1);
  assert(typeof now === "bigint");
  subscribe(hand, { clock: 1, timeout: now + 1_000n * STEP, flags: 1 });
  assertEquals(poll(hand, 1), ["7 0 0 0"]);
  assert((hand.slept[1] ?? 0) > 900 && (hand.slept[1] ?? 0) <= 1_000);
  subscribe(hand, { clock: 1, timeout: now, flags: 1 });
  assertEquals(poll(hand, 1), ["7 0 0 0"]);
  assertEquals(hand.slept.length, 2);
  subscribe(hand, { clock: 0, timeout: 2n ** 64n - 1n });
  assertEquals(poll(hand, 1), ["7 0 0 0"]);
  assert((hand.slept[2] ?? 0) > 1e13);
});

Deno.test("poll_oneoff() does not sleep when something is ready", () => {
  using hand = withClock({ mode: "real" });
  const fd = hand.opened("a", { flags: OPEN.CREAT, rights: READ | WRITE });
  hand.write(fd, "text");
  hand.call("fd_seek", fd, 1n, 0, 512);
  subscribe(hand, { at: 0, timeout: 1_000n * STEP });
  subscribe(hand, { at: 48, type: 1, fd });
  subscribe(hand, { at: 96, type: 2, fd });
  subscribe(hand, { at: 144, type: 1, fd: 0 });
  subscribe(hand, { at: 192, type: 2, fd: 1 });
  assertEquals(poll(hand, 5), [
    "55 0 1 3",
    "103 0 2 1",
    "151 0 1 1",
    "199 0 2 1",
  ]);
  assertEquals(hand.slept, []);
});

Deno.test("poll_oneoff() has an event for what cannot be waited for", () => {
  using hand = withClock({ mode: "coarse" });
  subscribe(hand, { at: 0, type: 1, fd: 99 });
  subscribe(hand, { at: 48, type: 2, fd: 3 });
  subscribe(hand, { at: 96, type: 1, fd: 1 });
  subscribe(hand, { at: 144, type: 3 });
  subscribe(hand, { at: 192, clock: 9 });
  subscribe(hand, { at: 240, clock: 2 });
  subscribe(hand, { at: 288, clock: 0, flags: 2 });
  assertEquals(poll(hand, 7), [
    "7 8 1 0",
    "55 8 2 0",
    "103 8 1 0",
    "151 28 3 0",
    "199 28 0 0",
    "247 76 0 0",
    "295 28 0 0",
  ]);
  assertEquals(hand.slept, []);
  assertEquals(hand.denied(), ["clock.sleep process_cputime"]);
  assertEquals(poll(hand, 0), ["INVAL"]);
  assertEquals(hand.call("poll_oneoff", 0, 1000, 1025, 2000), "INVAL");
  assertEquals(hand.call("poll_oneoff", 0, 1000, -1, 2000), "INVAL");
});

Deno.test("poll_oneoff() reads the layout of wasi_unstable", () => {
  using hand = new GuestHand({ module: "wasi_unstable" });
  for (const [index, ms] of [30n, 10n].entries()) {
    const at = index * 56;
    hand.setU64(at, BigInt(index + 1));
    hand.setU64(at + 16, 77n); // a mark of the clock's own
    hand.setU32(at + 24, 1);
    hand.setU64(at + 32, ms * STEP);
  }
  assertEquals(hand.call("poll_oneoff", 0, 1000, 2, 2000), "SUCCESS");
  assertEquals([hand.u32(2000), hand.u64(1000)], [1, 2n]);
  assertEquals(hand.slept, [10]);
});

Deno.test("poll_oneoff() reads all that it is given before it writes", () => {
  using hand = withClock({ mode: "real" });
  for (let index = 0; index < 4; index++) {
    subscribe(hand, { at: index * 48, type: 2, fd: 1 });
  }
  assertEquals(hand.call("poll_oneoff", 0, 0, 4, 2000), "SUCCESS");
  const marks = Array.from({ length: 4 }, (_, index) => hand.u64(index * 32));
  assertEquals(marks, [7n, 55n, 103n, 151n]);
});
