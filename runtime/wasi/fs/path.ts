/**
 * Takes the paths of guests apart. Nothing of a guest's path reaches the
 * operating system but names that were checked here.
 *
 * @module
 */

import { Refusal, WasiError } from "../errno.ts";

/** Longest path and longest target of a link, in bytes of UTF-8. */
export const MAX_PATH_BYTES = 4096;

/** Longest name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255;

/** A guest's path, taken apart. */
export interface ParsedPath {
  /** Names and `..`, never `.` or empty. */
  readonly names: readonly string[];
  /** Whether it ends in `/`, `.` or `..`, so that it must be a directory. */
  readonly mustBeDirectory: boolean;
}

/**
 * Takes apart a path that is relative to a directory.
 *
 * @param path The path, decoded from strict UTF-8.
 * @returns Its names.
 * @throws {WasiError} NOENT if it is empty, NAMETOOLONG, INVAL for NUL, ILSEQ
 * for lone surrogates, NOTCAPABLE if it is absolute.
 */
export function parsePath(path: string): ParsedPath {
  if (path === "") throw new WasiError("NOENT");
  if (isLonger(path, MAX_PATH_BYTES)) throw new WasiError("NAMETOOLONG");
  // the host would turn lone surrogates into U+FFFD, and two names into one
  if (!path.isWellFormed()) throw new WasiError("ILSEQ");
  // Deno cuts a path at NUL only after it has resolved its `..`
  if (path.includes("\0")) throw new WasiError("INVAL");
  if (path.startsWith("/")) {
    throw new Refusal("NOTCAPABLE", "the path is absolute");
  }
  const parts = path.split("/");
  const names = parts.filter((part) => part !== "" && part !== ".");
  for (const name of names) {
    if (isLonger(name, MAX_NAME_BYTES)) throw new WasiError("NAMETOOLONG");
  }
  const last = parts.at(-1);
  return {
    names,
    mustBeDirectory: last === "" || last === "." || last === "..",
  };
}

/** Names that Windows takes for devices, whatever their extension. */
const DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)/i;

/** What Windows reads as separators, streams, wildcards or nothing at all. */
// deno-lint-ignore no-control-regex
const SPECIAL = /[\\/:*?"<>|\u0000-\u001f]|[. ]$/;

/**
 * Refuses names that a host's file system does not take literally. Elsewhere
 * than on Windows every name without `/` and NUL is just a name.
 *
 * @param name A checked name.
 * @param os The host's system.
 * @throws {WasiError} INVAL if the host would make something else of it.
 */
export function checkHostName(
  name: string,
  os: typeof Deno.build.os = Deno.build.os,
): void {
  if (os === "windows" && (SPECIAL.test(name) || DEVICE.test(name))) {
    throw new WasiError("INVAL");
  }
}

/**
 * Refuses the target of a link that a guest makes or moves, if it could lead
 * out of the tree. Every `..` must come first: behind a name that is itself a
 * link, it would go up from elsewhere than the text says.
 *
 * @param target The target.
 * @param depth How many directories below the tree's root the link lies.
 * @throws {WasiError} NOTCAPABLE if it could lead out; as
 * {@linkcode parsePath}.
 */
export function checkLinkTarget(target: string, depth: number): void {
  const { names } = parsePath(target);
  const up = names.findIndex((name) => name !== "..");
  const ups = up < 0 ? names.length : up;
  if (ups > depth || names.lastIndexOf("..") >= ups) {
    throw new Refusal("NOTCAPABLE", LEADS_OUT);
  }
}

/** Why a link is refused. */
const LEADS_OUT = "the symbolic link could lead out of the mount";

/** Whether a text is longer in UTF-8; counts only where it may matter. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  if (text.length * 3 <= maxBytes) return false;
  return new TextEncoder().encode(text).length > maxBytes;
}
