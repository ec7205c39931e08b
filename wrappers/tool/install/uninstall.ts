import { reasonOf } from "../../../_text.ts";
import { cannot, kindOf, type Places, placesOf } from "./places.ts";
import { checkFolder, isUnchanged, readRecord } from "./record.ts";
import type { UninstallToolOptions } from "./types.ts";

/**
 * Removes a tool that was installed, and nothing else.
 *
 * @param options Where it is, and what it is called.
 * @throws {TypeError} If nothing can be called so.
 * @throws {SandboxError} With code `install-failed` if it is not there, if it was
 * changed, or if it cannot be removed.
 */
export async function uninstallTool(
  { force = false, ...place }: UninstallToolOptions,
): Promise<void> {
  const places = placesOf(place);
  await checkRemovable(places, { force });
  if (await kindOf(places.folder) === "none") {
    throw cannot("uninstall", places.launcher, "it is not installed there");
  }
  try {
    // the command first: without the rest it would not start
    for (const each of ["launcher", "module", "manifest", "record"] as const) {
      await removeFile(places[each]);
    }
    await Deno.remove(places.folder);
  } catch (error) {
    throw cannot("uninstall", places.launcher, reasonOf(error), error);
  }
}

/**
 * Checks that what is at a tool's places is what an install wrote.
 *
 * @throws {SandboxError} With code `install-failed`, if it is not.
 */
export async function checkRemovable(
  places: Places,
  { force }: { readonly force: boolean },
): Promise<void> {
  const { launcher } = places;
  await checkFolder(places);
  const kind = await kindOf(launcher);
  if (kind === "none") return;
  if (kind === "directory") {
    throw cannot("remove", launcher, "it is a directory");
  }
  if (force || await isUnchanged(places, await readRecord(places))) return;
  const problem = "it is not as it was installed, or is something else (with " +
    "force it is removed)";
  throw cannot("remove", launcher, problem);
}

/** Removes a file, if it is there. */
export async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
