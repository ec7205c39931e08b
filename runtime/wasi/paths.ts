/**
 * Finds what a guest's path names, and asks whether it may be used.
 *
 * @module
 */

import type { Operation } from "../../security/types.ts";
import type { WasiContext } from "./context.ts";
import { asDirectory, type DirectoryDescriptor } from "./descriptors.ts";
import { Refusal, WasiError } from "./errno.ts";
import { resolve, type Resolved } from "./fs/resolver.ts";
import type { FileStat, FileTree, TreePath } from "./fs/types.ts";
import { guestPath, mountOf, type MountPoint, names } from "./mounts.ts";
import { holds, type Right } from "./rights.ts";

/** The only flag of lookups. */
const FOLLOW = 1;

/** A path as a guest gives it: a directory, and text in memory. */
export interface GuestPath {
  /** The directory's number. */
  readonly fd: number;
  /** Where the text starts. */
  readonly at: number;
  /** How many bytes it has. */
  readonly length: number;
}

/** What is to be done with what a path names. */
export interface PathUse {
  /** By which function. */
  readonly via: string;
  /** What it takes of the policy. */
  readonly actions: readonly ("read" | "write")[];
  /** What it takes of the directory's descriptor. */
  readonly rights: readonly Right[];
  /** Whether a link at its end is followed. */
  readonly follow: boolean;
  /** Throws if it cannot be done there; so that a refusal is all that is recorded. */
  readonly check?: (found: Found) => void;
}

/** What a path names, and the mount. */
export interface Found extends Resolved {
  /** The mount. */
  readonly point: MountPoint;
}

/** What a path names, where. */
export interface Place extends Found {
  /** The directory's descriptor. */
  readonly directory: DirectoryDescriptor;
  /** Does something with the mount's tree; what that refuses is recorded. */
  readonly change: <T>(act: (tree: FileTree) => T) => T;
}

/** What a path names, and something is there. */
export interface PresentPlace extends Place {
  /** Facts about it. */
  readonly stat: FileStat;
}

/**
 * Whether links are followed.
 *
 * @param flags The guest's.
 * @returns Whether they are.
 * @throws {WasiError} INVAL.
 */
export function follows(flags: number): boolean {
  if ((flags & ~FOLLOW) !== 0) throw new WasiError("INVAL");
  return flags === FOLLOW;
}

/**
 * Finds what a path names, and asks the policy: for the path as it reads, and
 * again for the path as it is, if links make a difference. Of what is found
 * the guest learns nothing unless the policy permits. What the mount refuses is
 * recorded as that, instead of what the policy permits.
 *
 * @param context Where.
 * @param path The guest's path.
 * @param use What is to be done.
 * @returns What it names.
 * @throws {WasiError} NOTCAPABLE if it may not be used or leads out, XDEV if it
 * leads into another mount, and as `resolve` and the check.
 */
export function locate(
  context: WasiContext,
  path: GuestPath,
  use: PathUse,
): Place {
  const { descriptors, memory, mounts } = context;
  const text = memory.text(path.at, path.length);
  if (mounts.length === 0) refuseWithoutMounts(context, text, use);
  const directory = asDirectory(descriptors.get(path.fd));
  const { point } = directory;
  const asked = readsAs(directory, text);
  const first = operations(asked, use);
  if (!allows(point, first)) demand(context, point, first);
  const found = recording(
    context,
    first,
    () => attempt(() => find(context, directory, { text, asked, use })),
  );
  demand(context, point, first);
  for (const right of use.rights) {
    if (!holds(directory.rights, right)) throw new WasiError("NOTCAPABLE");
  }
  if (found instanceof WasiError) throw found;
  const resource = guestPath(point, found.path);
  const last = operations(resource, use);
  if (resource !== asked) demand(context, point, last);
  return {
    ...found,
    directory,
    change: (act) => recording(context, last, () => act(point.tree)),
  };
}

