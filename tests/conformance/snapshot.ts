/**
 * What lies in a folder, to compare it later.
 *
 * @module
 */

/**
 * Describes a folder: every entry with its type, length, time of change and
 * content or target.
 *
 * @param folder The folder.
 * @returns One line for each entry; empty if there is no folder.
 */
export async function snapshot(folder: string): Promise<string> {
  const lines: string[] = [];
  async function walk(path: string): Promise<void> {
    const { isDirectory, isSymlink, isFile, mtime } = await Deno.lstat(path);
    const content = isSymlink
      ? await Deno.readLink(path)
      : isFile
      ? (await Deno.readFile(path)).toHex()
      : "";
    const type = isDirectory ? "directory" : isSymlink ? "link" : "other";
    lines.push([path, type, mtime?.getTime(), content].join(" "));
    if (!isDirectory) return;
    for await (const { name } of Deno.readDir(path)) {
      await walk(`${path}/${name}`);
    }
  }
  try {
    await walk(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return lines.sort().join("\n");
}
