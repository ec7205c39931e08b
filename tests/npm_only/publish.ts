/**
 * A dry run of publishing where JSR does not answer. `deno publish` takes no
 * import map, but it takes linked packages, so it runs on a copy of the package
 * that links the stand-ins.
 *
 * @module
 */

import { STAND_INS } from "./import_map.ts";
import { jsrEnvironment } from "./jsr.ts";
import { runDeno } from "./run_deno.ts";

/** What of a checkout is neither published nor needed for it. */
const LEFT_OUT = new Set([".git", "coverage", "node_modules", "tests"]);

const STAND_IN_FOLDER = new URL("./", import.meta.url);

/** The part of a Deno configuration that is read here. */
interface Configuration {
  readonly imports: Readonly<Record<string, string>>;
}

/**
 * Runs `deno publish --dry-run` on a linked copy.
 *
 * @param root The package, this one by default.
 * @returns The exit code of `deno publish`.
 */
export async function dryRun(
  root: URL = new URL("../../", import.meta.url),
): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "wasm-sandbox-publish-" });
  try {
    const copy = new URL(`file://${folder}/`);
    await copyFolder(root, new URL("package/", copy));
    const file = new URL("package/deno.json", copy);
    const config: Configuration = JSON.parse(await Deno.readTextFile(file));
    const links = await linkStandIns(config, copy);
    await Deno.writeTextFile(file, JSON.stringify({ ...config, links }));
    return await runDeno(["publish", "--dry-run", "--allow-dirty"], {
      cwd: new URL("package/", copy),
      env: jsrEnvironment("no"),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes a package of each stand-in, beside the copy. */
async function linkStandIns(
  { imports }: Configuration,
  copy: URL,
): Promise<string[]> {
  const links = new Set<string>();
  for (const name of Object.keys(STAND_INS)) {
    const packageName = name.split("/").slice(0, 2).join("/");
    const link = `../${packageName}`;
    if (links.has(link)) continue;
    links.add(link);
    const folder = new URL(`${packageName}/`, copy);
    await copyFolder(STAND_IN_FOLDER, folder);
    const exports = Object.fromEntries(
      Object.entries(STAND_INS)
        .filter(([other]) => other === name || other.startsWith(`${name}/`))
        .map(([other, file]) => [`.${other.slice(name.length)}`, file]),
    );
    const version = lowestVersion(imports[packageName] ?? "");
    await Deno.writeTextFile(
      new URL("deno.json", folder),
      JSON.stringify({ name: packageName, version, exports }),
    );
  }
  return [...links];
}

/** The lowest version that `jsr:name@^1` and its like allow. */
function lowestVersion(specifier: string): string {
  const [, version = "0"] = /@[\^~]?([\d.]+)$/.exec(specifier) ?? [];
  return [...version.split("."), "0", "0"].slice(0, 3).join(".");
}

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (LEFT_OUT.has(name)) continue;
    const target = new URL(encodeURIComponent(name), to);
    if (isDirectory) {
      await copyFolder(
        new URL(`${encodeURIComponent(name)}/`, from),
        new URL(`${target.href}/`),
      );
    } else if (isFile) {
      await Deno.copyFile(new URL(encodeURIComponent(name), from), target);
    }
  }
}
