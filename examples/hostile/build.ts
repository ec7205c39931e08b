/**
 * Assembles the hostile guests: each `.wat` of this folder into a `.wasm`
 * beside it.
 *
 *     deno run -A examples/hostile/build.ts
 *
 * @module
 */

import loadWabt from "wabt";

const FOLDER = new URL("./", import.meta.url);

/** Proposals that the guests use, by the assembler's names. */
const FEATURES = {
  "bulk_memory": true,
  "exceptions": true,
  "multi_value": true,
  "reference_types": true,
  "tail_call": true,
  "threads": true,
};

/** A guest, assembled. */
export interface Guest {
  /** Where its bytes belong. */
  readonly url: URL;
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Assembles every guest of this folder; writes nothing.
 *
 * @returns The guests, in no particular order.
 */
export async function assemble(): Promise<readonly Guest[]> {
  const wabt = await loadWabt();
  const guests: Guest[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (!name.endsWith(".wat")) continue;
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    const module = wabt.parseWat(name, text, FEATURES);
    const { buffer } = module.toBinary({});
    module.destroy();
    // it takes no features when it validates, so the engine has the last word
    const bytes = new Uint8Array(buffer);
    if (!WebAssembly.validate(bytes)) throw new Error(`${name} is not valid`);
    const url = new URL(name.replace(/\.wat$/, ".wasm"), FOLDER);
    guests.push({ url, bytes });
  }
  return guests;
}

if (import.meta.main) {
  for (const { url, bytes } of await assemble()) {
    await Deno.writeFile(url, bytes);
  }
}
