/**
 * Downloads files into memory, up to a bound.
 *
 * @module
 */

import { collect } from "../../_streams.ts";
import { quote, reasonOf } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { OTHER_WAYS } from "./places.ts";

/** How far an installation is. */
export interface InstallProgress {
  /** What is being done. */
  readonly step: "download" | "unpack" | "verify";
  /** From where. */
  readonly from: "archive" | "pip";
  /** How much there is of it already, in bytes, where that is known. */
  readonly bytes?: number;
  /** How much it will be. */
  readonly totalBytes?: number;
}

/** What goes with every step of an installation. */
export interface Fetching {
  /** Cancels it. */
  readonly signal: AbortSignal;
  /** Is told how far it is. */
  readonly onProgress: (progress: InstallProgress) => void;
}

/**
 * Largest archive or wheel that is downloaded. The releases have some 30 MB, and
 * the wheels 10.
 */
export const MAX_DOWNLOAD_BYTES: number = 128 * 2 ** 20;

/**
 * Downloads a file.
 *
 * @param url Where it is.
 * @param fetching Cancellation, and who is told.
 * @returns Its bytes.
 * @throws {SandboxError} With code `runtime-unavailable`, unless it is
 * cancelled.
 */
export async function download(
  url: URL,
  { signal, onProgress }: Fetching,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await request(url, signal);
  const length = response.headers.get("content-length");
  const totalBytes = length === null ? undefined : Number(length);
  if (response.body === null || (totalBytes ?? 0) > MAX_DOWNLOAD_BYTES) {
    await response.body?.cancel();
    throw cannotInstall(`${quote(url.href)} has a body of ${length} bytes`);
  }
  const body = response.body.pipeThrough(counted((bytes) =>
    onProgress({
      step: "download",
      from: "archive",
      bytes,
      ...(totalBytes === undefined ? {} : { totalBytes }),
    })
  ));
  const bytes = await attempt(
    () => collect(body, { maxBytes: MAX_DOWNLOAD_BYTES, signal }),
    `${quote(url.href)} did not arrive whole`,
    signal,
  );
  if (bytes.length <= MAX_DOWNLOAD_BYTES) return bytes;
  throw cannotInstall(
    `${quote(url.href)} is longer than ${MAX_DOWNLOAD_BYTES} bytes`,
  );
}

async function request(url: URL, signal: AbortSignal): Promise<Response> {
  const response = await attempt(
    () => fetch(url, { signal }),
    `${quote(url.href)} does not answer`,
    signal,
  );
  if (response.ok) return response;
  await response.body?.cancel();
  throw cannotInstall(`${quote(url.href)} answers ${response.status}`);
}

/** Does something; what it throws becomes a failure to install. */
async function attempt<T>(
  action: () => Promise<T>,
  what: string,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    signal.throwIfAborted();
    throw cannotInstall(`${what}: ${reasonOf(cause)}`, { cause });
  }
}

function counted(
  tell: (bytes: number) => void,
): TransformStream<
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>
> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length;
      tell(bytes);
      controller.enqueue(chunk);
    },
  });
}

/**
 * The error of a library that cannot be installed.
 *
 * @param reason Why not.
 * @param options What to do instead, and what was thrown, if anything.
 * @returns The error.
 */
export function cannotInstall(
  reason: string,
  { suggestion = OTHER_WAYS, ...options }:
    & { suggestion?: string }
    & ErrorOptions = {},
): SandboxError<"runtime-unavailable"> {
  return new SandboxError(
    "runtime-unavailable",
    `Cannot install wasmtime: ${reason} (${suggestion})`,
    { ...options, details: { runtime: "wasmtime", reason, suggestion } },
  );
}
