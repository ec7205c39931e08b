/** Where an installed tool lies. */

import { quote, reasonOf } from "../../../_text.ts";
import { SandboxError } from "../../../errors.ts";
import type { InstalledName } from "./types.ts";

/** What an install writes beside the command, all of it. */
export const FILES = Object.freeze(
  {
    manifest: "tool.json",
    module: "module.wasm",
    record: "install.json",
  } as const,
);

/** Where a tool lies. */
export interface Places {
  readonly directory: string;
  readonly name: string;
  readonly launcher: string;
  /** The folder of everything else. */
  readonly folder: string;
  readonly manifest: string;
  readonly module: string;
  readonly record: string;
}

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
const FOLDER = /^\.(.+)\.wasm-sandbox$/;

/**
 * Where a tool lies.
 *
 * @throws {TypeError} If it cannot be called so.
 */
export function placesOf({ directory, name }: InstalledName): Places {
  if (!NAME.test(name) || DEVICE.test(name) || name.endsWith(".")) {
    throw new TypeError(
      `Cannot call a command ${quote(name)}: write letters, digits, ".", "_" ` +
        'and "-", at most 64 and a letter or a digit first, and no name of a ' +
        "device",
    );
  }
  const root = directory.replace(/(?<=[^/\\])[/\\]+$/, "");
  const folder = `${root}/.${name}.wasm-sandbox`;
  const launcher = Deno.build.os === "windows" ? `${name}.cmd` : name;
  return {
    directory: root,
    name,
    folder,
    launcher: `${root}/${launcher}`,
    manifest: `${folder}/${FILES.manifest}`,
    module: `${folder}/${FILES.module}`,
    record: `${folder}/${FILES.record}`,
  };
}

/** The name of the tool whose folder this is, if it is one's. */
export function toolOfFolder(folder: string): string | undefined {
  const name = FOLDER.exec(folder)?.[1];
  return name !== undefined && NAME.test(name) ? name : undefined;
}

/** What is at a path; links are not followed. */
export async function kindOf(
  path: string,
): Promise<"none" | "file" | "directory" | "other"> {
  try {
    const { isFile, isDirectory } = await Deno.lstat(path);
    return isFile ? "file" : isDirectory ? "directory" : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "none";
    throw cannot("look at", path, reasonOf(error), error);
  }
}

/** The error of something that was not done. */
export function cannot(
  what: string,
  path: string,
  problem: string,
  cause?: unknown,
): SandboxError<"install-failed"> {
  return new SandboxError(
    "install-failed",
    `Cannot ${what} ${quote(path)}: ${problem}`,
    { details: { path, problem }, cause },
  );
}
