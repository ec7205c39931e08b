/** Processes that somebody has left behind. */

/**
 * Names the processes that work in a folder, or below it.
 *
 * @param folder The folder, as it really is.
 * @returns Their command lines; none where the system has no /proc.
 */
export async function processesIn(folder: string): Promise<readonly string[]> {
  if (Deno.build.os !== "linux") return [];
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const cwd = await Deno.readLink(`/proc/${name}/cwd`);
      if (cwd !== folder && !cwd.startsWith(`${folder}/`)) continue;
      const line = await Deno.readTextFile(`/proc/${name}/cmdline`);
      found.push(`${name}: ${line.replaceAll("\0", " ")}`);
    } catch {
      // it has ended meanwhile, or is somebody else's
    }
  }
  return found;
}
