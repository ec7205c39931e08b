/**
 * Writes rendered files: below one folder, all of them or none.
 *
 * @module
 */

import { quote, reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { OperationOptions } from "../runtime/types.ts";
import {
  checkParents,
  planProject,
  type ProjectChange,
  unwritable,
} from "./plan_project.ts";
import { Staging } from "./staging.ts";
import type { RenderedFiles } from "./types.ts";

/** Options of {@linkcode writeProject}. */
export interface WriteOptions extends OperationOptions {
  /**
   * Whether files that are there are replaced.
   *
   * @default {false}
   */
  force?: boolean;
}

/**
 * Writes files. A folder that is not there appears with all of them at once. In
 * one that is there each file is as it was or as it is to be at any time; those
 * that were written are taken back if another cannot be. A process that is
 * killed meanwhile may leave some of them, and a hidden folder, which the next
 * call that writes there removes.
 *
 * @example Usage
 * ```ts
 * import { writeProject } from "@wasm-sandbox/core/templates";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const files = new Map([["src/main.ts", "export {};\n"]]);
 * const [change] = await writeProject(files, `${folder}/app`);
 * assertEquals(change?.kind, "new");
 * assertEquals(await Deno.readTextFile(`${folder}/app/src/main.ts`), "export {};\n");
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param files The files.
 * @param directory The project's folder, which is made if it is not there.
 * @param options Whether files are replaced, and cancellation.
 * @returns What has changed.
 * @throws {SandboxError} With code `project-unwritable`; then nothing has changed.
 */
export async function writeProject(
  files: RenderedFiles,
  directory: string,
  { force = false, signal }: WriteOptions = {},
): Promise<readonly ProjectChange[]> {
  signal?.throwIfAborted();
  // "app/." cannot be renamed to, and is "app"
  const root = directory.replace(/(?<=[^/])(?:\/\.?)+$/, "");
  const changes = await planProject(files, root);
  const replaced = changes.filter(({ kind }) => kind === "changed");
  if (replaced.length > 0 && !force) {
    const taken = replaced.map(({ path }) => path);
    const names = taken.map(quote).join(", ");
    throw unwritable(root, `it has other files there: ${names}`, "use force", {
      taken,
    });
  }
  const isNew = await Deno.lstat(root).then(() => false, () => true);
  try {
    if (isNew) await writeFolder(root, changes, signal);
    else await writeInto(root, changes, signal);
  } catch (error) {
    if (signal?.aborted || SandboxError.is(error)) throw error;
    throw unwritable(root, reasonOf(error), hintFor(error), {
      cause: error,
    });
  }
  return changes;
}

/** What to do about an error of the system. */
function hintFor(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) {
    return "look at its permissions";
  }
  const isFull = error instanceof Error && "code" in error &&
    (error.code === "ENOSPC" || error.code === "EDQUOT");
  return isFull ? "make room on the disk" : "take another folder";
}

/** Writes all files to a folder beside it, which then takes its name. */
async function writeFolder(
  root: string,
  changes: readonly ProjectChange[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const parent = root.includes("/") ? folderOf(root) || "/" : ".";
  await makeFolder(parent, undo);
  await using staging = await Staging.make(parent);
  const staged = `${staging.path}/files`;
  await Deno.mkdir(staged);
  for (const { path, text } of changes) {
    signal?.throwIfAborted();
    await Deno.mkdir(folderOf(`${staged}/${path}`), { recursive: true });
    await Deno.writeTextFile(`${staged}/${path}`, text, { createNew: true });
  }
  signal?.throwIfAborted();
  await Deno.rename(staged, root);
  // what was made stays
  undo.move();
}

/** Writes all files aside, and then puts one after the other in its place. */
async function writeInto(
  root: string,
  changes: readonly ProjectChange[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const waiting = changes.filter(({ kind }) => kind !== "same");
  if (waiting.length === 0) return;
  await using staging = await Staging.make(root);
  for (const [index, { text }] of waiting.entries()) {
    signal?.throwIfAborted();
    await Deno.writeTextFile(`${staging.path}/${index}`, text);
  }
  const undo = new AsyncDisposableStack();
  try {
    for (const [index, change] of waiting.entries()) {
      signal?.throwIfAborted();
      await place(root, change, `${staging.path}/${index}`, undo);
    }
  } catch (error) {
    await takeBack(root, undo, staging);
    throw error;
  }
  // what was written stays
  undo.move();
}

async function place(
  root: string,
  { path, kind }: ProjectChange,
  staged: string,
  undo: AsyncDisposableStack,
): Promise<void> {
  const target = `${root}/${path}`;
  // somebody may have put a link there since it was planned
  await checkParents(root, path);
  await makeFolder(folderOf(target), undo);
  if (kind === "changed") {
    const old = `${staged}.old`;
    await Deno.link(target, old);
    await Deno.rename(staged, target);
    undo.defer(() => Deno.rename(old, target));
  } else {
    // fails if somebody else has made one meanwhile
    await Deno.link(staged, target);
    undo.defer(() => removed(target));
  }
}

/** Puts back what was there. What cannot be put back is not thrown away. */
async function takeBack(
  root: string,
  undo: AsyncDisposableStack,
  staging: Staging,
): Promise<void> {
  try {
    await undo.disposeAsync();
  } catch (cause) {
    const kept = staging.keep();
    throw unwritable(
      root,
      `files that were replaced could not be put back: ${reasonOf(cause)}`,
      `they are in ${quote(kept)}`,
      { cause },
    );
  }
}

/** Makes a folder and those above it; what was made is undone if it is empty. */
async function makeFolder(
  path: string,
  undo: AsyncDisposableStack,
): Promise<void> {
  const isThere = await Deno.stat(path).then(() => true, () => false);
  if (isThere) return;
  const parent = folderOf(path);
  if (parent !== "") await makeFolder(parent, undo);
  try {
    await Deno.mkdir(path);
    undo.defer(() => removed(path));
  } catch (error) {
    // "new/.." is there as soon as "new" is
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Removes a file, or a folder that is empty. */
async function removed(path: string): Promise<void> {
  await Deno.remove(path).catch(() => {});
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
