/**
 * Builds `child_program.js`, the program of a guest's process, as one file that
 * imports nothing.
 *
 * ```sh
 * deno run -A runtime/wasmer/build.ts
 * ```
 *
 * @module
 */

import { runBundler } from "../process/bundler.ts";

/** The program as it is committed. */
export const PROGRAM: URL = new URL("child_program.js", import.meta.url);

const ENTRY = new URL("child/main.ts", import.meta.url);

const BANNER =
  `// Built by runtime/wasmer/build.ts out of child/main.ts; do not edit.
// deno-lint-ignore-file
// deno-fmt-ignore-file
`;

/** An import that is left; the bundler writes no spaces, as messages do. */
const IMPORT = /\bimport(?:["'{*]| [\w$]+(?:,| from)["'{*]|\.meta\b)/;

/**
 * Bundles the program.
 *
 * @returns Its text; the same for the same sources.
 * @throws {Error} If there is no bundler, or it fails.
 */
export async function bundle(): Promise<string> {
  const text = await runBundler(ENTRY.href);
  if (IMPORT.test(text)) {
    throw new Error("Cannot build the child's program: it imports something");
  }
  return BANNER + text + "\n";
}

if (import.meta.main) await Deno.writeTextFile(PROGRAM, await bundle());
