/**
 * What guests may import of Wasmer, and what they must be granted for it.
 * Nobody stands between a guest and Wasmer's functions: what is not granted is
 * withheld by running no module that imports it.
 *
 * Wasmer's SDK has more than is listed here: functions that load and start other
 * modules, which no limit would reach, and functions that evaluate JavaScript.
 *
 * @module
 */

import type { Operation } from "../../security/types.ts";

/** Where Wasmer has the one directory whose files can be read back. */
export const WORKSPACE = "/workspace";

/** What each need is, as an auditor is asked for it. */
export const OPERATIONS = Object.freeze(
  {
    time: { capability: "clock", action: "read", resource: "realtime" },
    sleep: { capability: "clock", action: "sleep", resource: "monotonic" },
    random: { capability: "random", action: "read", resource: "" },
    exit: { capability: "process", action: "exit", resource: "" },
    files: {
      capability: "filesystem",
      action: "write",
      resource: WORKSPACE,
    },
  } as const satisfies Record<string, Omit<Operation, "via">>,
);

/** What a function may need. */
export type Need = keyof typeof OPERATIONS;

/** A function of Wasmer's. */
export interface WasmerFunction {
  /** What must be granted. */
  readonly needs: readonly Need[];
  /** Whether it is for modules with threads alone. */
  readonly threads: boolean;
}

type Table = readonly (readonly [needs: readonly Need[], names: string])[];

/** Functions of preview 1. */
const PREVIEW1: Table = [
  [[], "args_get args_sizes_get environ_get environ_sizes_get sched_yield"],
  [
    [],
    "fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get " +
    "fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_set_size " +
    "fd_filestat_set_times fd_pread fd_prestat_dir_name fd_prestat_get " +
    "fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write",
  ],
  // there are no sockets that they could be called with
  [[], "sock_accept sock_recv sock_send sock_shutdown"],
  // the times of files are the clock's
  [["time"], "clock_res_get clock_time_get fd_filestat_get"],
  [["time", "sleep"], "poll_oneoff"],
  [["exit"], "proc_exit"],
  [["random"], "random_get"],
  // one of the files is of random bytes
  [["files", "random"], "path_open"],
  [["files", "time"], "path_filestat_get"],
  [
    ["files"],
    "path_create_directory path_filestat_set_times path_link path_readlink " +
    "path_remove_directory path_rename path_symlink path_unlink_file",
  ],
];

/** What WASIX has beside them. */
const WASIX: Table = [
  [
    [],
    "callback_signal chdir fd_dup fd_fdflags_get fd_fdflags_set fd_pipe getcwd " +
    "proc_id proc_parent proc_signals_get proc_signals_sizes_get thread_id " +
    "thread_parallelism tty_get tty_set",
  ],
  [["exit"], "proc_exit2 thread_exit"],
  [["sleep"], "thread_sleep"],
  [["files", "random"], "path_open2"],
];

/** What WASIX has for threads. */
const THREADS = "futex_wait futex_wake futex_wake_all thread_join " +
  "thread_signal thread_spawn thread_spawn_v2";

/** All functions that a guest may import, by module and name. */
export const FUNCTIONS: ReadonlyMap<
  string,
  ReadonlyMap<string, WasmerFunction>
> = new Map([
  ["wasi_snapshot_preview1", listed(PREVIEW1)],
  ["wasi_unstable", listed(PREVIEW1)],
  ["wasix_32v1", listed([...PREVIEW1, ...WASIX], THREADS)],
  ["wasi", listed([], "thread-spawn")],
]);

/** What the memory is imported as that threads share. */
export const SHARED_MEMORY = Object.freeze({ module: "env", name: "memory" });

function listed(
  table: Table,
  threads = "",
): ReadonlyMap<string, WasmerFunction> {
  const functions = new Map<string, WasmerFunction>();
  for (const [needs, names] of table) {
    for (const name of names.split(" ")) {
      functions.set(name, { needs, threads: false });
    }
  }
  for (const name of threads.split(" ").filter((name) => name !== "")) {
    functions.set(name, { needs: [], threads: true });
  }
  return functions;
}
