/**
 * The program that brokers run.
 *
 * @module
 */

import { bootable } from "../../../runtime/process/child/boot.ts";

/**
 * Loads the program, wherever this package came from.
 *
 * @returns Its length in four bytes, and its text.
 */
export async function loadBroker(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: text } = await import("./broker_program.js", {
    with: { type: "text" },
  });
  return bootable(text);
}
