/**
 * The import map that puts the stand-ins in the place of JSR packages.
 *
 * @module
 */

/** The stand-ins: for each package from JSR, the file of each of its exports. */
export const STAND_INS: Readonly<
  Record<string, Readonly<Record<string, string>>>
> = {
  "@cliffy/command": { ".": "./command.ts" },
  "@std/assert": { ".": "./assert.ts" },
  "@std/yaml": { ".": "./yaml.ts" },
};

/** The part of a Deno configuration that is read here. */
export interface Configuration {
  /** Where each import comes from. */
  readonly imports: Readonly<Record<string, string>>;
}

/**
 * Builds an import map that equals the imports of a Deno configuration, with
 * stand-ins for what comes from JSR.
 *
 * A map on the command line replaces the configured imports as a whole, which
 * is why it repeats those from npm.
 *
 * @param config The configuration, this package's own by default.
 * @returns The map as a `data:` URL, for the flag `--import-map`.
 * @throws {TypeError} If a JSR package has no stand-in.
 */
export async function importMap(
  config: URL = new URL("../../deno.json", import.meta.url),
): Promise<string> {
  const { imports }: Configuration = JSON.parse(
    await Deno.readTextFile(config),
  );
  const map = {
    imports: Object.fromEntries(Object.entries(imports).flatMap(entries)),
  };
  return `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
}

function entries([name, target]: [string, string]): string[][] {
  if (target.startsWith("npm:")) {
    // Deno adds the entry for subpaths to configured imports only.
    return [[name, target], [`${name}/`, `npm:/${target.slice(4)}/`]];
  }
  const exports = STAND_INS[name];
  if (exports === undefined) {
    throw new TypeError(
      `Cannot do without JSR: "${name}" has no stand-in (add one to tests/npm_only/)`,
    );
  }
  return Object.entries(exports).map((
    [path, file],
  ) => [name + path.slice(1), new URL(file, import.meta.url).href]);
}
