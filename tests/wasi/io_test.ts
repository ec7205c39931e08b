import { assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { GuestHand, OPEN, READ, WRITE } from "./_guest.ts";

const FILE = { flags: OPEN.CREAT, rights: READ | WRITE };

/** Content of a file in memory. */
function content(hand: GuestHand, path: string): string {
  return new TextDecoder().decode(hand.wasi.files().get(path));
}

Deno.test("fd_write() and fd_read() go through all buffers", () => {
  using hand = new GuestHand();
  const fd = hand.opened("a", FILE);
  hand.text("abcdef", 1000);
  const list = hand.buffers([1000, 2], [1004, 0], [1002, 1], [1000, 3]);
  assertEquals(hand.call("fd_write", fd, list, 4, 16), "SUCCESS");
  assertEquals([hand.u32(16), content(hand, "/a")], [6, "abcabc"]);
  hand.call("fd_seek", fd, 1n, 0, 512);
  const into = hand.buffers([2000, 3], [3000, 100]);
  assertEquals(hand.call("fd_read", fd, into, 2, 16), "SUCCESS");
  assertEquals(
    [hand.u32(16), hand.string(2000, 4), hand.string(3000, 3)],
    [5, "bca\0", "bc\0"],
  );
});

Deno.test("fd_read() takes buffers that overlap each other and their list", () => {
  using hand = new GuestHand();
  const fd = hand.opened("a", FILE);
  hand.write(fd, "0123456789");
  hand.call("fd_seek", fd, 0n, 0, 512);
  // the list was read before the first byte is written over it
  const list = hand.buffers([20_000, 4], [20_002, 4]);
  assertEquals(hand.call("fd_read", fd, list, 2, 16), "SUCCESS");
  assertEquals([hand.u32(16), hand.string(20_000, 6)], [8, "014567"]);
});

Deno.test("fd_write() looks at every buffer before it writes the first", () => {
  using hand = new GuestHand();
  const fd = hand.opened("a", FILE);
  for (const bad of [[65_530, 7], [-1, 1], [0, -1], [65_537, 0]] as const) {
    const list = hand.buffers([1000, 4], bad);
    assertEquals(hand.call("fd_write", fd, list, 2, 16), "FAULT");
    assertEquals(hand.call("fd_write", 1, list, 2, 16), "FAULT");
    assertEquals(hand.call("fd_read", 0, list, 2, 16), "FAULT");
  }
  assertEquals([content(hand, "/a"), hand.stdout], ["", ""]);
  assertEquals(hand.call("fd_write", fd, 0, 1025, 16), "INVAL");
  assertEquals(hand.call("fd_write", fd, 0, -1, 16), "INVAL");
  assertEquals(hand.call("fd_write", fd, 0, 1024, 16), "SUCCESS");
  assertEquals(hand.call("fd_write", fd, 65_535, 0, 16), "SUCCESS");
});

Deno.test("fd_write() moves no more at a time than it says, and says so", () => {
  using hand = new GuestHand({
    pages: 100,
    limits: { writtenBytes: 2 ** 30 },
    policy: [
      {
        type: "filesystem",
        mounts: [{ guest: "/", memory: true, maxBytes: 2 ** 26 }],
      },
    ],
  });
  const fd = hand.opened("a", FILE);
  const list = hand.buffers(
    ...Array.from({ length: 5 }, () => [0, 4 * 2 ** 20] as const),
  );
  assertEquals(hand.call("fd_write", fd, list, 5, 16), "SUCCESS");
  assertEquals(hand.u32(16), 16 * 2 ** 20);
});

Deno.test("fd_pread() and fd_pwrite() leave the position", () => {
  using hand = new GuestHand();
  const fd = hand.opened("a", FILE);
  hand.write(fd, "0123");
  const [at] = hand.text("xy", 1000);
  const list = hand.buffers([at, 2]);
  assertEquals(hand.call("fd_pwrite", fd, list, 1, 1n, 16), "SUCCESS");
  assertEquals(content(hand, "/a"), "0xy3");
  assertEquals(hand.call("fd_pread", fd, list, 1, 3n, 16), "SUCCESS");
  assertEquals([hand.u32(16), hand.string(at, 2)], [1, "3y"]);
  hand.call("fd_tell", fd, 512);
  assertEquals(hand.u64(512), 4n);
  for (const at of [-1n, 1n << 53n, 1n << 63n]) {
    assertEquals(hand.call("fd_pwrite", fd, list, 1, at, 16), "INVAL");
    assertEquals(hand.call("fd_pread", fd, list, 1, at, 16), "INVAL");
  }
  assertEquals(hand.call("fd_pread", 0, list, 1, 0n, 16), "SPIPE");
  assertEquals(hand.call("fd_pwrite", 1, list, 1, 0n, 16), "SPIPE");
});

Deno.test("fd_seek() counts from where its draft of WASI says", () => {
  for (
    const [module, start, current, end] of [
      ["wasi_snapshot_preview1", 0, 1, 2],
      ["wasi_unstable", 2, 0, 1],
    ] as const
  ) {
    using hand = new GuestHand({ module });
    const fd = hand.opened("a", FILE);
    hand.write(fd, "0123456789");
    const seek = (offset: bigint, whence: number) =>
      hand.call("fd_seek", fd, offset, whence, 512) === "SUCCESS"
        ? hand.u64(512)
        : hand.call("fd_seek", fd, offset, whence, 512);
    assertEquals(seek(4n, start), 4n);
    assertEquals(seek(-1n, current), 3n);
    assertEquals(seek(-1n, end), 9n);
    assertEquals(seek(100n, end), 110n);
    assertEquals(seek(-111n, current), "INVAL");
    assertEquals(seek(-1n, start), "INVAL");
    assertEquals(seek(1n << 62n, start), "INVAL");
    assertEquals(seek(0n, 3), "INVAL");
    assertEquals(seek(0n, current), 110n);
    assertEquals(hand.call("fd_seek", 1, 0n, end, 512), "SPIPE");
  }
});

Deno.test("fd_filestat_get() has the layout of its draft of WASI", () => {
  for (
    const [module, bytes, nlink, size] of [
      ["wasi_snapshot_preview1", 64, 24, 32],
      ["wasi_unstable", 56, 20, 24],
    ] as const
  ) {
    using hand = new GuestHand({ module });
    const fd = hand.opened("a", FILE);
    hand.write(fd, "text");
    hand.call("fd_filestat_set_times", fd, 11n, 22n, 5);
    hand.memory.fill(255, 512, 600);
    assertEquals(hand.call("fd_filestat_get", fd, 512), "SUCCESS");
    assertEquals(hand.u64(512), 1n, "device");
    assertEquals([...hand.memory.slice(528, 532)], [4, 0, 0, 0], "type");
    assertEquals(hand.u32(512 + nlink), 1, "links");
    assertEquals(hand.u64(512 + size), 4n, "size");
    assertEquals(hand.u64(512 + size + 8), 11n, "atim");
    assertEquals(hand.u64(512 + size + 16), 22n, "mtim");
    assertEquals(hand.memory[512 + bytes], 255, "what follows");
    assertEquals(hand.memory[512 + bytes - 1] === 255, false, "the last byte");
  }
});

Deno.test("fd_filestat_set_times() refuses flags that contradict", () => {
  using hand = new GuestHand();
  const fd = hand.opened("a", FILE);
  for (const flags of [3, 12, 15, 16, -1]) {
    assertEquals(
      hand.call("fd_filestat_set_times", fd, 1n, 1n, flags),
      "INVAL",
    );
    assertEquals(
      hand.call(
        "path_filestat_set_times",
        3,
        0,
        ...hand.text("a"),
        1n,
        1n,
        flags,
      ),
      "INVAL",
    );
  }
  assertEquals(hand.call("fd_filestat_set_times", fd, -1n, -1n, 5), "SUCCESS");
  assertEquals(hand.call("fd_filestat_get", fd, 512), "SUCCESS");
});

Deno.test("fd_allocate() grows a file and never cuts it", () => {
  using hand = new GuestHand();
  const fd = hand.opened("a", FILE);
  const allocate = (offset: bigint, length: bigint) => {
    const errno = hand.call("fd_allocate", fd, offset, length);
    return [errno, hand.wasi.files().get("/a")?.length];
  };
  assertEquals(allocate(10n, 5n), ["SUCCESS", 15]);
  assertEquals(allocate(0n, 5n), ["SUCCESS", 15]);
  assertEquals(allocate(0n, 0n), ["INVAL", 15]);
  assertEquals(allocate(-1n, -1n), ["FBIG", 15]);
  assertEquals(hand.call("fd_filestat_set_size", fd, -1n), "INVAL");
  assertEquals(hand.call("fd_filestat_set_size", 1, 0n), "INVAL");
  assertEquals(hand.call("fd_advise", fd, 0n, 0n, 6), "INVAL");
  assertEquals(hand.call("fd_advise", fd, 0n, 0n, 5), "SUCCESS");
  assertEquals(hand.call("fd_sync", 1), "INVAL");
});

Deno.test("fd_write() ends the guest at writtenBytes and at no mount's size", () => {
  using hand = new GuestHand({
    limits: { writtenBytes: 10 },
    policy: [
      {
        type: "filesystem",
        mounts: [{ guest: "/", memory: true, maxBytes: 6 }],
      },
    ],
  });
  const fd = hand.opened("a", FILE);
  assertEquals(hand.write(fd, "123456"), "SUCCESS");
  assertEquals(hand.write(fd, "7"), "NOSPC");
  const error = assertThrows(() => hand.write(fd, "12345"), SandboxError);
  assertEquals(error.code, "limit-exceeded");
  assertEquals(content(hand, "/a"), "123456");
});

Deno.test("Wasi charges fuel for calls and for what they move", () => {
  using hand = new GuestHand();
  hand.call("sched_yield");
  assertEquals(hand.fuel, 10);
  const fd = hand.opened("a", FILE);
  hand.fuel = 0;
  hand.call("fd_write", fd, hand.buffers([0, 8_000]), 1, 16);
  assertEquals(hand.fuel, 1_010);
  hand.fuel = 0;
  hand.call("random_get", 0, 8_000);
  assertEquals(hand.fuel, 1_010);
});
