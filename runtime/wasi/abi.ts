/**
 * The functions of WASI preview 1, and what its first draft has otherwise.
 *
 * @module
 */

import type { Signature } from "../types.ts";

/** Parameters of every function: `i` is an i32, `I` an i64. */
export const SIGNATURES = Object.freeze(
  {
    args_get: "ii",
    args_sizes_get: "ii",
    clock_res_get: "ii",
    clock_time_get: "iIi",
    environ_get: "ii",
    environ_sizes_get: "ii",
    fd_advise: "iIIi",
    fd_allocate: "iII",
    fd_close: "i",
    fd_datasync: "i",
    fd_fdstat_get: "ii",
    fd_fdstat_set_flags: "ii",
    fd_fdstat_set_rights: "iII",
    fd_filestat_get: "ii",
    fd_filestat_set_size: "iI",
    fd_filestat_set_times: "iIIi",
    fd_pread: "iiiIi",
    fd_prestat_dir_name: "iii",
    fd_prestat_get: "ii",
    fd_pwrite: "iiiIi",
    fd_read: "iiii",
    fd_readdir: "iiiIi",
    fd_renumber: "ii",
    fd_seek: "iIii",
    fd_sync: "i",
    fd_tell: "ii",
    fd_write: "iiii",
    path_create_directory: "iii",
    path_filestat_get: "iiiii",
    path_filestat_set_times: "iiiiIIi",
    path_link: "iiiiiii",
    path_open: "iiiiiIIii",
    path_readlink: "iiiiii",
    path_remove_directory: "iii",
    path_rename: "iiiiii",
    path_symlink: "iiiii",
    path_unlink_file: "iii",
    poll_oneoff: "iiii",
    proc_exit: "i",
    proc_raise: "i",
    random_get: "ii",
    sched_yield: "",
    sock_accept: "iii",
    sock_recv: "iiiiii",
    sock_send: "iiiii",
    sock_shutdown: "ii",
  } as const,
);

/** Functions that return nothing: the one that does not return. */
const NO_RESULT: ReadonlySet<string> = new Set(["proc_exit"]);

/**
 * Types of the functions of a module, as a runtime checks imports by them.
 *
 * @param abi Which module.
 * @returns The types by name; nothing has a prototype.
 */
export function signaturesOf(abi: Abi): Readonly<Record<string, Signature>> {
  const signatures: Record<string, Signature> = Object.create(null);
  for (const name of functionNames(abi)) {
    signatures[name] = Object.freeze<Signature>({
      params: Array.from(
        SIGNATURES[name],
        (type) => type === "i" ? "i32" : "i64",
      ),
      results: NO_RESULT.has(name) ? [] : ["i32"],
    });
  }
  return Object.freeze(signatures);
}

/** Names of the functions of a module. */
export function functionNames(abi: Abi): readonly WasiFunctionName[] {
  return (Object.keys(SIGNATURES) as WasiFunctionName[])
    .filter((name) => !abi.without.includes(name));
}

/** Name of a function of WASI. */
export type WasiFunctionName = keyof typeof SIGNATURES;

/** Parameters of a signature: unsigned, as the prologue hands them on. */
export type ParametersOf<S extends string> = S extends `i${infer Rest}`
  ? [number, ...ParametersOf<Rest>]
  : S extends `I${infer Rest}` ? [bigint, ...ParametersOf<Rest>]
  : [];

/**
 * Functions of WASI. A function that returns has succeeded; whatever else it
 * has to say is a `WasiError`.
 */
export type WasiFunctions<N extends WasiFunctionName = WasiFunctionName> = {
  readonly [Name in N]: (
    ...args: ParametersOf<(typeof SIGNATURES)[Name]>
  ) => void;
};

/** What `wasi_unstable` has otherwise than `wasi_snapshot_preview1`. */
export interface Abi {
  /** Name of the module that a guest imports. */
  readonly module: string;
  /** Functions that it does not have. */
  readonly without: readonly WasiFunctionName[];
  /** Layout of `filestat`. */
  readonly filestat: {
    readonly bytes: number;
    /** Where the number of links is, and of how many bits. */
    readonly nlink: { readonly at: number; readonly bits: 32 | 64 };
    readonly size: number;
    readonly atim: number;
    readonly mtim: number;
    readonly ctim: number;
  };
  /** Layout of `subscription`. */
  readonly subscription: {
    readonly bytes: number;
    readonly fd: number;
    readonly clockId: number;
    readonly timeout: number;
    readonly flags: number;
  };
  /** Where `fd_seek` counts from, by number. */
  readonly whence: readonly ("start" | "current" | "end")[];
}

/** WASI preview 1. */
export const PREVIEW1: Abi = Object.freeze<Abi>({
  module: "wasi_snapshot_preview1",
  without: [],
  filestat: {
    bytes: 64,
    nlink: { at: 24, bits: 64 },
    size: 32,
    atim: 40,
    mtim: 48,
    ctim: 56,
  },
  subscription: { bytes: 48, fd: 16, clockId: 16, timeout: 24, flags: 40 },
  whence: ["start", "current", "end"],
});

/** The draft before it, which is in use still. */
export const UNSTABLE: Abi = Object.freeze<Abi>({
  module: "wasi_unstable",
  without: ["sock_accept"],
  filestat: {
    bytes: 56,
    nlink: { at: 20, bits: 32 },
    size: 24,
    atim: 32,
    mtim: 40,
    ctim: 48,
  },
  subscription: { bytes: 56, fd: 16, clockId: 24, timeout: 32, flags: 48 },
  whence: ["current", "end", "start"],
});
