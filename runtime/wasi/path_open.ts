/**
 * `path_open`.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { Refusal, WasiError } from "./errno.ts";
import { ALL_FLAGS } from "./fds.ts";
import { follows, locate, type Place } from "./paths.ts";
import { asksFor, directoryRights, fileRights, type Right } from "./rights.ts";

/** How a file is opened. */
const OPEN = Object.freeze({ CREATE: 1, DIRECTORY: 2, EXCLUSIVE: 4, CUT: 8 });

/** All of them. */
const ALL_OPEN = 15;

/** How a guest asks to open something. */
interface Asked {
  readonly create: boolean;
  readonly directory: boolean;
  readonly exclusive: boolean;
  readonly cut: boolean;
  readonly follow: boolean;
  readonly rights: bigint;
  readonly flags: number;
}

/** `path_open`. */
export function pathOpenFunctions(
  context: WasiContext,
): WasiFunctions<"path_open"> {
  const { descriptors, memory } = context;
  return {
    path_open(fd, lookup, at, length, open, base, _inheriting, flags, result) {
      const asked = parse(lookup, open, base, flags);
      // found before anything is made
      memory.check(result, 4);
      descriptors.checkRoom();
      const place = locate(context, { fd, at, length }, {
        via: "path_open",
        actions: actions(asked),
        rights: rights(asked),
        follow: asked.follow,
        check({ stat }) {
          // opening a device may do anything
          if (stat?.type !== "other" || asked.directory) return;
          throw new Refusal("ACCES", "it is no file and no directory");
        },
      });
      const opened = isDirectory(place, asked)
        ? openDirectory(context, place, asked)
        : openFile(context, place, asked);
      memory.setU32(result, opened);
    },
  };
}

function parse(
  lookup: number,
  open: number,
  rights: bigint,
  flags: number,
): Asked {
  if (open > ALL_OPEN || flags > ALL_FLAGS) throw new WasiError("INVAL");
  const create = (open & OPEN.CREATE) !== 0;
  const directory = (open & OPEN.DIRECTORY) !== 0;
  if (create && directory) throw new WasiError("INVAL");
  return {
    create,
    directory,
    exclusive: create && (open & OPEN.EXCLUSIVE) !== 0,
    cut: (open & OPEN.CUT) !== 0,
    // what is not to be there yet is no link either
    follow: follows(lookup) && !(create && (open & OPEN.EXCLUSIVE) !== 0),
    rights,
    flags,
  };
}

function actions(asked: Asked): readonly ("read" | "write")[] {
  const { create, cut, rights } = asked;
  const writes = create || cut || asksFor(rights, "FD_WRITE");
  if (!writes) return ["read"];
  return asksFor(rights, "FD_READ") ? ["read", "write"] : ["write"];
}

function rights({ create, cut }: Asked): readonly Right[] {
  return [
    "PATH_OPEN",
    ...(create ? ["PATH_CREATE_FILE"] as const : []),
    ...(cut ? ["PATH_FILESTAT_SET_SIZE"] as const : []),
  ];
}

function isDirectory(place: Place, asked: Asked): boolean {
  const { stat, mustBeDirectory } = place;
  if (stat === undefined) {
    if (!asked.create) throw new WasiError("NOENT");
    if (mustBeDirectory) throw new WasiError("ISDIR");
    return false;
  }
  if (asked.exclusive) throw new WasiError("EXIST");
  if (stat.type === "symlink") throw new WasiError("LOOP");
  if (stat.type === "directory") return true;
  if (asked.directory) throw new WasiError("NOTDIR");
  return false;
}

function openDirectory(
  { descriptors }: WasiContext,
  { directory, path, point }: Place,
  asked: Asked,
): number {
  if (asked.create || asked.cut || asksFor(asked.rights, "FD_WRITE")) {
    throw new WasiError("ISDIR");
  }
  return descriptors.add({
    kind: "directory",
    point,
    path,
    isPreopen: false,
    rights: directoryRights(directory.rights),
    flags: asked.flags,
  });
}

function openFile(
  { descriptors }: WasiContext,
  { change, directory, path, point }: Place,
  asked: Asked,
): number {
  const rights = fileRights(directory.rights, asked.rights);
  const write = asked.cut || asksFor(asked.rights, "FD_WRITE");
  const file = change((tree) =>
    tree.open(path, {
      read: !write || asksFor(asked.rights, "FD_READ"),
      write,
      create: asked.create,
      exclusive: asked.exclusive,
      truncate: asked.cut,
    })
  );
  return descriptors.add({
    kind: "file",
    file,
    point,
    path,
    position: 0,
    rights,
    flags: asked.flags,
  });
}
