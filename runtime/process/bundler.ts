/**
 * Deno's bundler, for programs that are committed as one file.
 *
 * @module
 */

/**
 * Runs Deno's bundler.
 *
 * @param args Its arguments: more flags, and the entry.
 * @returns What it prints.
 * @throws {Error} If there is none, or it fails.
 */
export async function runBundler(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--minify",
      "--platform=deno",
      "--packages=external",
      ...args,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout).trim();
  const reason = decoder.decode(stderr).trim();
  throw new Error(`Cannot build a program: ${reason}`);
}
