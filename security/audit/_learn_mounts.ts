/** The least mounts that what a guest did to files needs. */

import { quote } from "../../_text.ts";
import type { FilesystemCapability, Mount, Operation } from "../types.ts";

/** Most mounts that one of the ceiling's becomes. */
const MAX_MOUNTS = 32;

/** What joins two paths: they must stay in one mount. */
const JOINING = new Set<string | undefined>(["path_rename", "path_link"]);

/** What looks at a directory without opening it. */
const LOOKING = new Set<string | undefined>([
  "path_filestat_get",
  "path_readlink",
]);

/** Access, so that more is greater. */
const NONE = 0;
const READ = 1;
const WRITE = 2;
type Access = typeof NONE | typeof READ | typeof WRITE;

/** Tells whether a path of the host is a directory, and no link to one. */
export type IsDirectory = (path: string) => boolean;

/** A directory that something was done in or below. */
interface Folder {
  readonly path: readonly string[];
  readonly folders: Map<string, Folder>;
  /** What was done to entries of it. */
  access: Access;
  /** Whether it was opened: what is below may have been reached through it. */
  isOpened: boolean;
}

/** Takes a sentence for the user. */
export type Note = (sentence: string) => void;

/** What narrowing uses. */
export interface MountTools {
  readonly isDirectory: IsDirectory;
  /** Whether mounts are not split. */
  readonly wholeMounts: boolean;
  readonly note: Note;
}

/** Narrows mounts to what operations need; undefined, if they need none. */
export function learnMounts(
  ceiling: FilesystemCapability,
  operations: readonly Operation[],
  tools: MountTools,
): FilesystemCapability | undefined {
  const { note } = tools;
  const byMount = groupByMount(ceiling.mounts, operations);
  if (byMount === undefined) {
    note("The mounts are kept: a path that was used is below none of them.");
    return ceiling;
  }
  const learned = new Map<string, Mount>();
  for (const [mount, used] of byMount) {
    for (const part of narrow(mount, used, tools)) {
      learned.set(part.guest, part);
    }
  }
  keepCovers(ceiling.mounts, learned, note);
  if (learned.size === 0) return undefined;
  const mounts = [...learned.values()].sort((a, b) =>
    a.guest < b.guest ? -1 : 1
  );
  return { type: "filesystem", mounts };
}

/** The default of {@linkcode IsDirectory}. */
export function isRealDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    // not there, or not for us to know, or too long a name for any file
    return false;
  }
}

function groupByMount(
  mounts: readonly Mount[],
  operations: readonly Operation[],
): Map<Mount, Operation[]> | undefined {
  const deepestFirst = [...mounts].sort((a, b) =>
    b.guest.length - a.guest.length
  );
  const groups = new Map<Mount, Operation[]>();
  for (const operation of operations) {
    const mount = deepestFirst.find(({ guest }) =>
      isBelow(operation.resource, guest)
    );
    if (mount === undefined) return undefined;
    const group = groups.get(mount) ?? [];
    group.push(operation);
    groups.set(mount, group);
  }
  return groups;
}

function narrow(
  mount: Mount,
  operations: readonly Operation[],
  tools: MountTools,
): readonly Mount[] {
  if ("memory" in mount) return [mount];
  const { isDirectory, wholeMounts, note } = tools;
  const access = operations.some(writes) ? mount.access : "read";
  if (wholeMounts) return [{ ...mount, access }];
  if (mount.symlinks === "within") {
    // a link may lead anywhere within the mount, and not out of a part of it
    note(`${quote(mount.guest)} stays whole: it follows symbolic links.`);
    return [{ ...mount, access }];
  }
  const root = foldersOf(mount, operations, isDirectory);
  let depth = Infinity;
  let places = placesOf(root, depth);
  if (places.length > MAX_MOUNTS) {
    depth = Math.max(...places.map(({ folder }) => folder.path.length));
    while (places.length > MAX_MOUNTS) places = placesOf(root, --depth);
    note(
      `${quote(mount.guest)} is granted more widely than was needed: more ` +
        `than ${MAX_MOUNTS} of its directories were used.`,
    );
  }
  for (const { folder, access } of places) {
    if (!folder.isOpened || access <= folder.access) continue;
    note(
      `${quote(guestPath(mount, folder))} may be written as a whole: it was ` +
        "opened, and something below it was written.",
    );
  }
  return places.map(({ folder, folder: { path }, access }) => ({
    ...mount,
    guest: guestPath(mount, folder),
    host: path.length === 0 ? mount.host : [mount.host, ...path].join("/"),
    access: access === WRITE ? mount.access : "read",
  }));
}

