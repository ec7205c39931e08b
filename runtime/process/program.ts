/**
 * The program that guests' processes run.
 *
 * @module
 */

import { bootable } from "./child/boot.ts";

/**
 * Loads the program, wherever this package came from.
 *
 * @returns Its length in four bytes, and its text.
 */
export async function loadProgram(): Promise<Uint8Array<ArrayBuffer>> {
  // loaded only here: whoever uses no process does not pay for it
  const { default: text } = await import("./child_program.js", {
    with: { type: "text" },
  });
  return bootable(text);
}
