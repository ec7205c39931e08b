/**
 * Code that another process has compiled and kept on disk. Run as a program,
 * this is that process: it gets a library, a folder and files of modules.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { WasmtimeRuntime } from "../runtime/wasmtime/runtime.ts";
import { unique } from "./measure.ts";

/** A runtime that finds the code of modules on disk, and these modules. */
export interface Stored extends AsyncDisposable {
  /** The runtime. */
  readonly runtime: WasmtimeRuntime;
  /** A module that this process has never seen, each time another. */
  next(): Uint8Array<ArrayBuffer>;
}

/**
 * Has another process compile a module, so often that each use here can have
 * one that is found on disk alone, and not in memory.
 *
 * @param bytes The module.
 * @param library The library of Wasmtime.
 * @param uses How many uses there will be.
 * @returns The runtime; dispose it.
 * @throws {Error} If the process fails.
 */
export async function storeCode(
  bytes: Uint8Array<ArrayBuffer>,
  library: string,
  uses: number,
): Promise<Stored> {
  await using resources = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  resources.defer(() => Deno.remove(folder, { recursive: true }));
  const modules = Array.from({ length: uses }, () => unique(bytes));
  const files = modules.map((_, index) => `${folder}/${index}.wasm`);
  for (const [index, file] of files.entries()) {
    await Deno.writeFile(file, modules[index] ?? bytes);
  }
  const cacheDir = `${folder}/code`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fileURLToPath(import.meta.url),
      library,
      cacheDir,
      ...files,
    ],
  }).output();
  if (!success) {
    throw new Error(`Cannot compile: ${new TextDecoder().decode(stderr)}`);
  }
  const runtime = await WasmtimeRuntime.open({ library, cacheDir });
  resources.use(runtime);
  const owned = resources.move();
  return {
    runtime,
    next() {
      const module = modules.pop();
      if (module === undefined) throw new Error("Cannot go on: all are used");
      return module;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

if (import.meta.main) {
  const [library = "", cacheDir = "", ...files] = Deno.args;
  await using runtime = await WasmtimeRuntime.open({ library, cacheDir });
  for (const file of files) await runtime.compile(await Deno.readFile(file));
}
