/**
 * The functions that take a path, besides `path_open`.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { Refusal, WasiError } from "./errno.ts";
import { checkLinkTarget } from "./fs/path.ts";
import { startsWith } from "./mounts.ts";
import {
  follows,
  type Found,
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
    { via, follow = false, check = () => {} }: {
      via: Names;
      follow?: boolean;
      check?: (found: Found) => void;
    },
  ): Place =>
    locate(context, guestPathOf(path), {
      via,
      actions: ["write"],
      rights: [right],
      follow,
      check,
    });
  return {
    path_create_directory(...path) {
      const via = "path_create_directory";
      const place = change(path, "PATH_CREATE_DIRECTORY", { via });
      const where = freePath(place, true);
      place.change((tree) => tree.makeDirectory(where));
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
      const { path, change: act } = present(place);
      act((tree) => tree.setTimes(path, times));
    },
    path_link(fd, flags, at, length, toFd, toAt, toLength) {
      // a link to what a link names: nobody needs it, and it leads out easily
      if (follows(flags)) throw new WasiError("INVAL");
      const via = "path_link";
      const from = present(
        change([fd, at, length], "PATH_LINK_SOURCE", {
          via,
          check: checkMoved,
        }),
      );
      const to = change([toFd, toAt, toLength], "PATH_LINK_TARGET", {
        via,
        check: (to) => checkLink(from, to),
      });
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
        check: (found) => void target(found),
      }));
      const text = new TextEncoder().encode(target(place));
      const part = text.subarray(0, into.length);
      into.set(part);
      memory.setU32(result, part.length);
    },
    path_remove_directory(...path) {
      const via = "path_remove_directory";
      const place = change(path, "PATH_REMOVE_DIRECTORY", { via });
      const { stat, path: where, change: act } = present(place);
      if (stat.type !== "directory") throw new WasiError("NOTDIR");
      if (where.length === 0) throw new WasiError("BUSY");
      act((tree) => tree.removeDirectory(where));
    },
    path_rename(fd, at, length, toFd, toAt, toLength) {
      const via = "path_rename";
      const check = (found: Found) => {
        checkMoved(found);
        checkNoMountBelow(context, found);
      };
      const from = present(
        change([fd, at, length], "PATH_RENAME_SOURCE", { via, check }),
      );
      const to = change([toFd, toAt, toLength], "PATH_RENAME_TARGET", {
        via,
        check(to) {
          checkNoMountBelow(context, to);
          checkLink(from, to);
        },
      });
      rename(context, from, to);
    },
    path_symlink(targetAt, targetLength, fd, at, length) {
      const target = memory.text(targetAt, targetLength);
      const via = "path_symlink";
      const place = change([fd, at, length], "PATH_SYMLINK", {
        via,
        check: (found) => checkNewLink(found, target),
      });
      const where = freePath(place, false);
      place.change((tree) => tree.symlink(target, where));
    },
    path_unlink_file(...path) {
      const via = "path_unlink_file";
      const place = change(path, "PATH_UNLINK_FILE", { via });
      const { stat, path: where, change: act } = present(place);
      if (stat.type === "directory") throw new WasiError("ISDIR");
      act((tree) => tree.unlink(where));
    },
  };
}

function guestPathOf(
  [fd, at, length]: readonly [fd: number, at: number, length: number],
): { fd: number; at: number; length: number } {
  return { fd, at, length };
}

/** Refuses a link where there are none, and one that could lead out. */
function checkNewLink({ path, point }: Found, target: string): void {
  if (point.mount.symlinks === "refuse") {
    throw new Refusal("PERM", "the mount has no symbolic links");
  }
  checkLinkTarget(target, path.length - 1);
}

/** Refuses what is not moved, and not given further names. */
function checkMoved({ point, stat }: Found): void {
  if (stat?.type === "other") {
    throw new Refusal("ACCES", "it is no file, directory or symbolic link");
  }
  if (stat?.type === "symlink" && point.mount.symlinks === "refuse") {
    throw new Refusal("PERM", "the mount has no symbolic links");
  }
}

/** Refuses a place for something if it is in another mount, or leads out. */
function checkLink(from: PresentPlace, to: Found): void {
  if (from.point !== to.point) {
    throw new Refusal("XDEV", "it would go to another mount");
  }
  if (from.stat.type === "symlink") checkNewLink(to, target(from));
}

/**
 * Refuses a directory in which another mount lies: elsewhere the mount would no
 * longer hide what the directory holds there.
 */
function checkNoMountBelow({ mounts }: WasiContext, found: Found): void {
  const place = [...found.point.names, ...found.path];
  const isAbove = mounts.some((mount) =>
    mount !== found.point && mount.names.length > place.length &&
    startsWith(mount.names, place)
  );
  if (isAbove) throw new Refusal("BUSY", "another mount lies below it");
}

/** The target of a link, unless it says where in the host the mount lies. */
function target({ path, point, stat }: Found): string {
  if (stat === undefined) throw new WasiError("NOENT");
  if (stat.type !== "symlink") throw new WasiError("INVAL");
  const text = point.tree.readLink(path);
  checkLinkTarget(text, path.length - 1);
  return text;
}

function link(from: PresentPlace, to: Place): void {
  if (from.stat.type === "directory") throw new WasiError("PERM");
  const path = freePath(to, false);
  // a second name for a link is a second link
  if (from.stat.type !== "symlink") {
    to.change((tree) => tree.link(from.path, path));
  } else {
    const text = target(from);
    to.change((tree) => tree.symlink(text, path));
  }
}

function rename(context: WasiContext, from: PresentPlace, to: Place): void {
  const { point } = from;
  if (from.path.length === 0 || to.path.length === 0) {
    throw new WasiError("BUSY");
  }
  if (to.mustBeDirectory && from.stat.type !== "directory") {
    throw new WasiError("NOTDIR");
  }
  to.change((tree) => tree.rename(from.path, to.path));
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
