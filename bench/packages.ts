/**
 * Real modules out of npm packages.
 *
 * @module
 */

/** A module in a package. */
export interface PackagedModule {
  /** The package. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** Where the module lies in it. */
  readonly path: string;
}

/** A database: the one of these modules whose imports can be stubbed. */
export const SQLITE: PackagedModule = {
  name: "sql.js",
  version: "1.16.0",
  path: "dist/sql-wasm.wasm",
};

/** Modules from 0.5 to 17 MB, as C, Go and Rust toolchains make them. */
export const MODULES: readonly PackagedModule[] = [
  {
    name: "@jitl/quickjs-wasmfile-release-sync",
    version: "0.32.0",
    path: "dist/emscripten-module.wasm",
  },
  SQLITE,
  { name: "pyodide", version: "314.0.7", path: "pyodide.asm.wasm" },
  { name: "esbuild-wasm", version: "0.28.2", path: "esbuild.wasm" },
  { name: "@ruby/3.4-wasm-wasi", version: "2.10.1", path: "dist/ruby.wasm" },
];

/**
 * Reads modules of npm packages. Deno itself installs them into a folder that
 * is removed again; what it downloads stays in its cache.
 *
 * @param modules What to read.
 * @returns The bytes of each, in order.
 * @throws {Error} If the packages cannot be installed.
 */
export async function readPackaged(
  modules: readonly PackagedModule[],
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const folder = await Deno.makeTempDir();
  try {
    const dependencies = Object.fromEntries(
      modules.map(({ name, version }) => [name, version]),
    );
    await Deno.writeTextFile(
      `${folder}/package.json`,
      JSON.stringify({ dependencies }),
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["install", "--quiet"],
      cwd: folder,
    }).output();
    if (!success) {
      const reason = new TextDecoder().decode(stderr).trim();
      throw new Error(`Cannot install packages from npm: ${reason}`);
    }
    return await Promise.all(
      modules.map(({ name, path }) =>
        Deno.readFile(`${folder}/node_modules/${name}/${path}`)
      ),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
