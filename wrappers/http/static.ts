/** Static files: answered by the host, before any guest. */

import type { Answer, Exchange, Tail } from "./exchange.ts";
import { type HeadBounds, readHeaders } from "./head.ts";
import { Lateness, type Pending } from "./lateness.ts";
import { mediaTypeOf } from "./media_types.ts";
import { checkReads } from "./problem.ts";
import { isUnchanged, rangeOf } from "./static_conditions.ts";
import { namesOf, notFound, openBelow, type OpenFile } from "./static_path.ts";
import type { StaticDirectory } from "./types.ts";

/** A directory whose files are served. */
interface Mount {
  readonly path: string;
  readonly root: string;
  readonly index: string | undefined;
  readonly maxAgeSeconds: number;
}

/** Directories whose files are served. */
export class StaticFiles implements Disposable {
  readonly #mounts: readonly Mount[];
  readonly #stalls: Lateness;

  private constructor(mounts: readonly Mount[], stallMs: number) {
    // the longest path knows best
    this.#mounts = mounts.toSorted((a, b) => b.path.length - a.path.length);
    this.#stalls = new Lateness(stallMs);
  }

  /**
   * Finds the directories.
   *
   * @param directories What to serve.
   * @param stallMs How long a client may take for a piece of a file.
   * @returns The files.
   * @throws {TypeError} If one is no directory.
   */
  static async open(
    directories: readonly StaticDirectory[],
    stallMs: number,
  ): Promise<StaticFiles> {
    const mounts = await Promise.all(directories.map(openMount));
    return new StaticFiles(mounts, stallMs);
  }

  /** Whether a path is one of these directories'. */
  has(path: string): boolean {
    return this.#mounts.some((each) => isWithin(each.path, path));
  }

  /**
   * Answers a request for a file.
   *
   * @param exchange The request.
   * @param bounds The bounds of its head.
   * @returns The answer; undefined if its path is none of these directories'.
   */
  answer(exchange: Exchange, bounds: HeadBounds): Promise<Answer> | undefined {
    const { path } = exchange.target;
    const mount = this.#mounts.find((each) => isWithin(each.path, path));
    return mount && serve(mount, exchange, bounds, this.#stalls);
  }

  /** Lets go of the timer. */
  [Symbol.dispose](): void {
    this.#stalls[Symbol.dispose]();
  }
}

function isWithin(mount: string, path: string): boolean {
  return path.startsWith(mount) &&
    (path.length === mount.length || path[mount.length] === "/");
}

async function openMount(
  { path, directory, index, maxAgeSeconds = 0 }: StaticDirectory,
): Promise<Mount> {
  try {
    const root = await Deno.realPath(directory);
    if (!(await Deno.stat(root)).isDirectory) throw new TypeError("is a file");
    return { path: path.replace(/\/+$/, ""), root, index, maxAgeSeconds };
  } catch (cause) {
    throw new TypeError(
      `Cannot serve the directory ${JSON.stringify(directory)}: it is not ` +
        "there, or may not be read (check static[].directory)",
      { cause },
    );
  }
}

async function serve(
  mount: Mount,
  exchange: Exchange,
  bounds: HeadBounds,
  stalls: Lateness,
): Promise<Answer> {
  const { path } = exchange.target;
  checkReads(exchange);
  readHeaders(exchange.request.headers, bounds, NONE);
  const names = namesOf(path.slice(mount.path.length));
  const isDirectory = names.length === 0 || names.at(-1) === "";
  if (isDirectory && mount.index === undefined) throw notFound();
  const file = isDirectory ? [...names.slice(0, -1), mount.index ?? ""] : names;
  const opened = await openBelow(mount.root, file);
  if (opened === undefined) throw notFound();
  return reply(opened, exchange, {
    "content-type": mediaTypeOf(file.at(-1) ?? ""),
    "cache-control": `public, max-age=${mount.maxAgeSeconds}`,
    // what a file is called says what it is, and nothing else does
    "x-content-type-options": "nosniff",
    "accept-ranges": "bytes",
    ...validators(opened.info),
  }, stalls);
}

/** No header is passed on; they are only counted. */
const NONE: ReadonlySet<string> = new Set();

function validators({ size, mtime }: Deno.FileInfo): Record<string, string> {
  const time = mtime?.getTime() ?? 0;
  return {
    etag: `W/"${size.toString(16)}-${time.toString(16)}"`,
    ...(mtime === null ? {} : { "last-modified": mtime.toUTCString() }),
  };
}

async function reply(
  { file, info: { size } }: OpenFile,
  { method, request }: Exchange,
  headers: Record<string, string>,
  stalls: Lateness,
): Promise<Answer> {
  if (isUnchanged(request.headers, headers)) {
    file.close();
    return { response: new Response(null, { status: 304, headers }), bytes: 0 };
  }
  const range = rangeOf(request.headers, size);
  if (range === "unsatisfiable") {
    file.close();
    headers["content-range"] = `bytes */${size}`;
    return { response: new Response(null, { status: 416, headers }), bytes: 0 };
  }
  const { from, length } = range ?? { from: 0, length: size };
  if (range !== undefined) {
    headers["content-range"] = `bytes ${from}-${from + length - 1}/${size}`;
  }
  headers["content-length"] = String(length);
  const status = range === undefined ? 200 : 206;
  if (method === "HEAD") {
    file.close();
    return { response: new Response(null, { status, headers }), bytes: 0 };
  }
  if (from > 0) await file.seek(from, Deno.SeekMode.Start);
  const { stream, tail } = piecesOf(file, length, stalls);
  return {
    response: new Response(stream, { status, headers }),
    bytes: 0,
    tail,
  };
}

const PIECE_BYTES = 65_536;

/**
 * So many bytes of a file, which is closed at the end of them; also if the client
 * does not take them, since who reads slowly in many connections would hold all
 * files that this process may have open.
 */
function piecesOf(
  file: Deno.FsFile,
  length: number,
  stalls: Lateness,
): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly tail: Promise<Tail>;
} {
  const { promise: tail, resolve } = Promise.withResolvers<Tail>();
  let left = length;
  let hasEnded = false;
  let stall: Pending | undefined;
  const end = (error?: unknown) => {
    if (hasEnded) return;
    hasEnded = true;
    if (stall !== undefined) stalls.delete(stall);
    file.close();
    resolve({
      bytes: length - left,
      ...(error === undefined ? {} : { error }),
    });
  };
  const wait = (controller: ReadableStreamDefaultController) => {
    stall = stalls.add(() => {
      const error = new Error("The client takes too long");
      controller.error(error);
      end(error);
    });
  };
  const stream = new ReadableStream<Uint8Array>({
    start: wait,
    async pull(controller) {
      if (stall !== undefined) stalls.delete(stall);
      try {
        if (left > 0) {
          const piece = new Uint8Array(Math.min(left, PIECE_BYTES));
          const read = await file.read(piece);
          // shorter than it was: its length is told already
          if (read === null) throw new Error("The file has become shorter");
          left -= read;
          controller.enqueue(piece.subarray(0, read));
        }
        if (left > 0) return wait(controller);
        controller.close();
        end();
      } catch (error) {
        controller.error(error);
        end(error);
      }
    },
    cancel: (reason) => end(reason ?? new Error("The client went away")),
  }, { highWaterMark: 0 });
  return { stream, tail };
}
