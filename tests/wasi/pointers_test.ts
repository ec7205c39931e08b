// deno-lint-ignore-file camelcase -- functions have the names of WASI
import { assert, assertEquals } from "@std/assert";
import { SIGNATURES, type WasiFunctionName } from "../../runtime/wasi/abi.ts";
import { SandboxError } from "../../errors.ts";
import { GuestHand, OPEN, READ, WRITE } from "./_guest.ts";

/** Where a parameter is a pointer, and how far it reaches at the least. */
type Reach = readonly [index: number, bytes: number];

/** A call that works, and its pointers. `f` is a file, `d` a directory. */
interface Row {
  readonly args: readonly (number | bigint | "f" | "d")[];
  readonly pointers: readonly Reach[];
}

const PATH = [100, 1] as const;

/** Every function has a row: without one the first test fails. */
const ROWS: Readonly<Record<WasiFunctionName, Row>> = {
  args_get: { args: [512, 600], pointers: [[0, 8], [1, 10]] },
  args_sizes_get: { args: [512, 516], pointers: [[0, 4], [1, 4]] },
  clock_res_get: { args: [0, 512], pointers: [[1, 8]] },
  clock_time_get: { args: [0, 0n, 512], pointers: [[2, 8]] },
  environ_get: { args: [512, 600], pointers: [[0, 4], [1, 11]] },
  environ_sizes_get: { args: [512, 516], pointers: [[0, 4], [1, 4]] },
  fd_advise: { args: ["f", 0n, 0n, 0], pointers: [] },
  fd_allocate: { args: ["f", 0n, 1n], pointers: [] },
  fd_close: { args: ["f"], pointers: [] },
  fd_datasync: { args: ["f"], pointers: [] },
  fd_fdstat_get: { args: ["f", 512], pointers: [[1, 24]] },
  fd_fdstat_set_flags: { args: ["f", 1], pointers: [] },
  fd_fdstat_set_rights: { args: ["f", 0n, 0n], pointers: [] },
  fd_filestat_get: { args: ["f", 512], pointers: [[1, 64]] },
  fd_filestat_set_size: { args: ["f", 1n], pointers: [] },
  fd_filestat_set_times: { args: ["f", 1n, 1n, 5], pointers: [] },
  fd_pread: { args: ["f", 200, 1, 0n, 512], pointers: [[1, 8], [4, 4]] },
  fd_prestat_dir_name: { args: [3, 512, 1], pointers: [[1, 1]] },
  fd_prestat_get: { args: [3, 512], pointers: [[1, 8]] },
  fd_pwrite: { args: ["f", 200, 1, 0n, 512], pointers: [[1, 8], [4, 4]] },
  fd_read: { args: ["f", 200, 1, 512], pointers: [[1, 8], [3, 4]] },
  fd_readdir: { args: ["d", 512, 64, 0n, 600], pointers: [[1, 64], [4, 4]] },
  fd_renumber: { args: ["f", "d"], pointers: [] },
  fd_seek: { args: ["f", 1n, 0, 512], pointers: [[3, 8]] },
  fd_sync: { args: ["f"], pointers: [] },
  fd_tell: { args: ["f", 512], pointers: [[1, 8]] },
  fd_write: { args: ["f", 200, 1, 512], pointers: [[1, 8], [3, 4]] },
  path_create_directory: { args: [3, 110, 1], pointers: [[1, 1]] },
  path_filestat_get: {
    args: [3, 0, ...PATH, 512],
    pointers: [[2, 1], [4, 64]],
  },
  path_filestat_set_times: {
    args: [3, 0, ...PATH, 1n, 1n, 5],
    pointers: [[2, 1]],
  },
  path_link: { args: [3, 0, ...PATH, 3, 110, 1], pointers: [[2, 1], [5, 1]] },
  path_open: {
    args: [3, 0, 110, 1, OPEN.CREAT, READ, 0n, 0, 512],
    pointers: [[2, 1], [8, 4]],
  },
  path_readlink: {
    args: [3, 120, 1, 512, 8, 600],
    pointers: [[1, 1], [3, 8], [5, 4]],
  },
  path_remove_directory: { args: [3, 130, 1], pointers: [[1, 1]] },
  path_rename: { args: [3, ...PATH, 3, 110, 1], pointers: [[1, 1], [4, 1]] },
  path_symlink: { args: [100, 1, 3, 110, 1], pointers: [[0, 1], [3, 1]] },
  path_unlink_file: { args: [3, ...PATH], pointers: [[1, 1]] },
  poll_oneoff: {
    args: [300, 512, 1, 600],
    pointers: [[0, 48], [1, 32], [3, 4]],
  },
  proc_exit: { args: [0], pointers: [] },
  proc_raise: { args: [6], pointers: [] },
  random_get: { args: [512, 64], pointers: [[0, 64]] },
  sched_yield: { args: [], pointers: [] },
  sock_accept: { args: ["f", 0, 512], pointers: [] },
  sock_recv: { args: ["f", 200, 1, 0, 512, 516], pointers: [] },
  sock_send: { args: ["f", 200, 1, 0, 512], pointers: [] },
  sock_shutdown: { args: ["f", 0], pointers: [] },
};

