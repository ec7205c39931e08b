/**
 * Installs libwasmtime into the cache of this package. A library that is not,
 * byte for byte, what `checksums.ts` says is never written.
 *
 * @module
 */

import { nearest, quote, reasonOf } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { OperationOptions } from "../types.ts";
import { PINNED_VERSIONS, WASMTIME_VERSION } from "./checksums.ts";
import {
  cannotInstall,
  type Fetching,
  type InstallProgress,
} from "./download.ts";
import { fromArchive, RELEASES_URL, type Wanted } from "./download_archive.ts";
import { fromPip } from "./download_pip.ts";
import { placeVariables } from "./find.ts";
import {
  cacheFolder,
  LIBRARY_VARIABLE,
  libraryInCache,
  platformOf,
} from "./places.ts";
import { prepare, put } from "./place.ts";
import { isPinned, isPinnedFile } from "./verify.ts";

export type { InstallProgress };

/** Where a library is taken from. */
export type InstallFrom = "archive" | "pip" | "auto";

/** Options of {@linkcode installWasmtime}. */
export interface InstallOptions extends OperationOptions {
  /**
   * Where it is taken from: the archive of the release; the wheel that
   * `pip download` gets; or the first of these that works.
   *
   * @default {"auto"}
   */
  from?: InstallFrom;
  /**
   * The folder of the releases, for a mirror of your own: archives are at
   * `v<version>/<name of the archive>` in it. Or the archive itself.
   *
   * @default {"https://github.com/bytecodealliance/wasmtime/releases/download/"}
   */
  baseUrl?: string | URL;
  /**
   * Which version: one whose checksums this package has, as docs/runtimes.md
   * lists them. The first of them is found before all others.
   *
   * @default {"49.0.0"}
   */
  version?: string;
  /** The folder of this package in a cache. Found by itself, if left out. */
  cacheDir?: string;
  /**
   * How long it may take in all, in milliseconds.
   *
   * @default {600_000}
   */
  timeoutMs?: number;
  /**
   * Is told how far it is.
   *
   * @param progress How far.
   */
  onProgress?: (progress: InstallProgress) => void;
}

/** A library that was installed. */
export interface InstalledLibrary {
  /** Its path. */
  readonly path: string;
  /** Its version. */
  readonly version: string;
  /** Where it was taken from; `"cache"` if it was there already. */
  readonly from: "archive" | "pip" | "cache";
}

const DEFAULT_TIMEOUT_MS = 600_000;

/**
 * Installs the library of Wasmtime.
 *
 * @param options Which, from where and to where.
 * @returns Where it is.
 * @throws {SandboxError} With code `runtime-unavailable`, if it cannot be had.
 */
export async function installWasmtime(
  options: InstallOptions = {},
): Promise<InstalledLibrary> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const wanted = wantedOf(options.version ?? WASMTIME_VERSION);
  const folder = options.cacheDir ?? cacheFolder(await placeVariables());
  if (folder === undefined) throw noCache();
  const { version, pinned } = wanted;
  const path = libraryInCache(folder, version);
  if (await isPinnedFile(path, pinned)) return { path, version, from: "cache" };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(tooLate(timeoutMs)), timeoutMs);
  const fetching = {
    onProgress: options.onProgress ?? (() => {}),
    signal: AbortSignal.any(signal ? [signal, late.signal] : [late.signal]),
  };
  try {
    await prepare(path);
    const { from, bytes } = await obtain(wanted, options, fetching);
    await put(path, bytes);
    return { path, version, from };
  } finally {
    clearTimeout(timer);
  }
}

function wantedOf(version: string): Wanted {
  const platform = platformOf();
  if (platform === undefined) {
    const { os, arch } = Deno.build;
    throw cannotInstall(`no library is known for ${os} on ${arch}`, {
      suggestion: `build one, and name it by ${LIBRARY_VARIABLE}`,
    });
  }
  const pinned = Object.hasOwn(PINNED_VERSIONS, version)
    ? PINNED_VERSIONS[version]?.libraries[platform]
    : undefined;
  if (pinned === undefined) throw unknownVersion(version);
  return { version, platform, pinned };
}

function unknownVersion(version: string): SandboxError {
  const known = Object.keys(PINNED_VERSIONS);
  const near = nearest(version, known);
  return cannotInstall(
    `no checksum of version ${quote(version)} is known`,
    {
      suggestion: near === undefined
        ? `known are ${known.join(", ")}`
        : `did you mean ${near}?`,
    },
  );
}

function noCache(): SandboxError {
  return cannotInstall("where the user's cache is cannot be told", {
    suggestion: Deno.build.os === "windows"
      ? "set LOCALAPPDATA, and let it be read"
      : "set HOME, and let it be read",
  });
}

function tooLate(timeoutMs: number): SandboxError {
  return cannotInstall(`it took longer than ${timeoutMs} ms`, {
    suggestion: "raise timeoutMs, or take it from somewhere nearer",
  });
}

/** A library that came from somewhere, verified. */
interface Obtained {
  readonly from: "archive" | "pip";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Takes the library from where the user says, or from the first that works. */
async function obtain(
  wanted: Wanted,
  { from = "auto", baseUrl = RELEASES_URL }: InstallOptions,
  fetching: Fetching,
): Promise<Obtained> {
  const { signal } = fetching;
  const failures: unknown[] = [];
  for (const each of from === "auto" ? ["archive", "pip"] as const : [from]) {
    try {
      const bytes = each === "pip"
        ? await fromPip(wanted, fetching)
        : await fromArchive(wanted, baseUrl, fetching);
      fetching.onProgress({ step: "verify", from: each });
      await verify(wanted, bytes);
      return { from: each, bytes };
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  const [archive, pip] = failures.map(whyNot);
  throw cannotInstall(`from the archive: ${archive}; from pip: ${pip}`, {
    cause: new AggregateError(failures),
  });
}

function whyNot(error: unknown): string {
  return SandboxError.is(error, "runtime-unavailable")
    ? error.details.reason
    : reasonOf(error);
}

async function verify(
  { version, pinned }: Wanted,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  if (await isPinned(bytes, pinned)) return;
  throw cannotInstall(
    `what came is not the library of version ${version}: ` +
      (bytes.length === pinned.bytes
        ? "its checksum is another"
        : "its length is another"),
    { suggestion: "do not use it; take it from somewhere else" },
  );
}
