/**
 * What is done with descriptors themselves.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import { demandRight, type WasiContext } from "./context.ts";
import type { DirectoryDescriptor } from "./descriptors.ts";
import { WasiError } from "./errno.ts";
import { narrowed } from "./rights.ts";
import { FILE_TYPES } from "./structs.ts";

/** Functions of this file. */
type Names =
  | "fd_close"
  | "fd_fdstat_get"
  | "fd_fdstat_set_flags"
  | "fd_fdstat_set_rights"
  | "fd_prestat_dir_name"
  | "fd_prestat_get"
  | "fd_renumber";

const FDSTAT_BYTES = 24;
const PRESTAT_BYTES = 8;

/** All flags that a descriptor can have. */
export const ALL_FLAGS = 31;

/** The number that programs look for the first mount under. */
const FIRST_PREOPEN = 3;

/** Functions for descriptors. */
export function fdFunctions(context: WasiContext): WasiFunctions<Names> {
  const { descriptors, memory } = context;
  return {
    fd_close: (fd) => descriptors.close(fd),
    fd_renumber: (from, to) => descriptors.renumber(from, to),
    fd_fdstat_get(fd, result) {
      const { kind, flags, rights } = descriptors.get(fd);
      memory.bytes(result, FDSTAT_BYTES).fill(0);
      const view = memory.view(result, FDSTAT_BYTES);
      view.setUint8(0, FILE_TYPES[kind]);
      view.setUint16(2, flags, true);
      view.setBigUint64(8, BigInt(rights.base), true);
      view.setBigUint64(16, BigInt(rights.inheriting), true);
    },
    fd_fdstat_set_flags(fd, flags) {
      const descriptor = descriptors.get(fd);
      if (flags > ALL_FLAGS) throw new WasiError("INVAL");
      const via = "fd_fdstat_set_flags";
      demandRight(context, descriptor, { right: "FD_FDSTAT_SET_FLAGS", via });
      descriptor.flags = flags;
    },
    fd_fdstat_set_rights(fd, base, inheriting) {
      const descriptor = descriptors.get(fd);
      descriptor.rights = narrowed(descriptor.rights, base, inheriting);
    },
    fd_prestat_get(fd, result) {
      const { point } = preopen(context, fd, "fd_prestat_get");
      memory.bytes(result, PRESTAT_BYTES).fill(0);
      // a directory is the only type, and its number is 0
      memory.setU32(result + 4, nameBytes(point.guest).length);
    },
    fd_prestat_dir_name(fd, at, length) {
      const { point } = preopen(context, fd, "fd_prestat_dir_name");
      const name = nameBytes(point.guest);
      memory.check(at, length);
      if (name.length > length) throw new WasiError("NAMETOOLONG");
      memory.bytes(at, name.length).set(name);
    },
  };
}

function nameBytes(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

/**
 * The descriptor of a mount. Programs look for mounts before they name a path,
 * and stop here if there are none: then that is what is recorded.
 */
function preopen(
  { decisions, descriptors, mounts }: WasiContext,
  fd: number,
  via: string,
): DirectoryDescriptor {
  if (fd === FIRST_PREOPEN && mounts.length === 0) {
    decisions.permits({
      capability: "filesystem",
      action: "read",
      resource: "/",
      via,
    });
  }
  const descriptor = descriptors.get(fd);
  if (descriptor.kind !== "directory" || !descriptor.isPreopen) {
    throw new WasiError("BADF");
  }
  return descriptor;
}
