// deno-lint-ignore-file camelcase -- functions have the names of WASI
import { assert, assertEquals } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { SIGNATURES, type WasiFunctionName } from "../../runtime/wasi/abi.ts";
import { GuestHand, OPEN, PROGRAM, READ, WRITE } from "./_guest.ts";

/** What becomes of a call without the capability that it needs. */
interface Refusal {
  /** Types of the capabilities that are left out, one at a time. */
  readonly without: string;
  /** The call. */
  readonly args: readonly (number | bigint)[];
  /** The errno, or the code of the error that ends the guest. */
  readonly errno: string;
  /** What is recorded, each time; `none` if there is nothing to be used. */
  readonly events: readonly string[];
}

const NO_DESCRIPTOR = "BADF";
const NONE: readonly string[] = [];
const A = [100, 1] as const;
const B = [110, 1] as const;

/** A call on a descriptor that only the filesystem capability could give. */
function onDescriptor(...args: readonly (number | bigint)[]): Refusal {
  return {
    without: "filesystem",
    args: [3, ...args],
    errno: NO_DESCRIPTOR,
    events: NONE,
  };
}

/** A call on a path. */
function onPath(
  action: "read" | "write",
  args: readonly (number | bigint)[],
  resources: readonly string[] = ["/a"],
): Refusal {
  return {
    without: "filesystem",
    args,
    errno: "NOTCAPABLE",
    events: resources.map((resource) => `filesystem.${action} ${resource}`),
  };
}

/** A call on a socket, which nothing grants. */
function onSocket(...args: readonly (number | bigint)[]): Refusal {
  const events = ["network.socket"];
  return { without: "", args: [0, ...args], errno: "NOTSOCK", events };
}

/** A row for every function: without one the first test fails. */
const ROWS: Readonly<Record<WasiFunctionName, readonly Refusal[]>> = {
  args_get: [{
    without: "process",
    args: [512, 600],
    errno: "SUCCESS",
    events: ["process.arguments"],
  }],
  args_sizes_get: [{
    without: "process",
    args: [512, 600],
    errno: "SUCCESS",
    events: ["process.arguments"],
  }],
  environ_get: [{
    without: "environment",
    args: [512, 600],
    errno: "SUCCESS",
    events: ["environment.read"],
  }],
  environ_sizes_get: [{
    without: "environment",
    args: [512, 600],
    errno: "SUCCESS",
    events: ["environment.read"],
  }],
  clock_res_get: clocks("read", (id) => [id, 512]),
  clock_time_get: clocks("read", (id) => [id, 0n, 512]),
  fd_advise: [onDescriptor(0n, 0n, 0)],
  fd_allocate: [onDescriptor(0n, 1n)],
  fd_close: [onDescriptor()],
  fd_datasync: [onDescriptor()],
  fd_fdstat_get: [onDescriptor(512)],
  fd_fdstat_set_flags: [onDescriptor(0)],
  fd_fdstat_set_rights: [onDescriptor(0n, 0n)],
  fd_filestat_get: [onDescriptor(512)],
  fd_filestat_set_size: [onDescriptor(0n)],
  fd_filestat_set_times: [onDescriptor(0n, 0n, 5)],
  fd_pread: [onDescriptor(200, 1, 0n, 512)],
  fd_prestat_dir_name: [{
    ...onDescriptor(512, 8),
    events: ["filesystem.read /"],
  }],
  fd_prestat_get: [{ ...onDescriptor(512), events: ["filesystem.read /"] }],
  fd_pwrite: [onDescriptor(200, 1, 0n, 512)],
  fd_read: [onDescriptor(200, 1, 512), stream("stdin", 0)],
  fd_readdir: [onDescriptor(512, 64, 0n, 600)],
  fd_renumber: [onDescriptor(0)],
  fd_seek: [onDescriptor(0n, 0, 512)],
  fd_sync: [onDescriptor()],
  fd_tell: [onDescriptor(512)],
  fd_write: [
    onDescriptor(200, 1, 512),
    stream("stdout", 1),
    stream("stderr", 2),
  ],
  path_create_directory: [onPath("write", [3, ...A])],
  path_filestat_get: [onPath("read", [3, 0, ...A, 512])],
  path_filestat_set_times: [onPath("write", [3, 0, ...A, 0n, 0n, 5])],
  path_link: [onPath("write", [3, 0, ...A, 3, ...B])],
  path_open: [
    onPath("read", [3, 0, ...A, 0, READ, 0n, 0, 512]),
    onPath("write", [3, 0, ...A, 0, WRITE, 0n, 0, 512]),
    onPath("write", [3, 0, ...A, OPEN.CREAT, 0n, 0n, 0, 512]),
    onPath("write", [3, 0, ...A, OPEN.TRUNC, 0n, 0n, 0, 512]),
  ],
  path_readlink: [onPath("read", [3, ...A, 512, 8, 600])],
  path_remove_directory: [onPath("write", [3, ...A])],
  path_rename: [onPath("write", [3, ...A, 3, ...B])],
  path_symlink: [onPath("write", [...A, 3, ...B], ["/b"])],
  path_unlink_file: [onPath("write", [3, ...A])],
  // the one subscription has an event that says NOTCAPABLE
  poll_oneoff: [{
    without: "clock",
    args: [300, 512, 1, 600],
    errno: "SUCCESS",
    events: ["clock.sleep realtime"],
  }],
  proc_exit: [{
    without: "process",
    args: [1],
    errno: "capability-not-granted",
    events: ["process.exit"],
  }],
  proc_raise: ["", "process"].map((without) => ({
    without,
    args: [6],
    errno: "NOTCAPABLE",
    events: ["process.signal 6"],
  })),
  random_get: [{
    without: "random",
    args: [512, 8],
    errno: "NOTCAPABLE",
    events: ["random.read"],
  }],
  // takes nothing and gives nothing
  sched_yield: [{ without: "", args: [], errno: "SUCCESS", events: NONE }],
  sock_accept: [onSocket(0, 512)],
  sock_recv: [onSocket(200, 1, 0, 512, 516)],
  sock_send: [onSocket(200, 1, 0, 512)],
  sock_shutdown: [onSocket(0)],
};

