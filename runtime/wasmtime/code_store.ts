/**
 * Native code in a folder, kept from one run of the program to the next.
 *
 * Wasmtime trusts what it is given as native code, so an entry is looked at
 * before it sees it: it must be a file of the user's own that nobody else may
 * read or write, in a folder of the same kind, and hold the SHA-256 of its
 * content and of everything that the code depends on. Whatever else is found is
 * passed over, and compiled anew.
 *
 * @module
 */

import { quote, reasonOf } from "../../_text.ts";
import { STACK_BYTES } from "./engine.ts";
import { bytesOf, type Native, type Pointer } from "./native.ts";
import type { SharedEngine } from "./shared.ts";
import { unavailable } from "./unavailable.ts";

/** Bits that say that others may do something. */
const OTHERS = 0o077;
const HASH_BYTES = 32;
/** Longest entry that is read. */
const MAX_BYTES = 512 * 2 ** 20;
/** Most entries, and most bytes of all; beyond it the oldest are removed. */
const MAX_ENTRIES = 256;
const MAX_TOTAL_BYTES = 2 ** 30;
/** What is left of a program that was ended while it wrote. */
const ASIDE_MS = 3_600_000;
/** How the names of entries end. */
const SUFFIX = ".cwasm";
/** And of what is not ready yet. */
const ASIDE_SUFFIX = ".tmp";

/** Code that was compiled. */
export interface CompiledCode {
  /** The library. */
  readonly native: Native;
  /** The module. */
  readonly module: Pointer;
}

/** A folder with native code. */
export class CodeStore {
  readonly #folder: string;
  readonly #uid: number;
  /** What tells the library from others, as far as it is known. */
  readonly #library: string;

  private constructor(folder: string, uid: number, library: string) {
    this.#folder = folder;
    this.#uid = uid;
    this.#library = library;
  }

  /**
   * Opens a folder, and makes it if need be.
   *
   * @param folder Its path.
   * @param library Path and version of the library.
   * @returns The folder.
   * @throws {SandboxError} With code `runtime-unavailable`, if the folder is
   * not only the user's.
   */
  static async open(
    folder: string,
    library: { readonly path: string; readonly version: number },
  ): Promise<CodeStore> {
    const refuse = (why: string, cause?: unknown) =>
      unavailable(
        `its cacheDir ${quote(folder)} cannot be used: ${why}`,
        "name a folder that only you may read and write, or leave it out",
        cause,
      );
    if (Deno.build.os === "windows") {
      throw refuse("who owns a file is not known on this system");
    }
    try {
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      const { isDirectory, uid, mode } = await Deno.lstat(folder);
      const own = await ownUid(folder);
      if (!isDirectory || uid !== own || ((mode ?? OTHERS) & OTHERS) !== 0) {
        throw refuse("others may write or read it, or it is none");
      }
      const tag = `${library.version} ${await stamp(library.path)}`;
      return new CodeStore(folder, own, tag);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound || !isSystemError(cause)) {
        throw cause;
      }
      throw refuse(reasonOf(cause), cause);
    }
  }

  /**
   * Looks for the code of a module.
   *
   * @param bytes The module.
   * @param engine What it is for.
   * @param native The library.
   * @returns The code; undefined if there is none that can be trusted.
   */
  async load(
    bytes: Uint8Array<ArrayBuffer>,
    engine: SharedEngine,
    native: Native,
  ): Promise<Pointer | undefined> {
    try {
      const name = await this.#nameOf(bytes, engine);
      const code = await this.#read(name);
      return code && deserialize(code, engine.pointer, native);
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  }

  /**
   * Keeps the code of a module. It is a comfort: if it fails, nothing is kept.
   *
   * @param bytes The module.
   * @param engine What it is for.
   * @param code Its code.
   */
  async save(
    bytes: Uint8Array<ArrayBuffer>,
    engine: SharedEngine,
    { native, module }: CompiledCode,
  ): Promise<void> {
    const code = serialize(native, module);
    if (code === undefined || code.length > MAX_BYTES) return;
    const name = await this.#nameOf(bytes, engine);
    const entry = new Uint8Array(HASH_BYTES + code.length);
    entry.set(code, HASH_BYTES);
    entry.set(await sealOf(name, code));
    try {
      await this.#write(name, entry);
      await this.#prune();
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  async #nameOf(
    bytes: Uint8Array<ArrayBuffer>,
    { mode }: SharedEngine,
  ): Promise<string> {
    const { os, arch } = Deno.build;
    const parts = [this.#library, os, arch, STACK_BYTES, mode];
    const head = new TextEncoder().encode(`${JSON.stringify(parts)}\0`);
    return (await sha256([head, bytes])).toHex();
  }

  async #read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = `${this.#folder}/${name}${SUFFIX}`;
    const { isFile } = await Deno.lstat(path);
    if (!isFile) return undefined;
    using file = await Deno.open(path, { read: true });
    const { uid, mode, size } = await file.stat();
    if (
      uid !== this.#uid || ((mode ?? OTHERS) & OTHERS) !== 0 ||
      size <= HASH_BYTES || size > MAX_BYTES + HASH_BYTES
    ) return undefined;
    const entry = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const count = await file.read(entry.subarray(at));
      if (count === null) return undefined;
      at += count;
    }
    const code = entry.subarray(HASH_BYTES);
    const seal = await sealOf(name, code);
    return seal.every((byte, index) => entry[index] === byte)
      ? code
      : undefined;
  }

  /** Writes aside first: nobody may find half of it. */
  async #write(name: string, entry: Uint8Array<ArrayBuffer>): Promise<void> {
    const aside = `${this.#folder}/${crypto.randomUUID()}${ASIDE_SUFFIX}`;
    try {
      await Deno.writeFile(aside, entry, { createNew: true, mode: 0o600 });
      await Deno.rename(aside, `${this.#folder}/${name}${SUFFIX}`);
    } catch (error) {
      await Deno.remove(aside).catch(() => {});
      throw error;
    }
  }

  async #prune(): Promise<void> {
    const entries: Kept[] = [];
    for await (const { name, isFile } of Deno.readDir(this.#folder)) {
      const isAside = name.endsWith(ASIDE_SUFFIX);
      if (!isFile || !isAside && !name.endsWith(SUFFIX)) continue;
      const path = `${this.#folder}/${name}`;
      const { mtime, size } = await Deno.lstat(path);
      const time = mtime?.getTime() ?? 0;
      if (!isAside) entries.push({ path, time, size });
      else if (Date.now() - time > ASIDE_MS) await Deno.remove(path);
    }
    entries.sort((a, b) => b.time - a.time);
    let bytes = 0;
    for (const [index, { path, size }] of entries.entries()) {
      bytes += size;
      // the latest stays, however large
      if (index === 0) continue;
      if (index < MAX_ENTRIES && bytes <= MAX_TOTAL_BYTES) continue;
      await Deno.remove(path);
    }
  }
}

