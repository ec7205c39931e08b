/**
 * A dry run of publishing where JSR does not answer. `deno publish` takes no
 * import map, but it takes linked packages, so it runs on a copy of the package
 * that links the stand-ins.
 *
 * @module
 */

import { cp } from "node:fs/promises";
import { basename } from "node:path";
import { type Configuration, STAND_INS } from "./import_map.ts";
import { runDeno } from "./run_deno.ts";

/** What of a checkout is neither published nor needed for it. */
const LEFT_OUT = new Set([".git", "coverage", "node_modules", "tests"]);

/**
 * Runs `deno publish --dry-run` on a linked copy.
 *
 * @returns The exit code of `deno publish`.
 */
export async function dryRun(): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "wasm-sandbox-publish-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const copy = new URL(`file://${folder}/package/`);
  await cp(new URL("../../", import.meta.url), copy, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(basename(path)),
  });
  const file = new URL("deno.json", copy);
  const config: Configuration = JSON.parse(await Deno.readTextFile(file));
  const links = await linkStandIns(config, copy);
  await Deno.writeTextFile(file, JSON.stringify({ ...config, links }));
  return await runDeno(["publish", "--dry-run", "--allow-dirty"], {
    cwd: copy,
    hasJsr: false,
  });
}

/** Makes a package of each stand-in, beside the copy. */
async function linkStandIns(
  { imports }: Configuration,
  copy: URL,
): Promise<string[]> {
  const links = Object.keys(STAND_INS).map((name) => `../${name}`);
  for (const [name, exports] of Object.entries(STAND_INS)) {
    const folder = new URL(`../${name}/`, copy);
    await cp(new URL("./", import.meta.url), folder, { recursive: true });
    // the lowest that `jsr:name@^1` and its like allow
    const [lowest = "0"] = /[\d.]*$/.exec(imports[name] ?? "") ?? [];
    const version = `${lowest}.0.0`.split(".", 3).join(".");
    await Deno.writeTextFile(
      new URL("deno.json", folder),
      JSON.stringify({ name, version, exports }),
    );
  }
  return links;
}