/** Finds it, and whether the mount lets it be used so. */
function find(
  { mounts }: WasiContext,
  { point, path }: DirectoryDescriptor,
  { text, asked, use }: {
    readonly text: string;
    readonly asked: string;
    readonly use: PathUse;
  },
): Found {
  checkMount(mounts, point, asked);
  const resolved = resolve(point.tree, path, text, {
    followLast: use.follow,
    symlinks: point.mount.symlinks,
  });
  const resource = guestPath(point, resolved.path);
  if (resource !== asked) checkMount(mounts, point, resource);
  const found = { ...resolved, point };
  use.check?.(found);
  return found;
}

function operations(
  resource: string,
  { actions, via }: PathUse,
): readonly Operation[] {
  return actions.map((action) => ({
    capability: "filesystem",
    action,
    resource,
    via,
  }));
}

/** Whether a mount is for that, whatever the policy says. */
function allows(
  { writable }: MountPoint,
  operations: readonly Operation[],
): boolean {
  return writable || operations.every(({ action }) => action === "read");
}

function demand(
  { decisions }: WasiContext,
  point: MountPoint,
  operations: readonly Operation[],
): void {
  for (const operation of operations) {
    if (!decisions.permits(operation)) throw new WasiError("NOTCAPABLE");
  }
  if (!allows(point, operations)) throw new WasiError("NOTCAPABLE");
}

/** Records what is refused on the way. */
function recording<T>(
  { decisions }: WasiContext,
  operations: readonly Operation[],
  act: () => T,
): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refusal) {
      for (const each of operations) decisions.refuse(each, error.reason);
    }
    throw error;
  }
}

/** Gives an error that is no refusal, to be told once the policy permits. */
function attempt<T>(act: () => T): T | WasiError {
  try {
    return act();
  } catch (error) {
    if (error instanceof WasiError && !(error instanceof Refusal)) return error;
    throw error;
  }
}

/** A path that leads into another mount is not this one's to serve. */
function checkMount(
  mounts: readonly MountPoint[],
  point: MountPoint,
  resource: string,
): void {
  if (mounts.length > 1 && mountOf(mounts, names(resource)) !== point) {
    throw new Refusal("XDEV", "another mount lies there");
  }
}

/** With no mount there is no descriptor to begin with; the try is recorded. */
function refuseWithoutMounts(
  { decisions }: WasiContext,
  text: string,
  { actions, via }: PathUse,
): never {
  const resource = text.startsWith("/") ? text : `/${text}`;
  for (const action of actions) {
    decisions.permits({ capability: "filesystem", action, resource, via });
  }
  throw new WasiError("NOTCAPABLE");
}

/**
 * The absolute path that a text reads as. One that leads out of its directory
 * is left as it is: with its `..` no policy permits it.
 */
function readsAs({ point, path }: DirectoryDescriptor, text: string): string {
  if (text.startsWith("/")) return text;
  const names: string[] = [];
  for (const name of text.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) {
      return guestPath(point, [...path, text]);
    }
  }
  return guestPath(point, [...path, ...names]);
}

/**
 * A place where something is to be made.
 *
 * @param place The place.
 * @param isDirectory Whether that is a directory.
 * @returns Where.
 * @throws {WasiError} EXIST if something is there, NOENT if only a directory
 * could be.
 */
export function freePath(place: Place, isDirectory: boolean): TreePath {
  if (place.stat !== undefined) throw new WasiError("EXIST");
  if (place.mustBeDirectory && !isDirectory) throw new WasiError("NOENT");
  return place.path;
}

/**
 * A place where something is.
 *
 * @param place The place.
 * @returns What is there.
 * @throws {WasiError} NOENT.
 */
export function present(place: Place): PresentPlace {
  const { stat } = place;
  if (stat === undefined) throw new WasiError("NOENT");
  return { ...place, stat };
}

/**
 * Facts about an open directory. Every directory on the way to it is looked at
 * again: one may have been replaced by a link since.
 *
 * @param descriptor The directory's descriptor.
 * @returns The facts.
 * @throws {WasiError} As `resolve`.
 */
export function openedStat({ point, path }: DirectoryDescriptor): FileStat {
  const { stat } = resolve(point.tree, path, ".", {
    followLast: false,
    symlinks: "refuse",
  });
  if (stat === undefined) throw new WasiError("NOENT");
  return stat;
}
