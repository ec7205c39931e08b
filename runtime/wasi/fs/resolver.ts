/**
 * Finds what a guest's path names, by own steps on an own stack: the host is
 * never given a path with `..` or a symbolic link in its middle.
 *
 * @module
 */

import type { SymlinkPolicy } from "../../../security/types.ts";
import { Refusal, WasiError } from "../errno.ts";
import { parsePath } from "./path.ts";
import type { FileStat, FileTree, TreePath } from "./types.ts";

/** How many symbolic links a path may lead through. */
const MAX_LINKS = 40;

/** How many names are looked up for a path, with those of its links. */
const MAX_STEPS = 4096;

/**
 * How many directories are looked at to be certain of what is found: a certain
 * look takes all that lie above, and a path can ask for many by its `..`.
 */
const MAX_LOOKS = 16_384;

/** How deep a path may lie below the root of its tree. */
export const MAX_DEPTH = 256;

/** Options of {@linkcode resolve}. */
export interface ResolveOptions {
  /** Whether a link at the end is followed; a trailing slash does it too. */
  readonly followLast: boolean;
  /** Whether links are followed at all. */
  readonly symlinks: SymlinkPolicy;
}

/** What a path names. */
export interface Resolved {
  /** Where it lies: no component but the last is a link. */
  readonly path: TreePath;
  /**
   * Whether the path said that it is a directory, by a slash at the end. If
   * `stat` is there, it is one; if not, only a directory may be made there.
   */
  readonly mustBeDirectory: boolean;
  /** What lies there; undefined if nothing does, though its parent is there. */
  readonly stat: FileStat | undefined;
}

/**
 * Finds what a path names. It never leads above `base`, not even within the
 * tree, by `..` or by a link.
 *
 * @param tree The tree.
 * @param base The directory that the path is relative to.
 * @param path The guest's path.
 * @param options How links are treated.
 * @returns What it names.
 * @throws {WasiError} NOTCAPABLE if it leads above `base` or is absolute, NOENT
 * or NOTDIR if a directory on the way is missing or none, LOOP at a link that
 * is not to be followed or at too many, and as `parsePath`.
 */
export function resolve(
  tree: FileTree,
  base: TreePath,
  path: string,
  options: ResolveOptions,
): Resolved {
  const parsed = parsePath(path);
  // a directory may have been replaced since its descriptor was opened
  for (let depth = 1; depth <= base.length; depth++) {
    expectDirectory(tree.peek(base.slice(0, depth)));
  }
  return new Walk(tree, base, options).run(
    parsed.names,
    parsed.mustBeDirectory,
  );
}

/** One path on its way. */
class Walk {
  readonly #tree: FileTree;
  readonly #options: ResolveOptions;
  readonly #floor: number;
  readonly #stack: string[];
  #mustBeDirectory = false;
  #links = 0;
  #looks = 0;

  constructor(tree: FileTree, base: TreePath, options: ResolveOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#floor = base.length;
    this.#stack = [...base];
  }

  run(names: readonly string[], mustBeDirectory: boolean): Resolved {
    this.#mustBeDirectory = mustBeDirectory;
    const pending = names.toReversed();
    let stat: FileStat | undefined;
    for (let steps = 0; pending.length > 0; steps++) {
      if (steps === MAX_STEPS || this.#looks > MAX_LOOKS) {
        throw new WasiError("LOOP");
      }
      const name = pending.pop() ?? "";
      stat = name === ".." ? this.#up() : this.#down(name, pending);
    }
    // an empty list, a `..` or a link to `.` end at a directory above
    stat ??= this.#lookUp(this.#stack);
    if (this.#mustBeDirectory && stat !== undefined) expectDirectory(stat);
    return {
      path: this.#stack,
      mustBeDirectory: this.#mustBeDirectory,
      stat,
    };
  }

  #up(): undefined {
    if (this.#stack.length === this.#floor) {
      throw new Refusal("NOTCAPABLE", "it leads out of its directory");
    }
    this.#stack.pop();
  }

  #down(name: string, pending: string[]): FileStat | undefined {
    this.#stack.push(name);
    if (this.#stack.length > MAX_DEPTH) throw new WasiError("NAMETOOLONG");
    const last = pending.length === 0;
    // what comes next looks at this directory again, unless it goes up
    if (!last && pending.at(-1) !== ".." && this.#isDirectory()) {
      return undefined;
    }
    const stat = this.#lookUp(this.#stack);
    if (stat === undefined) {
      if (!last) throw new WasiError("NOENT");
    } else if (stat.type === "symlink") {
      if (last && !this.#options.followLast && !this.#mustBeDirectory) {
        return stat;
      }
      return this.#follow(pending);
    } else if (!last) expectDirectory(stat);
    return stat;
  }

  #follow(pending: string[]): undefined {
    if (this.#options.symlinks === "refuse") {
      throw new Refusal("LOOP", "the mount follows no symbolic links");
    }
    if (++this.#links > MAX_LINKS) throw new WasiError("LOOP");
    const target = parsePath(this.#tree.readLink(this.#stack));
    if (pending.length === 0 && target.mustBeDirectory) {
      this.#mustBeDirectory = true;
    }
    this.#stack.pop();
    for (const name of target.names.toReversed()) pending.push(name);
  }

  /** Whether a directory seems to lie there. */
  #isDirectory(): boolean {
    try {
      return this.#tree.peek(this.#stack).type === "directory";
    } catch (error) {
      if (error instanceof WasiError) return false;
      throw error;
    }
  }

  #lookUp(path: TreePath): FileStat | undefined {
    this.#looks += path.length;
    try {
      return this.#tree.lstat(path);
    } catch (error) {
      if (error instanceof WasiError && error.errno === "NOENT") {
        return undefined;
      }
      throw error;
    }
  }
}

function expectDirectory(stat: Pick<FileStat, "type">): void {
  if (stat.type === "symlink") throw new WasiError("LOOP");
  if (stat.type !== "directory") throw new WasiError("NOTDIR");
}
