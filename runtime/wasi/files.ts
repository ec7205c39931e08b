/**
 * What is done with an open file besides reading and writing it.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import { demandRight, type WasiContext } from "./context.ts";
import { asFile, type FileDescriptor } from "./descriptors.ts";
import { WasiError } from "./errno.ts";
import { position } from "./io.ts";
import { openedStat } from "./paths.ts";
import type { Right } from "./rights.ts";
import { fileTimes, writeFilestat } from "./structs.ts";

/** Functions of this file. */
type Names =
  | "fd_advise"
  | "fd_allocate"
  | "fd_datasync"
  | "fd_filestat_get"
  | "fd_filestat_set_size"
  | "fd_filestat_set_times"
  | "fd_seek"
  | "fd_sync"
  | "fd_tell";

/** Highest number of an advice. */
const MAX_ADVICE = 5;

/** Functions for open files. */
export function fileFunctions(context: WasiContext): WasiFunctions<Names> {
  const { abi, clock, descriptors, memory } = context;
  const file = (
    fd: number,
    right: Right,
    via: Names,
  ): FileDescriptor => {
    // a stream has no length and no places in it
    const isLength = via === "fd_filestat_set_size";
    const descriptor = asFile(
      descriptors.get(fd),
      isLength ? "INVAL" : "SPIPE",
    );
    demandRight(context, descriptor, { right, via });
    return descriptor;
  };
  return {
    fd_advise(fd, _offset, _length, advice) {
      file(fd, "FD_ADVISE", "fd_advise");
      // the advice is taken note of, and that is all
      if (advice > MAX_ADVICE) throw new WasiError("INVAL");
    },
    fd_allocate(fd, offset, length) {
      const { file: open } = file(fd, "FD_ALLOCATE", "fd_allocate");
      if (length === 0n) throw new WasiError("INVAL");
      const end = offset + length;
      if (end > BigInt(Number.MAX_SAFE_INTEGER)) throw new WasiError("FBIG");
      if (Number(end) > open.stat().size) open.truncate(Number(end));
    },
    fd_datasync: (fd) => sync(context, fd, "fd_datasync"),
    fd_sync: (fd) => sync(context, fd, "fd_sync"),
    fd_filestat_get(fd, result) {
      const descriptor = descriptors.get(fd);
      const via = "fd_filestat_get";
      demandRight(context, descriptor, { right: "FD_FILESTAT_GET", via });
      memory.check(result, abi.filestat.bytes);
      if (descriptor.kind === "stream") return writeFilestat(context, result);
      const { point } = descriptor;
      const stat = descriptor.kind === "file"
        ? descriptor.file.stat()
        : openedStat(descriptor);
      writeFilestat(context, result, { stat, point });
    },
    fd_filestat_set_size(fd, size) {
      const { file: open } = file(
        fd,
        "FD_FILESTAT_SET_SIZE",
        "fd_filestat_set_size",
      );
      open.truncate(position(size));
    },
    fd_filestat_set_times(fd, atim, mtim, flags) {
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "stream") throw new WasiError("BADF");
      const via = "fd_filestat_set_times";
      demandRight(context, descriptor, { right: "FD_FILESTAT_SET_TIMES", via });
      const times = fileTimes({ atim, mtim, flags }, clock.fileTime());
      if (times === undefined) throw new WasiError("INVAL");
      if (descriptor.kind === "file") descriptor.file.setTimes(times);
      else {
        openedStat(descriptor);
        descriptor.point.tree.setTimes(descriptor.path, times);
      }
    },
    fd_seek(fd, offset, whence, result) {
      const from = abi.whence[whence];
      const by = BigInt.asIntN(64, offset);
      const looks = from === "current" && by === 0n;
      const descriptor = file(fd, looks ? "FD_TELL" : "FD_SEEK", "fd_seek");
      memory.check(result, 8);
      if (from === undefined) throw new WasiError("INVAL");
      const start = from === "start"
        ? 0
        : from === "current"
        ? descriptor.position
        : descriptor.file.stat().size;
      const sought = BigInt(start) + by;
      if (sought < 0n) throw new WasiError("INVAL");
      descriptor.position = position(sought);
      memory.setU64(result, sought);
    },
    fd_tell(fd, result) {
      const descriptor = file(fd, "FD_TELL", "fd_tell");
      memory.setU64(result, BigInt(descriptor.position));
    },
  };
}

function sync(
  context: WasiContext,
  fd: number,
  via: "fd_datasync" | "fd_sync",
): void {
  const descriptor = context.descriptors.get(fd);
  if (descriptor.kind === "stream") throw new WasiError("INVAL");
  const right = via === "fd_sync" ? "FD_SYNC" : "FD_DATASYNC";
  demandRight(context, descriptor, { right, via });
  // a directory holds nothing back
  if (descriptor.kind === "file") descriptor.file.sync();
}
