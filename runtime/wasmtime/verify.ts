/**
 * Whether the file of a library is whole. What is mapped into memory and is not
 * there ends the process, so that this goes before opening it.
 *
 * @module
 */

import type { PinnedLibrary } from "./checksums.ts";

/** The first bytes of ELF for 64 bits, smallest byte first. */
const ELF64 = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
/** Most segments that are looked at; a library has about ten. */
const MAX_SEGMENTS = 256;

/**
 * Whether bytes are a library that is pinned.
 *
 * @param bytes The bytes.
 * @param pinned What they must be.
 * @returns Whether they are.
 */
export async function isPinned(
  bytes: Uint8Array<ArrayBuffer>,
  { bytes: length, sha256 }: PinnedLibrary,
): Promise<boolean> {
  if (bytes.length !== length) return false;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex() === sha256;
}

/**
 * Whether a file is a library that is pinned.
 *
 * @param path Its path.
 * @param pinned What it must be.
 * @returns Whether it is; not, if it cannot be read.
 */
export async function isPinnedFile(
  path: string,
  pinned: PinnedLibrary,
): Promise<boolean> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size !== pinned.bytes) return false;
    return await isPinned(await Deno.readFile(path), pinned);
  } catch {
    return false;
  }
}

/**
 * Whether a library ends before what it says that it holds: the system would
 * map it all the same. Only ELF is looked at; other systems check by themselves.
 *
 * @param path Its path.
 * @returns Whether it is cut off.
 */
export async function isCutOff(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const header = await readAt(file, 0, HEADER_BYTES);
  if (ELF64.some((byte, at) => header.getUint8(at) !== byte)) return false;
  const start = Number(header.getBigUint64(32, true));
  const count = Math.min(header.getUint16(56, true), MAX_SEGMENTS);
  if (start + count * SEGMENT_BYTES > size) return true;
  const segments = await readAt(file, start, count * SEGMENT_BYTES);
  return Array.from({ length: count }, (_, at) => at * SEGMENT_BYTES).some(
    (at) =>
      segments.getBigUint64(at + 8, true) +
          segments.getBigUint64(at + 32, true) > BigInt(size),
  );
}

/** Reads so many bytes; those that are not there are zero. */
async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<DataView> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let at = 0; at < length;) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return new DataView(bytes.buffer);
}
