/**
 * Builds `child_program.js`, the program of a guest's process, as one file that
 * imports nothing.
 *
 * ```sh
 * deno run -A runtime/process/build.ts
 * ```
 *
 * @module
 */

/** The program as it is committed. */
export const PROGRAM: URL = new URL("child_program.js", import.meta.url);

const BANNER = `// Built by runtime/process/build.ts out of child/main.ts; do not edit.
// deno-lint-ignore-file
// deno-fmt-ignore-file
`;

/**
 * Bundles the program.
 *
 * @returns Its text; the same for the same sources.
 * @throws {Error} If there is no bundler, or it fails.
 */
export async function bundle(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--minify",
      "--platform=deno",
      "--packages=external",
      new URL("child/main.ts", import.meta.url).href,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) {
    const reason = new TextDecoder().decode(stderr).trim();
    throw new Error(`Cannot build the child's program: ${reason}`);
  }
  const program = new TextDecoder().decode(stdout).replaceAll(
    /\bimport\{([^}]*)\}from"(node:[^"]*)";/g,
    (_, names: string, module: string) => borrow(names.split(","), module),
  );
  if (/\bimport\s*[{*"']|\bimport\.meta\b/.test(program)) {
    throw new Error("Cannot build the child's program: it imports something");
  }
  return `${BANNER}${program}`;
}

/**
 * Functions of Deno's own modules, looked up when they are called: the program
 * is evaluated as a script, which has no imports.
 */
function borrow(names: readonly string[], module: string): string {
  return names.map((each) => {
    const [name, local = name] = each.split(" as ");
    return `var ${local}=(...a)=>process.getBuiltinModule("${module}").${name}(...a);`;
  }).join("");
}

if (import.meta.main) await Deno.writeTextFile(PROGRAM, await bundle());
