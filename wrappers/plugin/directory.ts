/** What plugins a directory holds. */

import { isPluginName, NAME_RULE } from "./names.ts";

/** Most entries of a directory that are looked at. */
const MAX_ENTRIES = 10_000;

const MODULE = ".wasm";
const POLICY = ".yaml";

/** What was found in a directory. */
export interface Found {
  /** Names of plugins, in order. */
  readonly names: readonly string[];
  /** Files that look like plugins and are none, with the reasons. */
  readonly ignored: ReadonlyMap<string, string>;
}

/**
 * Lists the plugins of a directory. Directories in it are not looked into, and
 * links are not followed.
 */
export async function listPlugins(directory: string): Promise<Found> {
  const names: string[] = [];
  const ignored = new Map<string, string>();
  let entries = 0;
  for await (
    const { name: file, isSymlink, isFile } of Deno.readDir(directory)
  ) {
    if (++entries > MAX_ENTRIES) {
      ignored.set(".", `of its entries only ${MAX_ENTRIES} are looked at`);
      break;
    }
    if (!file.endsWith(MODULE)) continue;
    const name = file.slice(0, -MODULE.length);
    if (!isPluginName(name)) ignored.set(file, `a name has ${NAME_RULE}`);
    else if (isSymlink) ignored.set(file, "it is a symbolic link");
    else if (!isFile) ignored.set(file, "it is no file");
    else names.push(name);
  }
  return { names: names.sort(), ignored };
}

/** Name of the plugin that a file belongs to, if it does. */
export function pluginOf(file: string): string | undefined {
  for (const ending of [MODULE, POLICY]) {
    if (!file.endsWith(ending)) continue;
    const name = file.slice(0, -ending.length);
    return isPluginName(name) ? name : undefined;
  }
  return undefined;
}
