/**
 * Assembles the guests of the suite for runtimes: `guests/` into
 * `_runtime_guests.ts`.
 *
 *     deno run -A testing/build_guests.ts
 *
 * @module
 */

import loadWabt from "wabt";

const FOLDER = new URL("./guests/", import.meta.url);
const OUTPUT = new URL("./_runtime_guests.ts", import.meta.url);

/** Proposals that the guests use, by the assembler's names. */
const PROPOSALS: Readonly<Record<string, boolean>> = Object.freeze({
  "exceptions": true,
  "simd": true,
  "threads": true,
  "tail_call": true,
  "bulk_memory": true,
  "reference_types": true,
  "memory64": true,
  "multi_memory": true,
  "relaxed_simd": true,
});

/**
 * Assembles all guests; writes nothing.
 *
 * @returns The file that holds them.
 */
export async function assembleGuests(): Promise<string> {
  const files = await Array.fromAsync(Deno.readDir(FOLDER));
  const entries: string[] = [];
  for (const file of files.map(({ name }) => name).sort()) {
    const text = await Deno.readTextFile(new URL(file, FOLDER));
    const bytes = file.endsWith(".hex") ? read(text) : await assemble(text);
    const lines = bytes.toBase64().match(/.{1,70}/g) ?? [];
    entries.push(
      `  ${file.replace(/\..*$/, "")}:\n` +
        lines.map((line) => `    "${line}"`).join(" +\n") + ",\n",
    );
  }
  return "// made of guests/ by build_guests.ts; do not edit\n" +
    "/** Modules in base64, by name. */\n" +
    `export const GUESTS = {\n${entries.join("")}} as const;\n`;
}

/** Bytes in hexadecimal; a comment goes from `;` to the end of its line. */
function read(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(text.replace(/;.*$/gm, "").replace(/\s+/g, ""));
}

async function assemble(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const wabt = await loadWabt();
  const module = wabt.parseWat("guest.wat", text, { ...PROPOSALS });
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

if (import.meta.main) {
  await Deno.writeTextFile(OUTPUT, await assembleGuests());
}