function clocks(
  action: string,
  args: (id: number) => readonly (number | bigint)[],
): readonly Refusal[] {
  return ["realtime", "monotonic", "process_cputime", "thread_cputime"].map((
    clock,
    id,
  ) => ({
    without: "clock",
    args: args(id),
    errno: "NOTCAPABLE",
    events: [`clock.${action} ${clock}`],
  }));
}

function stream(name: string, fd: number): Refusal {
  return {
    without: "stdio",
    args: [fd, 200, 1, 512],
    errno: "NOTCAPABLE",
    events: [`stdio.${name}`],
  };
}

function isOther(type: string): (capability: object) => boolean {
  return (capability) => (capability as { type: string }).type !== type;
}

/** What a call ends with: an errno, or the code of an error. */
function outcome(
  hand: GuestHand,
  name: string,
  args: readonly (number | bigint)[],
): string {
  try {
    return hand.call(name, ...args);
  } catch (error) {
    assert(SandboxError.is(error), String(error));
    return error.code;
  }
}

Deno.test("Wasi has a row of refusals for every function", () => {
  assertEquals(
    Object.keys(ROWS).toSorted(),
    Object.keys(SIGNATURES).toSorted(),
  );
});

Deno.test("Wasi refuses and records every function without its capability", () => {
  for (const name of Object.keys(ROWS) as WasiFunctionName[]) {
    for (const { without, args, errno, events } of ROWS[name]) {
      using hand = new GuestHand({ policy: PROGRAM.filter(isOther(without)) });
      hand.text("a", 100);
      hand.text("b", 110);
      hand.setU32(200, 700);
      hand.setU32(204, 4);
      const before = hand.memory.slice();
      const what = `${name} without ${without}`;
      // each time, and not just the first
      for (let time = 0; time < 2; time++) {
        assertEquals(outcome(hand, name, args), errno, what);
        assertEquals(hand.denied(), events, what);
      }
      if (errno !== "SUCCESS") assertEquals(hand.memory, before, what);
    }
  }
});

