/**
 * Builds `broker_program.js`, the program of a broker's process, as one file
 * that imports nothing but Deno's own modules.
 *
 * ```sh
 * deno run -A communication/http/broker/build.ts
 * ```
 *
 * @module
 */

import { runBundler } from "../../../runtime/process/bundler.ts";

/** The program as it is committed. */
export const PROGRAM: URL = new URL("broker_program.js", import.meta.url);

const ENTRY = new URL("main.ts", import.meta.url);

const BANNER =
  `// Built by communication/http/broker/build.ts out of main.ts; do not edit.
// deno-lint-ignore-file
// deno-fmt-ignore-file
`;

/**
 * Bundles the program.
 *
 * @returns Its text; the same for the same sources.
 * @throws {Error} If there is no bundler, or it fails.
 */
export async function bundle(): Promise<string> {
  const text = await runBundler(ENTRY.href);
  if (/\bimport\s*["'{*]|\bimport\.meta\b|\bexport\b/.test(text)) {
    throw new Error("Cannot build the broker's program: it imports something");
  }
  return `${BANNER}${text}\n`;
}

if (import.meta.main) await Deno.writeTextFile(PROGRAM, await bundle());
