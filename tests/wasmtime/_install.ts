/** Archives, wheels and servers, good and bad, for tests of installations. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  PINNED_VERSIONS,
  type Platform,
  WASMTIME_VERSION,
} from "../../runtime/wasmtime/checksums.ts";
import { libraryInCache, platformOf } from "../../runtime/wasmtime/places.ts";

/** The platform of this machine; there is one wherever these tests run. */
export const PLATFORM: Platform = platformOf() ?? "linux-x86_64";

/** Name of the release's folder within its archive. */
export const RELEASE = (() => {
  const [os = "", arch = ""] = PLATFORM.split("-");
  const system = os === "darwin" ? "macos" : os;
  return `wasmtime-v${WASMTIME_VERSION}-${arch}-${system}-c-api`;
})();

/** Name of the library within the archive of its release. */
export const MEMBER = `${RELEASE}/lib/${
  PLATFORM.startsWith("darwin") ? "libwasmtime.dylib" : "libwasmtime.so"
}`;

/** Name of the library within its wheel. */
export const WHEEL_MEMBER = `wasmtime/${PLATFORM}/_libwasmtime.${
  PLATFORM.startsWith("darwin") ? "dylib" : "so"
}`;

/** What the library must be. */
export const PINNED = (() => {
  const pinned = PINNED_VERSIONS[WASMTIME_VERSION]?.libraries[PLATFORM];
  if (pinned === undefined) throw new TypeError("the version is not pinned");
  return pinned;
})();

/** A member of a tar archive: a file, or a link. */
export interface TarMember {
  readonly name: string;
  readonly content?: Uint8Array<ArrayBuffer>;
  readonly link?: string;
}

/** Writes an archive byte for byte, so that it can hold what no tool would. */
export async function tarXz(
  members: readonly TarMember[],
): Promise<Uint8Array<ArrayBuffer>> {
  const blocks = members.flatMap(({ name, content, link }) => {
    const size = content?.length ?? 0;
    const padding = new Uint8Array((512 - size % 512) % 512);
    return [tarHeader(name, size, link), content ?? new Uint8Array(), padding];
  });
  const archive = new Blob([...blocks, new Uint8Array(1024)]);
  return await xz(archive.stream());
}

function tarHeader(
  name: string,
  size: number,
  link: string | undefined,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(512);
  const put = (at: number, text: string) =>
    header.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, "0000755\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${size.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, "        ");
  put(156, link === undefined ? "0" : "2");
  put(157, link ?? "");
  put(257, "ustar\x0000");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

async function xz(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("xz", {
    args: ["-0", "-c"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const [{ stdout }] = await Promise.all([
    child.output(),
    stream.pipeTo(child.stdin),
  ]);
  return stdout;
}

/** Writes a zip archive of members that are packed. */
export async function zip(
  members: readonly Required<Pick<TarMember, "name" | "content">>[],
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const entries: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, content } of members) {
    const packed = await deflate(content);
    const title = new TextEncoder().encode(name);
    const about = [8, 0, 0, 0, packed.length, content.length, title.length, 0];
    const local = fields(0x04034b50, [20, 0, ...about], "HHHHHIIIHH");
    entries.push(
      fields(
        0x02014b50,
        [20, 20, 0, ...about, 0, 0, 0, 0, offset],
        "HHHHHHIIIHHHHHII",
      ),
      title,
    );
    parts.push(local, title, packed);
    offset += local.length + title.length + packed.length;
  }
  const bytes = entries.reduce((total, entry) => total + entry.length, 0);
  const count = members.length;
  const end = fields(
    0x06054b50,
    [0, 0, count, count, bytes, offset, 0],
    "HHHHIIH",
  );
  return await new Blob([...parts, ...entries, end]).bytes();
}

async function deflate(
  content: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([content]).stream()
    .pipeThrough(new CompressionStream("deflate-raw"));
  return await new Response(packed).bytes();
}

/** A signature, then numbers of 16 (H) and 32 (I) bits. */
function fields(
  signature: number,
  values: readonly number[],
  layout: string,
): Uint8Array<ArrayBuffer> {
  const sizes: readonly number[] = [...layout].map((letter) =>
    letter === "I" ? 4 : 2
  );
  assertEquals(values.length, sizes.length);
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 4));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  sizes.forEach((size, index) => {
    const value = values[index] ?? 0;
    if (size === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += size;
  });
  return bytes;
}

/** A server of this machine, and a cache of its own. */
export interface World extends AsyncDisposable {
  readonly url: string;
  /** The cache; nothing is in it. */
  readonly cacheDir: string;
  /** A folder beside it, for what else is needed. */
  readonly folder: string;
  /** Where the library is to be. */
  readonly path: string;
  /** Paths that were asked for. */
  readonly requests: readonly string[];
}

/** Makes a world whose server answers as told. */
export async function makeWorld(
  answer: (request: Request) => Response | Promise<Response> = () =>
    new Response(null, { status: 404 }),
): Promise<World> {
  const top = await Deno.makeTempDir();
  const requests: string[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, (request) => {
    requests.push(new URL(request.url).pathname);
    return answer(request);
  });
  const cacheDir = `${top}/cache`;
  await Deno.mkdir(`${top}/folder`);
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    cacheDir,
    folder: `${top}/folder`,
    path: libraryInCache(cacheDir, WASMTIME_VERSION),
    requests,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(top, { recursive: true });
    },
  };
}

/** All files beneath a folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    files.push(...(isDirectory ? await filesIn(path) : [path]));
  }
  return files.toSorted();
}

/** What a script of this folder prints, as JSON. */
export async function probe(
  script: string,
  { args = [], env, flags = ["-A"] }: {
    args?: readonly string[];
    env: Readonly<Record<string, string>>;
    flags?: readonly string[];
  },
): Promise<
  { code?: string | null; message: string; [other: string]: unknown }
> {
  const url = new URL(script, import.meta.url).href;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", ...flags, url, ...args],
    env: { ...env },
    clearEnv: true,
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertStringIncludes(text, "{", new TextDecoder().decode(stderr));
  return JSON.parse(text);
}
