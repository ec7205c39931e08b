/** AssemblyScript, whose compiler comes from npm: it takes nothing but Deno. */

import JSON_TEXT from "./assemblyscript/json.ts.hbs" with { type: "text" };
import WASM_SANDBOX from "../guest/assemblyscript/wasm_sandbox.ts.hbs" with {
  type: "text",
};

/** The library of the guest ABI. */
export const LIBRARY: string = WASM_SANDBOX;

/** What reads and writes JSON, within a guest. */
export const JSON_LIBRARY: string = JSON_TEXT;

/**
 * The command that compiles a guest.
 *
 * @param source The entry file.
 * @param target Where the module is written to.
 * @param flags Further flags.
 * @returns A command line.
 */
export function compileCommand(
  source: string,
  target: string,
  flags: readonly string[] = [],
): string {
  return [
    "deno run -A npm:assemblyscript@0.28.20/asc",
    source,
    "-o",
    target,
    "-O3",
    // without an abort of its own a failed assertion traps
    "--use abort=",
    ...flags,
  ].join(" ");
}
