/**
 * Files as the body of a message: for each, the length of its path and its own,
 * as 32-bit little-endian numbers, the path in UTF-8, and its bytes.
 *
 * @module
 */

import { ProtocolError } from "./frames.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const HEAD_BYTES = 8;

/**
 * Writes files.
 *
 * @param files The files by path.
 * @returns The body.
 */
export function encodeFiles(
  files: Iterable<readonly [path: string, bytes: Uint8Array]>,
): Uint8Array<ArrayBuffer> {
  const parts = Array.from(files, ([path, bytes]) => ({
    path: ENCODER.encode(path),
    bytes,
  }));
  const size = parts.reduce(
    (sum, { path, bytes }) => sum + HEAD_BYTES + path.length + bytes.length,
    0,
  );
  const body = new Uint8Array(size);
  const view = new DataView(body.buffer);
  let at = 0;
  for (const { path, bytes } of parts) {
    view.setUint32(at, path.length, true);
    view.setUint32(at + 4, bytes.length, true);
    body.set(path, at + HEAD_BYTES);
    body.set(bytes, at + HEAD_BYTES + path.length);
    at += HEAD_BYTES + path.length + bytes.length;
  }
  return body;
}

/**
 * Reads files.
 *
 * @param body What {@linkcode encodeFiles} gave, or anything.
 * @param maxFiles Most files; a small one takes more room than it is long.
 * @returns The files by path; their bytes are copies.
 * @throws {ProtocolError} If the body holds something else.
 */
export function decodeFiles(
  body: Uint8Array<ArrayBuffer>,
  maxFiles = Infinity,
): Map<string, Uint8Array<ArrayBuffer>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  let at = 0;
  while (at < body.length) {
    if (body.length - at < HEAD_BYTES) throw new ProtocolError("half a file");
    const pathEnd = at + HEAD_BYTES + view.getUint32(at, true);
    const end = pathEnd + view.getUint32(at + 4, true);
    if (end > body.length) throw new ProtocolError("a file beyond the body");
    const path = pathOf(body.subarray(at + HEAD_BYTES, pathEnd));
    if (files.has(path)) throw new ProtocolError("a file twice");
    if (files.size === maxFiles) throw new ProtocolError("too many files");
    files.set(path, body.slice(pathEnd, end));
    at = end;
  }
  return files;
}

/**
 * Whether a path leads to a file below a directory, wherever it is written to.
 *
 * @param path The path.
 * @param directory The directory, absolute and without `.` or `..`.
 * @returns Whether it does.
 */
export function isBelow(path: string, directory: string): boolean {
  const root = directory === "/" ? "/" : `${directory}/`;
  return path.startsWith(root) &&
    path.slice(root.length).split("/").every(isName);
}

function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("\0");
}

/**
 * Looks at where the files are that a child hands back: nobody has to trust it.
 *
 * @param files The files by path.
 * @param directories The directories that files may be in.
 * @throws {ProtocolError} If one of them is elsewhere.
 */
export function requireBelow(
  files: ReadonlyMap<string, unknown>,
  directories: readonly string[],
): void {
  for (const path of files.keys()) {
    if (directories.some((directory) => isBelow(path, directory))) continue;
    throw new ProtocolError("a file that is elsewhere");
  }
}

function pathOf(bytes: Uint8Array): string {
  let path: string;
  try {
    path = DECODER.decode(bytes);
  } catch (cause) {
    throw new ProtocolError("a path that is no UTF-8", { cause });
  }
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new ProtocolError("a path that is not absolute");
  }
  return path;
}
