/**
 * Assembles the plug-ins in the text format: each `.wat` of this folder into a
 * `.wasm` beside it.
 *
 *     deno run -A examples/extism/wat/build.ts
 *
 * @module
 */

import loadWabt from "wabt";

const FOLDER = new URL("./", import.meta.url);

/** A plug-in, assembled. */
export interface Plugin {
  /** Where its bytes belong. */
  readonly url: URL;
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Assembles every plug-in of this folder; writes nothing.
 *
 * @returns The plug-ins, in no particular order.
 */
export async function assemble(): Promise<readonly Plugin[]> {
  const wabt = await loadWabt();
  const plugins: Plugin[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (!name.endsWith(".wat")) continue;
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    const module = wabt.parseWat(name, text);
    const { buffer } = module.toBinary({});
    module.destroy();
    const url = new URL(name.replace(/\.wat$/, ".wasm"), FOLDER);
    plugins.push({ url, bytes: new Uint8Array(buffer) });
  }
  return plugins;
}

if (import.meta.main) {
  for (const { url, bytes } of await assemble()) {
    await Deno.writeFile(url, bytes);
  }
}
