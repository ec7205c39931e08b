/**
 * Builds `child_program.js`, the program of a guest's process, as one file that
 * imports nothing.
 *
 * ```sh
 * deno run -A runtime/process/build.ts
 * ```
 *
 * The bundler gives one file for each part that is loaded by itself. Here each
 * becomes a text within the program, which is read as code when it is first
 * needed: reading code takes longer than anything else at the start.
 *
 * @module
 */

import { runBundler } from "./bundler.ts";

/** The program as it is committed. */
export const PROGRAM: URL = new URL("child_program.js", import.meta.url);

const ENTRY = new URL("child/main.ts", import.meta.url);

const BANNER =
  `// Built by runtime/process/build.ts out of child/main.ts; do not edit.
// deno-lint-ignore-file
// deno-fmt-ignore-file
`;

/** Finds a part by number; each is read once, and as `BOOT` reads all. */
const LOADER =
  `const $parts={},$part=n=>$parts[n]??=(0,eval)("(function($part){"+$texts[n]+"})")($part);
`;

/**
 * Bundles the program.
 *
 * @returns Its text; the same for the same sources.
 * @throws {Error} If there is no bundler, or it fails.
 */
export async function bundle(): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await runBundler(
      "--code-splitting",
      // a guest's process starts none of its own
      "--external=../process/process_source.ts",
      `--outdir=${folder}`,
      ENTRY.href,
    );
    return BANNER + await join(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * An import that is left, where a statement begins: messages have the word too.
 * The bundler writes no spaces.
 */
const IMPORT =
  /(?:^|[;}\n])import(?:["'{*]| [\w$]+(?:,| from)["'{*])|\bimport\.meta\b/;

/** Puts the files that belong together into one text. */
async function join(folder: string): Promise<string> {
  // numbered as they are met, for the bundler's names depend on more
  const names = new Map<string, number>();
  const texts: string[] = [];
  const numberOf = (name: string): number => {
    const known = names.get(name) ?? names.size;
    names.set(name, known);
    return known;
  };
  const main = convert(await read(folder, "main.js"), numberOf);
  for (const name of names.keys()) {
    texts.push(convert(await read(folder, name), numberOf));
  }
  const all = [main, ...texts];
  if (all.some((text) => IMPORT.test(text))) {
    throw new Error("Cannot build the child's program: it imports something");
  }
  return `const $texts=${JSON.stringify(texts)};\n${LOADER}${main}`;
}

function read(folder: string, name: string): Promise<string> {
  return Deno.readTextFile(`${folder}/${name}`);
}

/** Makes a function's body out of a module. */
function convert(text: string, numberOf: (name: string) => number): string {
  return text
    .replaceAll(
      /\bimport\{([^}]*)\}from"\.\/([^"]*)";/g,
      (_, names: string, file: string) =>
        `const{${names.replaceAll(" as ", ":")}}=$part(${numberOf(file)});`,
    )
    .replaceAll(
      /\bimport\("\.\/([^"]*)"\)/g,
      (_, file: string) => `$part(${numberOf(file)})`,
    )
    .replaceAll(
      /\bimport\{([^}]*)\}from"(node:[^"]*)";/g,
      (_, names: string, module: string) => borrow(names.split(","), module),
    )
    .replaceAll(
      /\bexport\{([^}]*)\};/g,
      (_, names: string) => `return{${names.split(",").map(exported)}};`,
    )
    .trim();
}

function exported(name: string): string {
  const [local, as = local] = name.split(" as ");
  return `${as}:${local}`;
}

/** Functions of Deno's own modules, looked up when they are called. */
function borrow(names: readonly string[], module: string): string {
  return names.map((each) => {
    const [name, local = name] = each.split(" as ");
    return `var ${local}=(...a)=>process.getBuiltinModule("${module}").${name}(...a);`;
  }).join("");
}

if (import.meta.main) await Deno.writeTextFile(PROGRAM, await bundle());