function guestPath({ guest }: Mount, { path }: Folder): string {
  return [guest === "/" ? "" : guest, ...path].join("/") || "/";
}

/** The tree of directories that must be reached, and how. */
function foldersOf(
  mount: Extract<Mount, { host: string }>,
  operations: readonly Operation[],
  isDirectory: IsDirectory,
): Folder {
  const root = emptyFolder([]);
  const joined: Folder[] = [];
  // each directory is looked at once
  const known = new Map<string, boolean>();
  const enter = (folder: Folder, name: string): Folder | undefined => {
    const entered = folder.folders.get(name);
    if (entered !== undefined) return entered;
    const path = [...folder.path, name];
    const host = [mount.host, ...path].join("/");
    const exists = known.get(host) ?? isDirectory(host);
    known.set(host, exists);
    if (!exists) return undefined;
    const made = emptyFolder(path);
    folder.folders.set(name, made);
    return made;
  };
  for (const operation of operations) {
    const isJoining = JOINING.has(operation.via);
    // what is written needs its directory, and so does what is no directory
    const own = isJoining || writes(operation) ? 1 : 0;
    const names = namesBelow(operation.resource, mount.guest);
    let folder = root;
    for (const name of names.slice(0, Math.max(0, names.length - own))) {
      const next = enter(folder, name);
      if (next === undefined) break;
      folder = next;
    }
    if (folder.path.length === names.length && !LOOKING.has(operation.via)) {
      folder.isOpened = true;
    }
    folder.access = max(folder.access, writes(operation) ? WRITE : READ);
    if (isJoining) joined.push(folder);
  }
  keepTogether(root, joined);
  return root;
}

function emptyFolder(path: readonly string[]): Folder {
  return { path, folders: new Map(), access: NONE, isOpened: false };
}

/** Gives the directory that is above all of these what each of them needs. */
function keepTogether(root: Folder, folders: readonly Folder[]): void {
  const [first] = folders;
  if (first === undefined) return;
  let length = first.path.length;
  for (const { path } of folders) {
    const differs = first.path.findIndex((name, at) => path[at] !== name);
    length = Math.min(length, differs < 0 ? length : differs);
  }
  let above = root;
  for (const name of first.path.slice(0, length)) {
    above = above.folders.get(name) ?? above;
  }
  for (const { access } of folders) above.access = max(above.access, access);
}

/** Where mounts are needed; below `depth` what is used counts for its parent. */
function placesOf(
  root: Folder,
  depth: number,
): { readonly folder: Folder; readonly access: Access }[] {
  const places: { folder: Folder; access: Access }[] = [];
  const visit = (folder: Folder, granted: Access) => {
    // a descriptor of a directory does not lead into another mount
    const isDeepest = folder.isOpened || folder.path.length >= depth;
    const needed = isDeepest ? accessBelow(folder) : folder.access;
    if (needed > granted) places.push({ folder, access: needed });
    if (isDeepest) return;
    for (const next of folder.folders.values()) {
      visit(next, max(needed, granted));
    }
  };
  visit(root, NONE);
  return places;
}

function accessBelow({ access, folders }: Folder): Access {
  let most = access;
  for (const folder of folders.values()) most = max(most, accessBelow(folder));
  return most;
}

/** Keeps what hides something of a mount that is left: else it would be seen. */
function keepCovers(
  ceiling: readonly Mount[],
  learned: Map<string, Mount>,
  note: Note,
): void {
  const left = [...learned.values()];
  for (const mount of ceiling) {
    if (learned.has(mount.guest)) continue;
    const hides = left.some(({ guest }) =>
      guest !== mount.guest && isBelow(mount.guest, guest)
    );
    if (!hides) continue;
    learned.set(mount.guest, { ...mount, access: "read" });
    note(
      `${quote(mount.guest)} was not used, and is kept to hide what is ` +
        "beneath it.",
    );
  }
}

/** The names of a path below a mount, up to one that the audit has escaped. */
function namesBelow(path: string, guest: string): readonly string[] {
  const names = path.slice(guest === "/" ? 1 : guest.length + 1).split("/");
  if (names[0] === "") return [];
  const escaped = names.findIndex((name) => name.includes("\\"));
  // the name is not known, its directory is
  return escaped < 0 ? names : names.slice(0, escaped + 1);
}

function isBelow(path: string, guest: string): boolean {
  return guest === "/" || path === guest || path.startsWith(`${guest}/`);
}

function writes({ action }: Operation): boolean {
  return action !== "read";
}

function max(a: Access, b: Access): Access {
  return a > b ? a : b;
}
