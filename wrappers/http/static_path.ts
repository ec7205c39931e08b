/** Paths of static files: from a URL to a file that lies where it should. */

import { join } from "node:path";
import { HttpProblem } from "./problem.ts";

/** What no name of a file that is served may hold; on Windows more has a meaning. */
const FORBIDDEN = Deno.build.os === "windows"
  // deno-lint-ignore no-control-regex -- they are what is refused
  ? /[\\/\0-\x1f\x7f:*?"<>|]|[. ]$/
  // deno-lint-ignore no-control-regex -- they are what is refused
  : /[\\/\0-\x1f\x7f]/;

/**
 * The names that a path is made of.
 *
 * @param path What follows the directory's own path: `""`, `"/"`, `"/a/b.css"`.
 * @returns The names, decoded; the last is empty if the path ends in `/`.
 * @throws {HttpProblem} With status 400 if it is not encoded as it must be, 404
 * if a name is empty, hidden or no name at all.
 */
export function namesOf(path: string): readonly string[] {
  if (path === "") return [];
  const names = path.slice(1).split("/").map(decoded);
  for (const [index, name] of names.entries()) {
    if (name === "" && index === names.length - 1) continue;
    if (name === "" || name.startsWith(".") || FORBIDDEN.test(name)) {
      throw notFound();
    }
  }
  return names;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (cause) {
    throw new HttpProblem(400, "the path is not encoded in UTF-8", { cause });
  }
}

/**
 * The problem of a file that is not there, or not for everybody.
 *
 * @returns The problem.
 */
export function notFound(): HttpProblem {
  return new HttpProblem(404, "there is nothing here");
}

/** A file, opened. */
export interface OpenFile {
  readonly file: Deno.FsFile;
  readonly info: Deno.FileInfo;
}

/**
 * Opens a file below a directory.
 *
 * @param root The directory, without links.
 * @param names Names from there; none is hidden, or leads up.
 * @returns The file; undefined if there is none, or it lies elsewhere.
 */
export async function openBelow(
  root: string,
  names: readonly string[],
): Promise<OpenFile | undefined> {
  try {
    const real = await Deno.realPath(join(root, ...names));
    if (!isBelow(root, real)) return undefined;
    const expected = await Deno.lstat(real);
    // one that is no file could block whoever opens it
    if (!expected.isFile) return undefined;
    return await openSame(real, expected);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Somebody may have put another in its place since it was looked at. */
async function openSame(
  path: string,
  expected: Deno.FileInfo,
): Promise<OpenFile | undefined> {
  const file = await Deno.open(path);
  const info = await file.stat().catch((error: unknown) => {
    file.close();
    throw error;
  });
  const isSame = info.isFile && info.ino === expected.ino &&
    info.dev === expected.dev;
  if (isSame) return { file, info };
  file.close();
  return undefined;
}

function isBelow(root: string, path: string): boolean {
  const separator = Deno.build.os === "windows" ? "\\" : "/";
  const prefix = root.endsWith(separator) ? root : root + separator;
  return path.startsWith(prefix);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.FilesystemLoop ||
    error instanceof Deno.errors.InvalidData ||
    (error as { readonly code?: string } | null)?.code === "ENAMETOOLONG";
}
