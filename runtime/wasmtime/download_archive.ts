/**
 * Takes the library out of the archive of Wasmtime's release. Nothing is
 * unpacked into a folder: the one member goes from a pipe into memory.
 *
 * @module
 */

import { collect, writeAll } from "../../_streams.ts";
import { quote, reasonOf } from "../../_text.ts";
import type { PinnedLibrary, Platform } from "./checksums.ts";
import { cannotInstall, download, type Fetching } from "./download.ts";
import { zipMember } from "./download_zip.ts";

/** Where the releases of Wasmtime are. */
export const RELEASES_URL =
  "https://github.com/bytecodealliance/wasmtime/releases/download/";

/** Most that is kept of what a program says of a failure, in bytes. */
const MAX_STDERR_BYTES = 4096;

/** Which library of which release. */
export interface Wanted {
  readonly version: string;
  readonly platform: Platform;
  readonly pinned: PinnedLibrary;
}

/**
 * Where an archive is.
 *
 * @param wanted Which.
 * @param base The folder of the releases, or the archive itself.
 * @returns Its URL.
 */
export function archiveUrl(wanted: Wanted, base: string | URL): URL {
  const url = new URL(base);
  if (/\.(?:tar\.xz|zip)$/.test(url.pathname)) return url;
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const { version } = wanted;
  url.pathname += `v${version}/${archiveName(wanted)}.${
    isZip(wanted) ? "zip" : "tar.xz"
  }`;
  return url;
}

/**
 * Downloads an archive and takes the library out of it.
 *
 * @param wanted Which.
 * @param base The folder of the releases, or the archive itself.
 * @param fetching Cancellation, and who is told.
 * @returns The library, not verified.
 * @throws {SandboxError} With code `runtime-unavailable`, unless it is
 * cancelled.
 */
export async function fromArchive(
  wanted: Wanted,
  base: string | URL,
  fetching: Fetching,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = archiveUrl(wanted, base);
  const archive = await download(url, fetching);
  fetching.onProgress({ step: "unpack", from: "archive" });
  const { bytes: maxBytes } = wanted.pinned;
  const member = `${archiveName(wanted)}/lib/${libraryName(wanted)}`;
  return url.pathname.endsWith(".zip")
    ? await zipMember(archive, member, maxBytes)
    : await tarMember(archive, member, { maxBytes, signal: fetching.signal });
}

function archiveName({ version, platform }: Wanted): string {
  const [os, arch] = platform.split("-");
  return `wasmtime-v${version}-${arch}-${os === "darwin" ? "macos" : os}-c-api`;
}

function libraryName({ platform }: Wanted): string {
  if (platform.startsWith("windows")) return "wasmtime.dll";
  return platform.startsWith("darwin") ? "libwasmtime.dylib" : "libwasmtime.so";
}

function isZip({ platform }: Wanted): boolean {
  return platform.startsWith("windows");
}

/** What is taken out of an archive. */
interface Bounds {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Takes a member out of an archive by the system's `tar`.
 *
 * @param archive The archive, compressed by xz.
 * @param member Name of the member.
 * @param bounds How long it may be, and cancellation.
 * @returns Its bytes; too many, if it is longer.
 */
async function tarMember(
  archive: Uint8Array<ArrayBuffer>,
  member: string,
  { maxBytes, signal }: Bounds,
): Promise<Uint8Array<ArrayBuffer>> {
  await using tar = startTar(member);
  const stderr = collect(tar.stderr, { maxBytes: MAX_STDERR_BYTES });
  // it may have enough before the end, or fail: its exit code tells
  const fed = writeAll(tar.stdin, archive, signal)
    .then(() => tar.stdin.close()).catch(() => {});
  const bytes = await collect(tar.stdout, { maxBytes, signal });
  if (bytes.length > maxBytes) return bytes;
  const [{ success }, said] = await Promise.all([tar.status, stderr, fed]);
  signal.throwIfAborted();
  if (success) return bytes;
  const reason = new TextDecoder().decode(said).trim().split("\n")[0] ?? "";
  throw cannotInstall(
    `tar cannot take ${quote(member)} out of the archive: ${reasonOf(reason)}`,
  );
}

function startTar(member: string): Deno.ChildProcess {
  try {
    return new Deno.Command("tar", {
      args: ["-x", "-J", "-O", "-f", "-", member],
      // what a user adds could write files
      env: { TAR_OPTIONS: "" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw cannotInstall(`tar cannot be started: ${reasonOf(cause)}`, { cause });
  }
}
