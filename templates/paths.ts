/** Paths of rendered files: below the project's folder, on all systems. */

const SEGMENT = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;
/** Names that Windows keeps for itself, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
/** What Git obeys: whoever writes there says what the next command does. */
const REPOSITORY = /^\.git$/i;
const MAX_PATH = 200;

/**
 * Whether a path lies below a folder whatever the system, and can be there.
 *
 * @param path The path.
 * @returns Whether it does.
 */
export function isSafePath(path: string): boolean {
  return path.length <= MAX_PATH &&
    path.split("/").every((segment) =>
      SEGMENT.test(segment) && !segment.endsWith(".") &&
      !DEVICE.test(segment) && !REPOSITORY.test(segment)
    );
}

/**
 * What is wrong with paths together: on some systems two of them are one, or a
 * file would lie below a file.
 *
 * @param paths The paths.
 * @returns What is wrong with one, in words; undefined, if nothing is.
 */
export function clashIn(paths: Iterable<string>): string | undefined {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  for (const path of paths) {
    const own = path.toLowerCase();
    const above = own.split("/").slice(0, -1)
      .map((_, index, all) => all.slice(0, index + 1).join("/"));
    const twin = files.get(own);
    if (twin !== undefined) return `"${twin}" is the same for some systems`;
    const below = folders.get(own);
    if (below !== undefined) return `"${below}" would lie below it`;
    const file = above.find((folder) => files.has(folder));
    if (file !== undefined) return `it would lie below the file "${file}"`;
    files.set(own, path);
    for (const folder of above) folders.set(folder, path);
  }
  return undefined;
}

/** What is wrong with a path that is not safe. */
export const UNSAFE_PATH =
  "it is no path below the project's folder that every system can have " +
  "(letters, digits, _, - and . between /, and nothing in .git)";
