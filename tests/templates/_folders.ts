/** Folders of tests, and what is in them. */

/** Runs in a folder that goes when it is done. */
export async function inFolder(
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** All files below a folder, with what they hold. */
export async function tree(
  folder: string,
  prefix = "",
): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isSymlink) all[prefix + name] = "link";
    else if (isDirectory) {
      Object.assign(all, { [`${prefix}${name}/`]: "" });
      Object.assign(all, await tree(path, `${prefix}${name}/`));
    } else all[prefix + name] = await Deno.readTextFile(path);
  }
  return all;
}