Deno.test("Wasi refuses and records every change below a mount that is read", () => {
  const changes: readonly (readonly [
    WasiFunctionName,
    readonly (number | bigint)[],
    string,
  ])[] = [
    ["path_create_directory", [3, 120, 3], "/new"],
    ["path_filestat_set_times", [3, 0, ...A, 0n, 0n, 5], "/a"],
    ["path_link", [3, 0, ...A, 3, ...B], "/a"],
    ["path_open", [3, 0, ...A, 0, WRITE, 0n, 0, 512], "/a"],
    ["path_open", [3, 0, ...A, OPEN.CREAT, READ, 0n, 0, 512], "/a"],
    ["path_open", [3, 0, ...A, OPEN.TRUNC, READ, 0n, 0, 512], "/a"],
    ["path_open", [3, 0, ...B, OPEN.CREAT, READ, 0n, 0, 512], "/b"],
    ["path_remove_directory", [3, ...A], "/a"],
    ["path_rename", [3, ...A, 3, ...B], "/a"],
    ["path_symlink", [...A, 3, ...B], "/b"],
    ["path_unlink_file", [3, ...A], "/a"],
    ["fd_allocate", [4, 0n, 100n], "/a"],
    ["fd_filestat_set_size", [4, 0n], "/a"],
    ["fd_filestat_set_times", [4, 0n, 0n, 5], "/a"],
    ["fd_write", [4, 200, 1, 512], "/a"],
    ["fd_pwrite", [4, 200, 1, 0n, 512], "/a"],
  ];
  for (const [name, args, resource] of changes) {
    using hand = new GuestHand({
      policy: [{
        type: "filesystem",
        mounts: [{ guest: "/", memory: true, access: "read" }],
      }],
      run: { files: { "/a": new Uint8Array([1, 2, 3]) } },
    });
    hand.text("a", 100);
    hand.text("b", 110);
    hand.text("new", 120);
    assertEquals(hand.opened("a", { rights: READ }), 4);
    assertEquals(hand.denied(), []);
    assertEquals(hand.call(name, ...args), "NOTCAPABLE", name);
    assertEquals(hand.denied(), [`filesystem.write ${resource}`], name);
    assertEquals(
      [...hand.wasi.files()],
      [["/a", new Uint8Array([1, 2, 3])]],
      name,
    );
  }
});

Deno.test("Wasi decides once on what it allows, and on each path", () => {
  using hand = new GuestHand();
  for (let time = 0; time < 3; time++) {
    hand.call("clock_time_get", 0, 0n, 512);
    hand.call("random_get", 512, 8);
    hand.call("args_sizes_get", 512, 516);
    hand.write(1, "x");
  }
  const allowed = () =>
    hand.events.splice(0).map(({ operation, resource, decision }) =>
      `${decision} ${operation} ${resource}`.trim()
    );
  assertEquals(allowed(), [
    "allowed clock.read realtime",
    "allowed random.read",
    "allowed process.arguments",
    "allowed stdio.stdout",
  ]);
  for (let time = 0; time < 2; time++) {
    hand.call("path_filestat_get", 3, 0, ...hand.text("a"), 512);
  }
  assertEquals(allowed(), [
    "allowed filesystem.read /a",
    "allowed filesystem.read /a",
  ]);
});

Deno.test("Wasi records paths that lead out as they were asked for", () => {
  using hand = new GuestHand({
    policy: [{
      type: "filesystem",
      mounts: [{ guest: "/data", memory: true }],
    }],
    run: { files: { "/data/sub/a": new Uint8Array() } },
  });
  const sub = hand.opened("sub", { flags: OPEN.DIRECTORY });
  assertEquals(hand.denied(), []);
  for (
    const [path, directory, resource] of [
      ["../etc/passwd", 3, "/data/../etc/passwd"],
      ["sub/../../x", 3, "/data/sub/../../x"],
      ["..", sub, "/data/sub/.."],
      ["/etc/passwd", 3, "/etc/passwd"],
    ] as const
  ) {
    assertEquals(hand.open(path, { directory }), "NOTCAPABLE", path);
    assertEquals(hand.denied(), [`filesystem.read ${resource}`], path);
  }
});
