/**
 * Reads a module from wherever it comes, no more of it than may be.
 *
 * @module
 */

import { collect } from "../../_streams.ts";
import { printable, quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { ModuleSource } from "../types.ts";

/** Options of {@linkcode readSource}. */
export interface ReadSourceOptions {
  /** Longest module, in bytes. */
  maxBytes: number;
  /** Cancels reading. */
  signal?: AbortSignal | undefined;
}

/**
 * Reads a module.
 *
 * @param source Where it comes from.
 * @param options The longest that is read, and cancellation.
 * @returns A copy that nobody else can change.
 * @throws {SandboxError} With code `module-unreadable` or `limit-exceeded`.
 * @throws {TypeError} If `source` is none.
 */
export async function readSource(
  source: ModuleSource,
  options: ReadSourceOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  options.signal?.throwIfAborted();
  if (typeof source === "string") return await readFile(source, options);
  // before URL and Response: Deno loads what they need when they are named
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    if (source.byteLength > options.maxBytes) {
      throw tooLong(options.maxBytes, source.byteLength);
    }
    return copy(source);
  }
  if (source instanceof URL) return await readUrl(source, options);
  if (source instanceof Response) return await readResponse(source, options);
  if ((source as unknown) instanceof WebAssembly.Module) {
    throw new TypeError(
      "Cannot compile a WebAssembly.Module: limits need the module's bytes " +
        "(pass the bytes, a path or a URL)",
    );
  }
  if (
    typeof SharedArrayBuffer !== "undefined" &&
    (source as unknown) instanceof SharedArrayBuffer
  ) {
    return copy(new Uint8Array(source as unknown as ArrayBuffer));
  }
  throw new TypeError(
    "Cannot compile the module: pass its bytes, a path, a URL or a Response",
  );
}

function copy(source: BufferSource): Uint8Array<ArrayBuffer> {
  const view = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  const bytes = new Uint8Array(view.length);
  bytes.set(view);
  return bytes;
}

async function readFile(
  path: string | URL,
  options: ReadSourceOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = String(path);
  let file: Deno.FsFile;
  try {
    const { isFile, isDirectory, size } = await Deno.stat(path);
    // what is no regular file may block for ever
    if (!isFile) {
      throw new Error(isDirectory ? "it is a directory" : "it is no file");
    }
    if (size > options.maxBytes) throw tooLong(options.maxBytes, size);
    file = await Deno.open(path);
  } catch (cause) {
    throw unreadable(name, cause);
  }
  // reading to the end closes the file, and so does giving up
  return await readStream(name, file.readable, options);
}

async function readUrl(
  url: URL,
  options: ReadSourceOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") return await readFile(url, options);
  if (!["http:", "https:", "data:", "blob:"].includes(url.protocol)) {
    throw unreadable(
      url.href,
      new Error(`the scheme "${url.protocol}" is not supported`),
    );
  }
  let response: Response;
  try {
    response = await fetch(url, { signal: options.signal ?? null });
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw unreadable(url.href, cause);
  }
  return await readResponse(response, options);
}

async function readResponse(
  response: Response,
  options: ReadSourceOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = response.url || "response";
  if (!response.ok) {
    await response.body?.cancel();
    throw unreadable(
      name,
      new Error(`the server answered with status ${response.status}`),
    );
  }
  if (response.bodyUsed || response.body === null) {
    throw unreadable(
      name,
      new Error("the response has no body, or it is used"),
    );
  }
  return await readStream(name, response.body, options);
}

async function readStream(
  name: string,
  stream: ReadableStream<Uint8Array>,
  { maxBytes, signal }: ReadSourceOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await collect(stream, { maxBytes, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreadable(name, cause);
  }
  if (bytes.length > maxBytes) throw tooLong(maxBytes, bytes.length);
  return bytes;
}

function unreadable(source: string, cause: unknown): SandboxError {
  if (SandboxError.is(cause)) return cause;
  const reason = cause instanceof Deno.errors.NotFound
    ? "it does not exist"
    : printable(cause instanceof Error ? cause.message : String(cause));
  return new SandboxError(
    "module-unreadable",
    `Cannot read the module ${quote(source)}: ${reason}`,
    { cause, details: { source } },
  );
}

function tooLong(
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = `raise moduleBytes to at least ${used}`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot read the module: it has ${used} bytes or more, and moduleBytes is ${allowed} (${suggestion})`,
    { details: { limit: "moduleBytes", allowed, used, suggestion } },
  );
}
