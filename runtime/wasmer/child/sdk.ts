/**
 * Loads the SDK of Wasmer from bytes, with no file and no permission.
 *
 * @module
 */

import { relinked } from "../links.ts";
import { ENTRIES, type SdkFiles } from "../sdk_files.ts";
import { IN_THREAD } from "./threads.ts";

/** What of the SDK is used; its own types come with the package. */
export interface Wasmer {
  readonly packages: {
    create(definition: {
      readonly modules: Readonly<Record<string, Uint8Array>>;
      readonly commands: Readonly<Record<string, { readonly module: string }>>;
    }): Promise<unknown>;
  };
  readonly sandboxes: {
    create(options: {
      readonly packages: readonly unknown[];
      readonly files: Readonly<Record<string, Uint8Array>>;
      readonly env: Readonly<Record<string, string>>;
    }): Promise<WasmerSandbox>;
  };
}

/** A sandbox of the SDK's: files, and programs that run among them. */
export interface WasmerSandbox {
  readonly fs: {
    readFile(path: string): Promise<Uint8Array>;
    writeFile(path: string, bytes: Uint8Array): Promise<void>;
    mkdir(path: string, options: { recursive: boolean }): Promise<void>;
    readDir(path: string): Promise<
      readonly {
        readonly name: string;
        readonly kind: "file" | "directory";
        readonly size: number;
      }[]
    >;
  };
  command(
    selector: unknown,
    args: readonly string[],
    options: { readonly cwd?: string },
  ): {
    spawn(options: {
      readonly stdin: "pipe" | "closed";
      readonly stdout: "pipe" | "discard";
      readonly stderr: "pipe" | "discard";
    }): Promise<WasmerProcess>;
  };
}

/** A program that runs. */
export interface WasmerProcess {
  readonly stdin: {
    write(bytes: Uint8Array): Promise<void>;
    close(): Promise<void>;
  } | null;
  readonly stdout: AsyncIterable<Uint8Array> | null;
  readonly stderr: AsyncIterable<Uint8Array> | null;
  wait(): Promise<{ readonly exitCode: number; readonly reason: string }>;
}

interface Glue {
  default(options: {
    module_or_path: WebAssembly.Module;
    memory: WebAssembly.Memory;
  }): Promise<unknown>;
}

interface Program {
  readonly Wasmer: new (options: {
    wasm: WebAssembly.Module;
    cache: false;
    parallelism: number;
  }) => Wasmer & { ready(): Promise<unknown> };
}

/** Pages that the engine begins with, as it declares. */
const INITIAL_PAGES = 25;
/** Processors that a guest is told of. */
const PARALLELISM = 2;

/**
 * Starts the engine.
 *
 * @param files The SDK.
 * @param maxPages What its own memory may grow to.
 * @returns The engine.
 */
export async function startWasmer(
  files: SdkFiles,
  maxPages: number,
): Promise<Wasmer> {
  const links = new Links(files);
  const glue: Glue = await import(links.urlOf(ENTRIES.glue));
  const { Wasmer }: Program = await import(links.urlOf(ENTRIES.program));
  const wasm = await WebAssembly.compile(links.bytes(ENTRIES.engine));
  // before it makes a memory of four GiB by itself
  await glue.default({
    module_or_path: wasm,
    memory: new WebAssembly.Memory({
      initial: INITIAL_PAGES,
      maximum: maxPages,
      shared: true,
    }),
  });
  const wasmer = new Wasmer({ wasm, cache: false, parallelism: PARALLELISM });
  await wasmer.ready();
  return wasmer;
}

/** Gives each file a URL within this process, those that it imports first. */
class Links {
  readonly #files: SdkFiles;
  readonly #urls = new Map<string, string>();

  constructor(files: SdkFiles) {
    this.#files = files;
  }

  bytes(path: string): Uint8Array<ArrayBuffer> {
    const bytes = this.#files.get(path);
    if (bytes === undefined) throw new Error(`the SDK has no ${path}`);
    return bytes;
  }

  urlOf(path: string): string {
    const known = this.#urls.get(path);
    if (known !== undefined) return known;
    const linked = this.#located(
      relinked(
        path,
        new TextDecoder().decode(this.bytes(path)),
        (other) => this.urlOf(other),
      ),
    );
    const text = path === ENTRIES.thread ? IN_THREAD + linked : linked;
    const url = URL.createObjectURL(
      new Blob([text], { type: "application/javascript" }),
    );
    this.#urls.set(path, url);
    return url;
  }

  /** With the places that are told to threads. */
  #located(text: string): string {
    return text.replaceAll(
      /new URL\("(\.{1,2}\/[^"]+)", import\.meta\.url\)\.href/g,
      (whole, specifier: string) => {
        const path = new URL(specifier, "file:///dist/").pathname;
        return this.#files.has(path) ? JSON.stringify(this.urlOf(path)) : whole;
      },
    );
  }
}
