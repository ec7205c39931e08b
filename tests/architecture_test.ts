import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Files of the top folder that everything may build on. */
const BASE = [
  "_streams.ts",
  "_text.ts",
  "errors.ts",
  "registry.ts",
];

/** From the ground up; what stands in one place may use each other. */
const LAYERS: readonly (readonly string[])[] = [
  BASE,
  ["security"],
  ["runtime", "communication"],
  ["sandbox"],
  ["wrappers"],
  ["templates"],
  ["testing"],
  ["cli"],
  ["cli.ts"],
];

/** Folders of the repository that are not published, with code in them. */
const UNPUBLISHED = ["bench/", "examples/", "tests/"];

const MAX_LINES = 500;

/** One file, and the files that it imports. */
interface Source {
  readonly path: string;
  readonly lines: number;
  /** What it cannot be loaded without. */
  readonly values: readonly string[];
  /** All that it names. */
  readonly all: readonly string[];
}

interface Publish {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What is published. */
async function sources(): Promise<readonly Source[]> {
  const { publish: { include, exclude } }: { readonly publish: Publish } = JSON
    .parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const all = await sourcesIn(include.filter((each) => each.endsWith("/")));
  const isOut = (path: string) =>
    exclude.some((each) =>
      path === each || each.endsWith("/") && path.startsWith(each)
    );
  return all.filter(({ path }) => !isOut(path));
}

/** What is in the top folder, and in these. */
async function sourcesIn(
  folders: readonly string[],
): Promise<readonly Source[]> {
  const paths: string[] = [];
  for (const folder of ["./", ...folders]) {
    await collect(folder, folder !== "./", paths);
  }
  return await Promise.all(paths.map(sourceOf));
}

async function collect(
  folder: string,
  isDeep: boolean,
  paths: string[],
): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder === "./" ? name : `${folder}${name}`;
    if (isFile && name.endsWith(".ts")) paths.push(path);
    if (!isFile && isDeep) await collect(`${path}/`, isDeep, paths);
  }
}

async function sourceOf(path: string): Promise<Source> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  // examples in comments import by the package's name, or are no imports
  const code = text.replace(/^\s*\*.*$/gm, "");
  const imports = [
    ...code.matchAll(
      /^(?:import|export)(\s+type)?[^;]*?\sfrom\s+"(\.[^"]+)"/gm,
    ),
    // for what it does as it loads
    ...code.matchAll(/^import(\s+type)?\s*"(\.[^"]+)"/gm),
  ].map(([, type, name = ""]) => ({ isType: type !== undefined, name }));
  const lazy = [...code.matchAll(/\bimport\(\s*"(\.[^"]+)"/g)]
    .map(([, name = ""]) => ({ isType: true, name }));
  const pathOf = (name: string) =>
    new URL(name, new URL(path, ROOT)).href.slice(ROOT.href.length);
  return {
    path,
    lines: text.split("\n").length - 1,
    values: imports.filter(({ isType }) => !isType).map(({ name }) =>
      pathOf(name)
    ),
    all: [...imports, ...lazy].map(({ name }) => pathOf(name)),
  };
}

function layerOf(path: string): number {
  const [folder = ""] = path.split("/");
  const name = LAYERS.flat().includes(folder)
    ? folder
    : path.includes("/")
    ? ""
    : "sandbox";
  return LAYERS.findIndex((layer) => layer.includes(name));
}

/** Files that need what lies above them. */
function upwards(sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ path, all }) =>
    all.filter((other) => layerOf(other) > layerOf(path))
      .map((other) => `${path} -> ${other}`)
  );
}

/** Files that need themselves to be loaded, with what leads back to them. */
function cyclesIn(sources: readonly Source[]): readonly string[] {
  const needs = new Map(sources.map(({ path, values }) => [path, values]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, above: readonly string[]): void => {
    const at = above.indexOf(path);
    if (at >= 0) {
      return void cycles.push([...above.slice(at), path].join(" -> "));
    }
    if (done.has(path)) return;
    for (const other of needs.get(path) ?? []) visit(other, [...above, path]);
    done.add(path);
  };
  for (const path of needs.keys()) visit(path, []);
  return cycles;
}

Deno.test("files depend on what lies below them, or beside", async () => {
  const all = await sources();
  for (const { path } of all) {
    assert(layerOf(path) >= 0, `${path} is in no layer`);
  }
  assertEquals(upwards(all), []);
});

Deno.test("no file needs itself to be loaded", async () => {
  assertEquals(cyclesIn(await sources()), []);
});

Deno.test("no file is longer than anybody reads", async () => {
  const unpublished = await sourcesIn(UNPUBLISHED);
  const long = [...await sources(), ...unpublished]
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines}`);
  assertEquals([...new Set(long)], []);
});

Deno.test("nothing that is published imports what is not", async () => {
  const published = await sources();
  const paths = new Set(published.map(({ path }) => path));
  const foreign = published.flatMap(({ path, all }) =>
    all.filter((other) => other.endsWith(".ts") && !paths.has(other))
      .map((other) => `${path} -> ${other}`)
  );
  assertEquals(foreign, []);
});

Deno.test("a step upwards and a cycle are found", () => {
  const made = (path: string, values: readonly string[]): Source => ({
    path,
    lines: 1,
    values,
    all: values,
  });
  const fileIn = (layer: readonly string[] = []): string => {
    const [name = ""] = layer.slice(-1);
    if (name.endsWith(".ts")) return name;
    return name === "sandbox" ? "sandbox.ts" : `${name}/x.ts`;
  };
  for (const [index, layer] of LAYERS.slice(1).entries()) {
    const [low, high] = [fileIn(LAYERS[index]), fileIn(layer)];
    assertEquals(upwards([made(low, [high])]), [`${low} -> ${high}`]);
    assertEquals(upwards([made(high, [low])]), []);
  }
  assertEquals(cyclesIn([made("a.ts", ["b.ts"]), made("b.ts", ["a.ts"])]), [
    "a.ts -> b.ts -> a.ts",
  ]);
});

Deno.test("the guards of these tests find what they look for", async () => {
  const all = await sources();
  const find = (path: string) => all.find((each) => each.path === path);
  assert(all.length > 300);
  assert(find("sandbox.ts")?.values.includes("_calls.ts"));
  assert(find("sandbox.ts")?.all.includes("sandbox_options.ts"));
  // a module that is loaded when it is used
  assert(find("cli.ts")?.all.includes("cli/main.ts"));
  const others = await sourcesIn(UNPUBLISHED);
  const lengths = new Map(others.map(({ path, lines }) => [path, lines]));
  const own = await Deno.readTextFile(new URL(import.meta.url));
  assertEquals(
    lengths.get("tests/architecture_test.ts"),
    own.split("\n").length - 1,
  );
  for (const folder of UNPUBLISHED) {
    assert(others.some(({ path }) => path.startsWith(folder)), folder);
  }
});

Deno.test("each layer has files, and they build on those below", async () => {
  const all = await sources();
  for (const [index, layer] of LAYERS.entries()) {
    for (const name of layer) {
      const own = all.filter(({ path }) =>
        path === name || path.startsWith(`${name}/`) ||
        name === "sandbox" && layerOf(path) === index
      );
      assert(own.length > 0, `nothing is in ${name}`);
      const isAtHome = own.every(({ path }) => layerOf(path) === index);
      assert(isAtHome, `${name} is in another layer`);
      const reaches = own.some(({ all }) =>
        all.some((other) => layerOf(other) < index)
      );
      assert(reaches || index === 0, `${name} uses nothing below`);
    }
  }
});
