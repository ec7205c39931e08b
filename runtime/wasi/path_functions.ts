/**
 * The functions that take a path, besides `path_open`.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { WasiError } from "./errno.ts";
import { checkLinkTarget } from "./fs/path.ts";
import { startsWith } from "./mounts.ts";
import {
  follows,
  freePath,
  locate,
  type Place,
  present,
  type PresentPlace,
} from "./paths.ts";
import type { Right } from "./rights.ts";
import { fileTimes, writeFilestat } from "./structs.ts";

/** Functions of this file. */
type Names =
  | "path_create_directory"
  | "path_filestat_get"
  | "path_filestat_set_times"
  | "path_link"
  | "path_readlink"
  | "path_remove_directory"
  | "path_rename"
  | "path_symlink"
  | "path_unlink_file";

/** Functions that take a path. */
export function pathFunctions(context: WasiContext): WasiFunctions<Names> {
  const { abi, clock, memory } = context;
  /** Where something is changed. */
  const change = (
    path: readonly [fd: number, at: number, length: number],
    right: Right,
    { via, follow = false }: { via: Names; follow?: boolean },
  ): Place =>
    locate(context, guestPathOf(path), {
      via,
      actions: ["write"],
      rights: [right],
      follow,
    });
  return {
    path_create_directory(...path) {
      const via = "path_create_directory";
      const place = change(path, "PATH_CREATE_DIRECTORY", { via });
      place.point.tree.makeDirectory(freePath(place, true));
    },
    path_filestat_get(fd, flags, at, length, result) {
      memory.check(result, abi.filestat.bytes);
      const { point, stat } = present(locate(context, { fd, at, length }, {
        via: "path_filestat_get",
        actions: ["read"],
        rights: ["PATH_FILESTAT_GET"],
        follow: follows(flags),
      }));
      writeFilestat(context, result, { stat, point });
    },
    path_filestat_set_times(fd, lookup, at, length, atim, mtim, flags) {
      const follow = follows(lookup);
      const times = fileTimes({ atim, mtim, flags }, clock.fileTime());
      if (times === undefined) throw new WasiError("INVAL");
      const via = "path_filestat_set_times";
      const place = change([fd, at, length], "PATH_FILESTAT_SET_TIMES", {
        via,
        follow,
      });
      const { point, path } = present(place);
      point.tree.setTimes(path, times);
    },
    path_link(fd, flags, at, length, toFd, toAt, toLength) {
      // a link to what a link names: nobody needs it, and it leads out easily
      if (follows(flags)) throw new WasiError("INVAL");
      const via = "path_link";
      const from = change([fd, at, length], "PATH_LINK_SOURCE", { via });
      const to = change([toFd, toAt, toLength], "PATH_LINK_TARGET", { via });
      link(from, to);
    },
    path_readlink(fd, at, length, buffer, bufferLength, result) {
      memory.check(result, 4);
      const into = memory.bytes(buffer, bufferLength);
      const place = present(locate(context, { fd, at, length }, {
        via: "path_readlink",
        actions: ["read"],
        rights: ["PATH_READLINK"],
        follow: false,
      }));
      const target = new TextEncoder().encode(readLink(place));
      const part = target.subarray(0, into.length);
      into.set(part);
      memory.setU32(result, part.length);
    },
    path_remove_directory(...path) {
      const via = "path_remove_directory";
      const place = change(path, "PATH_REMOVE_DIRECTORY", { via });
      const { point, stat, path: where } = present(place);
      if (stat.type !== "directory") throw new WasiError("NOTDIR");
      if (where.length === 0) throw new WasiError("BUSY");
      point.tree.removeDirectory(where);
    },
    path_rename(fd, at, length, toFd, toAt, toLength) {
      const via = "path_rename";
      const from = change([fd, at, length], "PATH_RENAME_SOURCE", { via });
      const to = change([toFd, toAt, toLength], "PATH_RENAME_TARGET", { via });
      rename(context, from, to);
    },
    path_symlink(targetAt, targetLength, fd, at, length) {
      const target = memory.text(targetAt, targetLength);
      const via = "path_symlink";
      const place = change([fd, at, length], "PATH_SYMLINK", { via });
      symlink(place, target);
    },
    path_unlink_file(...path) {
      const via = "path_unlink_file";
      const place = change(path, "PATH_UNLINK_FILE", { via });
      const { point, stat, path: where } = present(place);
      if (stat.type === "directory") throw new WasiError("ISDIR");
      point.tree.unlink(where);
    },
  };
}

function guestPathOf(
  [fd, at, length]: readonly [fd: number, at: number, length: number],
): { fd: number; at: number; length: number } {
  return { fd, at, length };
}

function symlink(place: Place, target: string): void {
  const { point } = place;
  const path = freePath(place, false);
  if (point.mount.symlinks === "refuse") throw new WasiError("PERM");
  checkLinkTarget(target, path.length - 1);
  point.tree.symlink(target, path);
}

/** The target of a link, unless it says where in the host the mount lies. */
function readLink({ path, point, stat }: PresentPlace): string {
  if (stat.type !== "symlink") throw new WasiError("INVAL");
  const target = point.tree.readLink(path);
  checkLinkTarget(target, path.length - 1);
  return target;
}

function link(source: Place, to: Place): void {
  const from = present(source);
  if (from.point !== to.point) throw new WasiError("XDEV");
  if (from.stat.type === "directory") throw new WasiError("PERM");
  const path = freePath(to, false);
  // a second name for a link is a second link
  if (from.stat.type === "symlink") symlink(to, readLink(from));
  else if (from.stat.type === "other") throw new WasiError("ACCES");
  else from.point.tree.link(from.path, path);
}

function rename(context: WasiContext, source: Place, to: Place): void {
  const from = present(source);
  const { point } = from;
  if (point !== to.point) throw new WasiError("XDEV");
  if (from.path.length === 0 || to.path.length === 0) {
    throw new WasiError("BUSY");
  }
  if (to.mustBeDirectory && from.stat.type !== "directory") {
    throw new WasiError("NOTDIR");
  }
  if (from.stat.type === "symlink") {
    if (point.mount.symlinks === "refuse") throw new WasiError("PERM");
    checkLinkTarget(point.tree.readLink(from.path), to.path.length - 1);
  }
  if (from.stat.type === "other") throw new WasiError("ACCES");
  point.tree.rename(from.path, to.path);
  if (from.stat.type !== "directory") return;
  // directories that are open are still the same ones
  for (const descriptor of context.descriptors) {
    if (
      descriptor.kind === "directory" && descriptor.point === point &&
      startsWith(descriptor.path, from.path)
    ) {
      descriptor.path = [
        ...to.path,
        ...descriptor.path.slice(from.path.length),
      ];
    }
  }
}
