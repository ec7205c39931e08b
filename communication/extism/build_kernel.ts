/**
 * Assembles the kernel: `kernel.wat` into `kernel_bytes.ts`.
 *
 *     deno run -A communication/extism/build_kernel.ts
 *
 * @module
 */

import loadWabt from "wabt";

const FOLDER = new URL("./", import.meta.url);

/**
 * Assembles the kernel; writes nothing.
 *
 * @returns The file that holds it.
 */
export async function assembleKernel(): Promise<string> {
  const text = await Deno.readTextFile(new URL("kernel.wat", FOLDER));
  const wabt = await loadWabt();
  const features = { "multi_memory": true, "bulk_memory": true };
  const module = wabt.parseWat("kernel.wat", text, features);
  const { buffer } = module.toBinary({});
  module.destroy();
  const bytes = new Uint8Array(buffer);
  if (!WebAssembly.validate(bytes)) throw new Error("kernel.wat is not valid");
  const lines = bytes.toBase64().match(/.{1,72}/g) ?? [];
  return "// made of kernel.wat by build_kernel.ts; do not edit\n" +
    "/** The kernel, in base64. */\n" +
    "export const KERNEL_BYTES: string =\n" +
    lines.map((line) => `  "${line}"`).join(" +\n") + ";\n";
}

if (import.meta.main) {
  await Deno.writeTextFile(
    new URL("kernel_bytes.ts", FOLDER),
    await assembleKernel(),
  );
}
