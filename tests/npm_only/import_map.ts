/**
 * The import map that puts the stand-ins in the place of JSR packages.
 *
 * @module
 */

/** Each stand-in by the module that it stands in for. */
export const STAND_INS: Readonly<Record<string, string>> = {
  "@cliffy/command": "./command.ts",
  "@cliffy/command/completions": "./completions.ts",
  "@std/assert": "./assert.ts",
  "@std/yaml": "./yaml.ts",
};

/** The part of a Deno configuration that is read here. */
interface Configuration {
  readonly imports?: Readonly<Record<string, string>>;
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
  const { imports = {} }: Configuration = JSON.parse(
    await Deno.readTextFile(config),
  );
  const map = Object.fromEntries(
    Object.entries(imports).flatMap(([name, target]) =>
      entries(name, target, config)
    ),
  );
  return `data:application/json,${
    encodeURIComponent(JSON.stringify({ imports: map }))
  }`;
}

function entries(name: string, target: string, config: URL): string[][] {
  if (target.startsWith("npm:")) {
    // Deno adds the entry for subpaths to configured imports only.
    return [[name, target], [`${name}/`, `npm:/${target.slice(4)}/`]];
  }
  if (!target.startsWith("jsr:")) return [[name, new URL(target, config).href]];
  if (!Object.hasOwn(STAND_INS, name)) {
    throw new TypeError(
      `Cannot do without JSR: "${name}" has no stand-in (add one to tests/npm_only/)`,
    );
  }
  return Object.entries(STAND_INS)
    .filter(([module]) => module === name || module.startsWith(`${name}/`))
    .map(([module, file]) => [module, new URL(file, import.meta.url).href]);
}