/** A file of the folder. */
interface Kept {
  readonly path: string;
  readonly time: number;
  readonly size: number;
}

/** Whom files belong to that this process makes. */
async function ownUid(folder: string): Promise<number> {
  const path = `${folder}/${crypto.randomUUID()}${ASIDE_SUFFIX}`;
  using file = await Deno.open(path, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  const { uid } = await file.stat();
  await Deno.remove(path);
  return uid ?? NaN;
}

/** What changes with the library's file, where it may be looked at. */
async function stamp(path: string): Promise<string> {
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") return "";
  const { size, mtime } = await Deno.stat(path);
  return `${size} ${mtime?.getTime()}`;
}

function sealOf(
  name: string,
  code: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return sha256([new TextEncoder().encode(name), code]);
}

async function sha256(
  parts: readonly Uint8Array<ArrayBuffer>[],
): Promise<Uint8Array<ArrayBuffer>> {
  const all = await new Blob([...parts]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

function serialize(
  native: Native,
  module: Pointer,
): Uint8Array<ArrayBuffer> | undefined {
  const vector = new BigUint64Array(2);
  const error = native.symbols.wasmtime_module_serialize(module, vector);
  if (native.takeError(error) !== undefined) return undefined;
  const code = bytesOf(vector).slice();
  native.symbols.wasm_byte_vec_delete(vector);
  return code;
}

function deserialize(
  code: Uint8Array<ArrayBuffer>,
  engine: Pointer,
  native: Native,
): Pointer | undefined {
  const box = new BigUint64Array(1);
  const error = native.symbols.wasmtime_module_deserialize(
    engine,
    code,
    BigInt(code.length),
    box,
  );
  if (native.takeError(error) !== undefined) return undefined;
  return Deno.UnsafePointer.create(box[0] ?? 0n) ?? undefined;
}

/** Whether the system has refused something, and not this program failed. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error &&
    (Object.values(Deno.errors).some((kind) => error instanceof kind) ||
      "code" in error && typeof error.code === "string" &&
        /^E[A-Z]+$/.test(error.code));
}
