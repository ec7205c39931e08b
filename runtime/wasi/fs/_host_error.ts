/**
 * What errors of the host mean to a guest.
 *
 * @module
 */

import { type ErrnoName, WasiError } from "../errno.ts";

/** By the code that Deno takes over from the operating system. */
const BY_CODE: ReadonlyMap<unknown, ErrnoName> = new Map<unknown, ErrnoName>([
  ["EACCES", "ACCES"],
  ["EBADF", "BADF"],
  ["EBUSY", "BUSY"],
  ["EDQUOT", "DQUOT"],
  ["EEXIST", "EXIST"],
  ["EFBIG", "FBIG"],
  ["EINTR", "INTR"],
  ["EINVAL", "INVAL"],
  ["EISDIR", "ISDIR"],
  ["ELOOP", "LOOP"],
  ["EMFILE", "MFILE"],
  ["EMLINK", "MLINK"],
  ["ENAMETOOLONG", "NAMETOOLONG"],
  ["ENFILE", "NFILE"],
  ["ENOENT", "NOENT"],
  ["ENOMEM", "NOMEM"],
  ["ENOSPC", "NOSPC"],
  ["ENOTDIR", "NOTDIR"],
  ["ENOTEMPTY", "NOTEMPTY"],
  ["ENOTSUP", "NOTSUP"],
  ["EPERM", "PERM"],
  ["EROFS", "ROFS"],
  ["ESTALE", "STALE"],
  ["ETXTBSY", "TXTBSY"],
  ["EXDEV", "XDEV"],
]);

/** By the class, for errors that have no code. */
const BY_CLASS: readonly (readonly [
  new (message?: string) => Error,
  ErrnoName,
])[] = [
  [Deno.errors.NotCapable, "NOTCAPABLE"],
  [Deno.errors.NotFound, "NOENT"],
  [Deno.errors.AlreadyExists, "EXIST"],
  [Deno.errors.PermissionDenied, "ACCES"],
  [Deno.errors.IsADirectory, "ISDIR"],
  [Deno.errors.NotADirectory, "NOTDIR"],
  [Deno.errors.FilesystemLoop, "LOOP"],
  [Deno.errors.Busy, "BUSY"],
  [Deno.errors.BadResource, "BADF"],
  [Deno.errors.Interrupted, "INTR"],
  [Deno.errors.NotSupported, "NOTSUP"],
];

/**
 * Does something with the host's files.
 *
 * @param call What to do.
 * @returns What it returned.
 * @throws {WasiError} Whatever it throws, as an errno; the host's message is
 * lost on purpose, for it names the host's paths.
 * @throws {RangeError} If the stack is exhausted.
 */
export function hostCall<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof WasiError || isStackOverflow(error)) throw error;
    throw new WasiError(errnoOf(error));
  }
}

/** No error of the host's: who recurses too deep is not to go on. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError &&
    error.message.includes("call stack size");
}

/** The errno of an error of the host; IO if nothing fits. */
export function errnoOf(error: unknown): ErrnoName {
  if (!(error instanceof Error)) return "IO";
  const code = "code" in error ? error.code : undefined;
  return BY_CODE.get(code) ??
    BY_CLASS.find(([type]) => error instanceof type)?.[1] ?? "IO";
}
