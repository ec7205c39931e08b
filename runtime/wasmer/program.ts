/**
 * The program that guests' processes run.
 *
 * @module
 */

/**
 * Loads the program, wherever this package came from.
 *
 * @returns Its length in four bytes, and its text.
 */
export async function loadProgram(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: text } = await import("./child_program.js", {
    with: { type: "text" },
  });
  const bytes = new TextEncoder().encode(text);
  const program = new Uint8Array(4 + bytes.length);
  new DataView(program.buffer).setUint32(0, bytes.length, true);
  program.set(bytes, 4);
  return program;
}
