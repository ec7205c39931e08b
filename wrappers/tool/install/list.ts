import { reasonOf } from "../../../_text.ts";
import { cannot, placesOf, toolOfFolder } from "./places.ts";
import { installedTool, readRecord } from "./record.ts";
import type { InstalledTool } from "./types.ts";

/**
 * Lists the tools that are installed in a directory.
 *
 * @param directory The directory.
 * @returns The tools, by their names.
 * @throws {SandboxError} With code `install-failed` if the directory, or what an
 * install wrote down there, cannot be read.
 */
export async function listTools(
  directory: string,
): Promise<readonly InstalledTool[]> {
  const tools: InstalledTool[] = [];
  for (const name of await namesIn(directory)) {
    const places = placesOf({ directory, name });
    const record = await readRecord(places);
    // without a record an install was cut off, and there is no command
    if (record !== undefined) tools.push(installedTool(places, record));
  }
  return tools;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.map(({ name }) => toolOfFolder(name))
      .filter((name) => name !== undefined).sort();
  } catch (error) {
    throw cannot("list", directory, reasonOf(error), error);
  }
}
