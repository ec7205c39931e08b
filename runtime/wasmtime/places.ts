/**
 * Where libwasmtime may lie on this machine.
 *
 * @module
 */

import type { Platform } from "./checksums.ts";

/** The environment variable that names the library. */
export const LIBRARY_VARIABLE = "WASM_SANDBOX_WASMTIME";

/** How to get the library, for messages. */
export const HOW_TO_GET: string =
  "install it with `deno run -A jsr:@wasm-sandbox/core/cli backends install " +
  "wasmtime`, in a checkout with `deno run -A cli.ts backends install " +
  `wasmtime\`, or name a library by the environment variable ` +
  `${LIBRARY_VARIABLE} or the option \`library\``;

/** What to do where an installation fails, for messages. */
export const OTHER_WAYS: string =
  "try --from archive, --from pip or a --from-url of your own, or name a " +
  `library that you have by the environment variable ${LIBRARY_VARIABLE}`;

/** The machine, as places and checksums are named by it. */
export interface Machine {
  /** Its operating system, as Deno names it. */
  readonly os: typeof Deno.build.os;
  /** Its processor. */
  readonly arch: typeof Deno.build.arch;
}

/** Environment variables that say where users keep their files. */
export const PLACE_VARIABLES = [
  "XDG_CACHE_HOME",
  "HOME",
  "LOCALAPPDATA",
] as const;

/** Values of {@linkcode PLACE_VARIABLES}, as far as they are known. */
export type PlaceVariables = Readonly<
  Partial<Record<typeof PLACE_VARIABLES[number], string>>
>;

/**
 * The platform whose library a machine takes.
 *
 * @param machine The machine, this one by default.
 * @returns Its name, or undefined if there is no library for it.
 */
export function platformOf(
  { os, arch }: Machine = Deno.build,
): Platform | undefined {
  return os === "linux" || os === "darwin" || os === "windows"
    ? `${os}-${arch}`
    : undefined;
}

/**
 * The name of the library's file.
 *
 * @param machine The machine, this one by default.
 * @returns Its name, without a folder.
 */
export function libraryFile({ os }: Machine = Deno.build): string {
  if (os === "windows") return "wasmtime.dll";
  return os === "darwin" ? "libwasmtime.dylib" : "libwasmtime.so";
}

/**
 * The folder of this package in the user's cache.
 *
 * @param variables Where the user keeps files.
 * @param machine The machine, this one by default.
 * @returns Its path, or undefined if the variables do not tell.
 */
export function cacheFolder(
  variables: PlaceVariables,
  { os }: Machine = Deno.build,
): string | undefined {
  const { XDG_CACHE_HOME: xdg, HOME: home, LOCALAPPDATA: local } = variables;
  if (os === "windows") return local ? `${local}\\wasm-sandbox` : undefined;
  // a relative one must be ignored, by the rules of XDG
  if (os !== "darwin" && xdg?.startsWith("/")) return `${xdg}/wasm-sandbox`;
  if (!home) return undefined;
  return os === "darwin"
    ? `${home}/Library/Caches/wasm-sandbox`
    : `${home}/.cache/wasm-sandbox`;
}

/**
 * Where a cache holds the library of a version.
 *
 * @param folder The folder of this package in the cache.
 * @param version The version.
 * @param machine The machine, this one by default.
 * @returns The path of the library.
 */
export function libraryInCache(
  folder: string,
  version: string,
  machine: Machine = Deno.build,
): string {
  const { os, arch } = machine;
  const parts = [
    folder,
    "wasmtime",
    version,
    `${os}-${arch}`,
    libraryFile(machine),
  ];
  return parts.join(os === "windows" ? "\\" : "/");
}

/**
 * The usual places of libraries that belong to the system.
 *
 * @param machine The machine, this one by default.
 * @returns Paths of the library, the most local first.
 */
export function systemPlaces(machine: Machine = Deno.build): string[] {
  const file = libraryFile(machine);
  return systemFolders(machine).map((folder) => `${folder}/${file}`);
}

function systemFolders({ os, arch }: Machine): readonly string[] {
  switch (os) {
    case "windows":
      // the installer of Wasmtime has no library: there is no usual place
      return [];
    case "darwin":
      return ["/opt/homebrew/lib", "/usr/local/lib"];
    case "linux": {
      const multiarch = `${arch}-linux-gnu`;
      return [
        "/usr/local/lib",
        `/usr/local/lib/${multiarch}`,
        "/usr/local/lib64",
        `/usr/lib/${multiarch}`,
        "/usr/lib64",
        "/usr/lib",
        "/home/linuxbrew/.linuxbrew/lib",
      ];
    }
    default:
      return ["/usr/local/lib", "/usr/lib"];
  }
}
