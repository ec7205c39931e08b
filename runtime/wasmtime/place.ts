/**
 * Puts a file in its place, where it is as a whole or not at all.
 *
 * @module
 */

import { quote, reasonOf } from "../../_text.ts";
import { cannotInstall } from "./download.ts";

/** The folder is the user's alone. */
const FOLDER_MODE = 0o700;
/** Everybody may map the library, and only its owner write it. */
const FILE_MODE = 0o755;

/**
 * Makes the folder of a file, and tries whether it can be written, before
 * anything is downloaded for it.
 *
 * @param path The place of the file.
 * @throws {SandboxError} With code `runtime-unavailable`.
 */
export async function prepare(path: string): Promise<void> {
  await writing(path, async () => {
    const { folder } = partsOf(path);
    await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    await Deno.remove(await Deno.makeTempFile({ dir: folder, prefix: "." }));
  });
}

/**
 * Puts a file in its place, in one step for whoever looks.
 *
 * @param path The place; its folder is there.
 * @param bytes What the file holds.
 * @throws {SandboxError} With code `runtime-unavailable`.
 */
export async function put(path: string, bytes: Uint8Array): Promise<void> {
  const { folder, name } = partsOf(path);
  const part = `${folder}/.${name}.${crypto.randomUUID()}`;
  await writing(path, async () => {
    try {
      await write(part, bytes);
      // the umask narrows the mode of a new file
      if (Deno.build.os !== "windows") await Deno.chmod(part, FILE_MODE);
      await Deno.rename(part, path);
    } catch (error) {
      await Deno.remove(part).catch(() => {});
      throw error;
    }
  });
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
  await file.sync();
}

function partsOf(path: string): { folder: string; name: string } {
  const [, folder, name] = /^(.*)[/\\]([^/\\]*)$/.exec(path) ?? [];
  return { folder: folder ?? ".", name: name ?? path };
}

async function writing(
  path: string,
  action: () => Promise<void>,
): Promise<void> {
  try {
    await action();
  } catch (cause) {
    throw cannotInstall(
      `${quote(path)} cannot be written: ${reasonOf(cause)}`,
      {
        cause,
        suggestion: "let its folder be written, or give another cache by " +
          "XDG_CACHE_HOME (on Windows LOCALAPPDATA)",
      },
    );
  }
}
