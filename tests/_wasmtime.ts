/**
 * The library of Wasmtime, for tests.
 *
 * ```ts ignore
 * import { wasmtimeTest } from "../_wasmtime.ts";
 *
 * wasmtimeTest("WasmtimeRuntime compiles", async (library) => {
 *   await using runtime = await WasmtimeRuntime.open({ library });
 * });
 * ```
 *
 * Where there is none, such tests are shown as ignored, with how to get it in
 * their names. On CI that is a failure.
 */

import { SandboxError } from "../errors.ts";
import {
  PINNED_VERSIONS,
  WASMTIME_VERSION,
} from "../runtime/wasmtime/checksums.ts";
import { findLibrary } from "../runtime/wasmtime/find.ts";
import { installWasmtime } from "../runtime/wasmtime/install.ts";
import { LIBRARY_VARIABLE, platformOf } from "../runtime/wasmtime/places.ts";
import { isPinnedFile } from "../runtime/wasmtime/verify.ts";

/** A folder of this checkout that git ignores. */
const CACHE = `${import.meta.dirname}/../.cache/wasm-sandbox`;

let library: Promise<string | undefined> | undefined;

/**
 * The path of the library: where it is found, or else installed by pip into
 * this checkout. From then on the runtime finds it by its name alone, also in
 * the processes that a test starts.
 *
 * @returns Its path; undefined, if there is none.
 * @throws If there is none on CI.
 */
export function wasmtimeLibrary(): Promise<string | undefined> {
  return library ??= provide();
}

async function provide(): Promise<string | undefined> {
  try {
    const path = await found() ?? await installed();
    Deno.env.set(LIBRARY_VARIABLE, path);
    return path;
  } catch (error) {
    if (Deno.env.has("CI")) throw error;
    // deno-lint-ignore no-console -- who runs tests must see what is skipped
    console.error(`tests of Wasmtime are skipped: ${error}`);
    return undefined;
  }
}

async function found(): Promise<string | undefined> {
  try {
    return (await findLibrary()).path;
  } catch (error) {
    // a library that is named and is not there is a mistake to be told
    if (Deno.env.get(LIBRARY_VARIABLE)) throw error;
    if (SandboxError.is(error, "runtime-unavailable")) return undefined;
    throw error;
  }
}

/** Installs it once, however many processes run tests at the same time. */
async function installed(): Promise<string> {
  await Deno.mkdir(CACHE, { recursive: true });
  using lock = await Deno.open(`${CACHE}/lock`, { create: true, write: true });
  await lock.lock(true);
  const cacheDir = await Deno.realPath(CACHE);
  return (await installWasmtime({ from: "pip", cacheDir })).path;
}

/**
 * The library of the version that is installed by default: another one may be
 * named by the environment.
 */
export async function pinnedLibrary(): Promise<Uint8Array<ArrayBuffer>> {
  const platform = platformOf();
  const pinned = platform === undefined
    ? undefined
    : PINNED_VERSIONS[WASMTIME_VERSION]?.libraries[platform];
  if (LIBRARY === undefined || pinned === undefined) throw new TypeError();
  const isPinned = await isPinnedFile(LIBRARY, pinned);
  return await Deno.readFile(isPinned ? LIBRARY : await installed());
}

/** Registers a test of Wasmtime, which gets the path of the library. */
export function wasmtimeTest(
  name: string,
  test: (library: string, context: Deno.TestContext) => void | Promise<void>,
): void {
  Deno.test({
    name: LIBRARY === undefined
      ? `${name} (needs libwasmtime: deno run -A cli.ts backends install wasmtime)`
      : name,
    ignore: LIBRARY === undefined,
    fn: async (context) => {
      if (LIBRARY !== undefined) await test(LIBRARY, context);
    },
  });
}

/** The path of the library; undefined, if there is none. */
export const LIBRARY: string | undefined = await wasmtimeLibrary();
