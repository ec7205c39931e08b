/**
 * Takes one member out of a zip archive, as wheels and the releases for Windows
 * are; .ZIP File Format Specification 6.3.
 *
 * @module
 */

import { collect } from "../../_streams.ts";
import { quote, reasonOf } from "../../_text.ts";
import { cannotInstall } from "./download.ts";

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/** A member as the directory of the archive has it. */
interface Entry {
  readonly method: number;
  readonly packedBytes: number;
  readonly offset: number;
}

/**
 * Takes a member out of an archive.
 *
 * @param archive The archive.
 * @param name Name of the member.
 * @param maxBytes How long it may be.
 * @returns Its bytes; too many, if it is longer.
 * @throws {SandboxError} With code `runtime-unavailable`, if there is none, or
 * the archive is broken.
 */
export async function zipMember(
  archive: Uint8Array<ArrayBuffer>,
  name: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const entry = find(archive, name);
    if (entry !== undefined) return await unpack(archive, entry, maxBytes);
  } catch (cause) {
    throw cannotInstall(`the archive is broken: ${reasonOf(cause)}`, { cause });
  }
  throw cannotInstall(`the archive has no ${quote(name)}`);
}

function find(
  archive: Uint8Array<ArrayBuffer>,
  name: string,
): Entry | undefined {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.length);
  const end = endOf(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let index = 0; index < count; index++) {
    demand(view, at, ENTRY_SIGNATURE);
    const nameBytes = view.getUint16(at + 28, true);
    const start = at + ENTRY_BYTES;
    const found = archive.subarray(start, start + nameBytes);
    if (new TextDecoder().decode(found) === name) return entryAt(view, at);
    at = start + nameBytes + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
  }
  return undefined;
}

/** Where the end of the directory is: only a comment comes after it. */
function endOf(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  }
  throw new TypeError("it has no directory");
}

function entryAt(view: DataView, at: number): Entry {
  return {
    method: view.getUint16(at + 10, true),
    packedBytes: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  };
}

async function unpack(
  archive: Uint8Array<ArrayBuffer>,
  { method, packedBytes, offset }: Entry,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.length);
  demand(view, offset, LOCAL_SIGNATURE);
  const start = offset + LOCAL_BYTES + view.getUint16(offset + 26, true) +
    view.getUint16(offset + 28, true);
  const packed = archive.subarray(start, start + packedBytes);
  if (packed.length !== packedBytes) throw new TypeError("it is cut off");
  if (method !== STORED && method !== DEFLATED) {
    throw new TypeError(`it is packed by the method ${method}`);
  }
  const stream = new Blob([packed]).stream();
  return await collect(
    method === STORED
      ? stream
      : stream.pipeThrough(new DecompressionStream("deflate-raw")),
    { maxBytes },
  );
}

function demand(view: DataView, at: number, signature: number): void {
  if (view.getUint32(at, true) === signature) return;
  throw new TypeError(`it has no header at byte ${at}`);
}