const NAMES = Object.keys(ROWS) as WasiFunctionName[];

/** A guest with a file `a`, a link `l`, a directory `e` and what rows refer to. */
function guest(): {
  readonly hand: GuestHand;
  readonly args: (name: WasiFunctionName) => (number | bigint)[];
} {
  const hand = new GuestHand({
    policy: [
      {
        type: "filesystem",
        mounts: [{ guest: "/", memory: true, symlinks: "within" }],
      },
      { type: "environment", variables: { NAME: "value" } },
      { type: "clock", mode: "virtual" },
      { type: "random", seed: 1 },
      { type: "process" },
      { type: "stdio" },
    ],
    run: { files: { "/a": new Uint8Array(8) } },
  });
  hand.text("a", 100);
  hand.text("b", 110);
  hand.text("l", 120);
  hand.text("e", 130);
  assertEquals(hand.call("path_symlink", 100, 1, 3, 120, 1), "SUCCESS");
  assertEquals(hand.call("path_create_directory", 3, 130, 1), "SUCCESS");
  hand.setU32(200, 512);
  hand.setU32(204, 4);
  const f = hand.opened("a", { rights: READ | WRITE });
  const d = hand.opened(".", { flags: OPEN.DIRECTORY });
  return {
    hand,
    args: (name) =>
      ROWS[name].args.map((arg) => arg === "f" ? f : arg === "d" ? d : arg),
  };
}

Deno.test("Wasi has a row of hostile pointers for every function", () => {
  assertEquals(NAMES.toSorted(), Object.keys(SIGNATURES).toSorted());
  for (const name of NAMES) {
    assertEquals(ROWS[name].args.length, SIGNATURES[name].length, name);
  }
});

Deno.test("Wasi lets every row work with pointers that are in range", () => {
  const refused: Partial<Record<WasiFunctionName, string>> = {
    proc_raise: "NOTCAPABLE",
    sock_accept: "NOTSOCK",
    sock_recv: "NOTSOCK",
    sock_send: "NOTSOCK",
    sock_shutdown: "NOTSOCK",
  };
  for (const name of NAMES) {
    const { hand, args } = guest();
    using _hand = hand;
    if (name === "proc_exit") continue;
    assertEquals(
      hand.call(name, ...args(name)),
      refused[name] ?? "SUCCESS",
      name,
    );
  }
});

Deno.test("Wasi refuses every pointer that reaches out of the memory", () => {
  for (const name of NAMES) {
    for (const [index, bytes] of ROWS[name].pointers) {
      for (
        const pointer of [65_536 - bytes + 1, 65_536, 0x7fffffff, -1, -bytes]
      ) {
        const { hand, args } = guest();
        using _hand = hand;
        const files = contents(hand);
        const memory = hand.memory.slice();
        const hostile = args(name);
        hostile[index] = pointer;
        const what = `${name} with ${pointer} for parameter ${index}`;
        assertEquals(hand.call(name, ...hostile), "FAULT", what);
        // and nothing was done before that
        assertEquals(contents(hand), files, what);
        assertEquals(hand.memory, memory, what);
        assertEquals(hand.wasi.usage().openFiles, 6, what);
      }
    }
  }
});

Deno.test("Wasi takes the last bytes of the memory, and none", () => {
  for (const name of NAMES) {
    for (const [index, bytes] of ROWS[name].pointers) {
      const { hand, args } = guest();
      using _hand = hand;
      const row = args(name);
      const moved = Number(row[index]);
      const at = 65_536 - bytes;
      hand.memory.copyWithin(at, moved, moved + bytes);
      row[index] = at;
      const errno = hand.call(name, ...row);
      assert(errno === "SUCCESS", `${name}, parameter ${index}: ${errno}`);
    }
  }
});

Deno.test("Wasi ends only with an errno, whatever numbers it is given", () => {
  const NUMBERS = [0, 1, 3, 4, 5, 65_535, 65_536, 0x7fffffff, -1, -8];
  const WIDE = [0n, 1n, 0x7fffffffffffffffn, -1n, 1n << 53n];
  let state = 1;
  const pick = <T>(list: readonly T[]): T => {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    return list[(state >>> 8) % list.length] as T;
  };
  const { hand } = guest();
  using _hand = hand;
  for (let round = 0; round < 300; round++) {
    for (const name of NAMES) {
      if (name === "proc_exit") continue;
      const args = Array.from(
        SIGNATURES[name],
        (type) => type === "i" ? pick(NUMBERS) : pick(WIDE),
      );
      try {
        hand.call(name, ...args);
      } catch (error) {
        // growing a file beyond what may be written ends the guest
        assert(SandboxError.is(error, "limit-exceeded"), `${name}: ${error}`);
      }
    }
  }
});

function contents(hand: GuestHand): readonly string[] {
  return Array.from(
    hand.wasi.files(),
    ([path, bytes]) => `${path} ${[...bytes]}`,
  );
}
