/**
 * Links of the host that a guest moves.
 *
 * @module
 */

import { Refusal, WasiError } from "../errno.ts";
import { checkLinkTarget } from "./path.ts";
import type { FileTree, TreePath } from "./types.ts";

/** How many entries are looked at before a directory moves. */
const MAX_ENTRIES = 10_000;

/** How many directories on the way to those that are read, all together. */
const MAX_LOOKS = 50_000;

/** Throws PERM if a link could lead out of the tree at its new place. */
export function checkMovedLink(target: string, depth: number): void {
  try {
    checkLinkTarget(target, depth);
  } catch (error) {
    if (!(error instanceof WasiError)) throw error;
    throw new Refusal("PERM", "a symbolic link could lead out of the mount");
  }
}

/**
 * Throws PERM if a link below a directory could lead out of the tree once the
 * directory has moved upwards. Absolute links lead where they led.
 */
export function checkMovedTree(
  tree: FileTree,
  from: TreePath,
  to: TreePath,
): void {
  const shift = to.length - from.length;
  if (shift >= 0) return;
  const pending: TreePath[] = [from];
  let seen = 0;
  let looks = 0;
  for (let path = pending.pop(); path; path = pending.pop()) {
    if ((looks += path.length) > MAX_LOOKS) throw new WasiError("PERM");
    for (const { name, type } of tree.readDirectory(path)) {
      if (++seen > MAX_ENTRIES) throw new WasiError("PERM");
      const below = [...path, name];
      if (type === "directory") pending.push(below);
      if (type !== "symlink") continue;
      const target = relativeTarget(tree, below);
      if (target !== undefined) {
        checkMovedLink(target, below.length - 1 + shift);
      }
    }
  }
}

function relativeTarget(tree: FileTree, path: TreePath): string | undefined {
  try {
    return tree.readLink(path);
  } catch (error) {
    if (error instanceof WasiError && error.errno === "NOTCAPABLE") {
      return undefined;
    }
    throw error;
  }
}
