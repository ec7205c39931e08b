/** What writing files would change. */

import { quote, reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { clashIn, isSafePath, UNSAFE_PATH } from "./paths.ts";
import type { RenderedFiles } from "./types.ts";

/** Longest file whose text is shown as what it was, in bytes. */
const MAX_BEFORE_BYTES = 2 ** 20;

/** What becomes of one file. */
export interface ProjectChange {
  /** Its path, from the project's folder. */
  readonly path: string;
  /** Whether it is not there yet, is there as it is, or is something else. */
  readonly kind: "new" | "same" | "changed";
  /** What it is. */
  readonly text: string;
  /** What it was, if it is changed, and that was text of 1 MiB at the most. */
  readonly before?: string;
}

/**
 * Tells what writing files would change. Writes nothing.
 *
 * @param files The files.
 * @param directory The project's folder; it need not be there.
 * @returns A change for each file, in their order.
 * @throws {SandboxError} With code `project-unwritable` if the folder is none, or
 * a file would lie elsewhere: below a link, or below a file.
 */
export async function planProject(
  files: RenderedFiles,
  directory: string,
): Promise<readonly ProjectChange[]> {
  if (directory === "") throw unwritable("", "it has no name", "name a folder");
  await checkFolder(directory, directory);
  checkFiles(files, directory);
  const changes: ProjectChange[] = [];
  for (const [path, text] of files) {
    await checkParents(directory, path);
    changes.push({ path, text, ...await stateOf(directory, path, text) });
  }
  return changes;
}

function checkFiles(files: RenderedFiles, directory: string): void {
  for (const [path, text] of files) {
    const problem = !isSafePath(path)
      ? UNSAFE_PATH
      : typeof text !== "string" || !text.isWellFormed()
      ? "it is no text"
      : undefined;
    if (problem === undefined) continue;
    throw unwritable(
      directory,
      `${quote(path)}: ${problem}`,
      "correct the template",
    );
  }
  const clash = clashIn(files.keys());
  if (clash === undefined) return;
  throw unwritable(directory, `of two files ${clash}`, "rename one");
}

/**
 * Makes sure that nothing above a file is a link or a file.
 *
 * @param root The project's folder.
 * @param path The file's path from there.
 * @throws {SandboxError} With code `project-unwritable`.
 */
export async function checkParents(root: string, path: string): Promise<void> {
  const segments = path.split("/").slice(0, -1);
  for (const [index] of segments.entries()) {
    await checkFolder(
      root,
      `${root}/${segments.slice(0, index + 1).join("/")}`,
    );
  }
}

/** A folder, or nothing yet. */
async function checkFolder(root: string, path: string): Promise<void> {
  const info = await infoOf(root, path);
  if (info === undefined || info.isDirectory) return;
  const what = info.isSymlink ? "a symbolic link" : "a file";
  // the user may well have named the project's folder by a link
  if (path === root && info.isSymlink) {
    const target = await Deno.stat(path).catch(() => undefined);
    if (target?.isDirectory) return;
  }
  throw unwritable(root, `${quote(path)} is ${what}`, "take another folder");
}

async function stateOf(
  root: string,
  path: string,
  text: string,
): Promise<Pick<ProjectChange, "kind" | "before">> {
  const info = await infoOf(root, `${root}/${path}`);
  if (info === undefined) return { kind: "new" };
  if (!info.isFile) {
    const what = info.isDirectory ? "a folder" : "no plain file";
    throw unwritable(root, `${quote(path)} is ${what}`, "move it away");
  }
  // what is too long to be shown is not the same: templates write less
  if (info.size > MAX_BEFORE_BYTES) return { kind: "changed" };
  const bytes = await readBytes(root, path);
  const before = textOf(bytes);
  if (before === undefined) return { kind: "changed" };
  return before === text ? { kind: "same" } : { kind: "changed", before };
}

async function readBytes(root: string, path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(`${root}/${path}`);
  } catch (error) {
    throw unwritable(root, reasonOf(error), "look at its permissions", {
      cause: error,
    });
  }
}

/** A file as text, if it is text. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    return undefined;
  }
}

async function infoOf(
  root: string,
  path: string,
): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unwritable(root, reasonOf(error), "take another folder", {
      cause: error,
    });
  }
}

/**
 * The error for a project that cannot be written.
 *
 * @param directory The project's folder.
 * @param problem What is wrong.
 * @param hint What to do.
 * @param more What was thrown, and which files are in the way, if any are.
 * @returns The error.
 */
export function unwritable(
  directory: string,
  problem: string,
  hint: string,
  { cause, taken }: { cause?: unknown; taken?: readonly string[] } = {},
): SandboxError<"project-unwritable"> {
  return new SandboxError(
    "project-unwritable",
    `Cannot write to ${quote(directory)}: ${problem} (${hint})`,
    {
      details: {
        directory,
        problem,
        ...(taken === undefined ? {} : { taken }),
      },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
