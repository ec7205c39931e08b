/**
 * The mounts of one guest: separate trees, side by side.
 *
 * A mount that lies within another, `/data` within `/`, is reached through its
 * own descriptor alone: through the outer one its path is refused (`XDEV`),
 * whatever the outer tree holds there. So a path is never served from a tree
 * that the policy's longest match does not name.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type {
  Capability,
  FilesystemCapability,
  Mount,
} from "../../security/types.ts";
import type { GuestClock } from "./clocks.ts";
import { MemoryTree } from "./fs/memory_tree.ts";
import { type FileQuota, QuotaTree } from "./fs/quota.ts";
import { ReadOnlyTree } from "./fs/read_only_tree.ts";
import type { FileTree, TreePath } from "./fs/types.ts";
import type { OpenHostTree } from "./types.ts";

/** A tree, where a guest sees it. */
export interface MountPoint {
  /** Absolute path that the guest sees it under. */
  readonly guest: string;
  /** The same, name by name. */
  readonly names: TreePath;
  /** What the policy says of it. */
  readonly mount: Mount;
  /** Whether anything may be changed there. */
  readonly writable: boolean;
  /** The tree, as the guest may use it. */
  readonly tree: FileTree;
  /** The tree itself, if it is in memory. */
  readonly memory: MemoryTree | undefined;
}

/** What mounts are made with. */
export interface MountParts {
  /** Makes the trees of host directories. */
  readonly openHostTree: OpenHostTree;
  /** Counts what is written. */
  readonly quota: FileQuota;
  /** Gives the times of files in memory. */
  readonly clock: GuestClock;
}

/**
 * Makes the mounts that a policy grants, in its order.
 *
 * @param capabilities All that is granted.
 * @param parts What they are made with.
 * @returns The mounts.
 * @throws {SandboxError} With code `invalid-capability`, if two have the same
 * guest path.
 */
export function openMounts(
  capabilities: readonly Capability[],
  parts: MountParts,
): readonly MountPoint[] {
  using opened = new DisposableStack();
  const mounts: MountPoint[] = [];
  for (const mount of grantedMounts(capabilities)) {
    const point = openMount(mount, parts);
    opened.use(point.tree);
    if (mounts.some(({ names }) => isSame(names, point.names))) {
      throw new SandboxError(
        "invalid-capability",
        `Cannot mount ${JSON.stringify(mount.guest)} twice`,
        {
          details: {
            capability: "filesystem",
            problem: `two mounts have the guest path ${mount.guest}`,
            path: "mounts",
          },
        },
      );
    }
    mounts.push(point);
  }
  opened.move();
  return mounts;
}

function grantedMounts(capabilities: readonly Capability[]): readonly Mount[] {
  return capabilities.filter((capability): capability is FilesystemCapability =>
    capability.type === "filesystem"
  ).flatMap(({ mounts }) => mounts);
}

function openMount(mount: Mount, parts: MountParts): MountPoint {
  const { clock, quota } = parts;
  const memory = "memory" in mount
    ? new MemoryTree({
      maxBytes: mount.maxBytes,
      symlinks: mount.symlinks,
      now: () => clock.fileTime(),
    })
    : undefined;
  const tree = "memory" in mount ? memory : parts.openHostTree(mount);
  if (tree === undefined) throw new TypeError("Cannot mount: no tree");
  const writable = mount.access === "read-write";
  return {
    guest: mount.guest,
    names: names(mount.guest),
    mount,
    writable,
    tree: writable ? new QuotaTree(tree, quota) : new ReadOnlyTree(tree),
    memory,
  };
}

/**
 * The names of an absolute path.
 *
 * @param path Such as `/data/a.txt`.
 * @returns Such as `["data", "a.txt"]`.
 */
export function names(path: string): TreePath {
  return path.split("/").filter((name) => name !== "");
}

/**
 * The absolute path that a guest knows something by.
 *
 * @param point The mount.
 * @param path Where it is in the mount's tree.
 * @returns The path.
 */
export function guestPath({ names }: MountPoint, path: TreePath): string {
  return `/${[...names, ...path].join("/")}`;
}

/**
 * The mount whose path is the longest that leads to a path.
 *
 * @param mounts All mounts.
 * @param path Names of an absolute path.
 * @returns The mount, if one does.
 */
export function mountOf(
  mounts: readonly MountPoint[],
  path: TreePath,
): MountPoint | undefined {
  return mounts.filter(({ names }) => startsWith(path, names))
    .sort((a, b) => b.names.length - a.names.length)[0];
}

/** Whether a path is another, or lies below it. */
export function startsWith(path: TreePath, start: TreePath): boolean {
  return start.every((name, index) => path[index] === name);
}

function isSame(a: TreePath, b: TreePath): boolean {
  return a.length === b.length && startsWith(a, b);
}
