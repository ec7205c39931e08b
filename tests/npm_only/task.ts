/**
 * Runs a `deno` command for the tasks of deno.json. Where JSR does not answer,
 * the command gets stand-ins for the packages that live there.
 *
 * ```sh
 * deno run -A tests/npm_only/task.ts test -A --doc
 * ```
 *
 * @module
 */

import { importMap } from "./import_map.ts";
import { hasJsr, JSR_VARIABLE } from "./jsr.ts";
import { dryRun } from "./publish.ts";
import { runDeno } from "./run_deno.ts";

/** Subcommands that load modules and let an import map be given. */
const LOADING = new Set(["bench", "check", "doc", "info", "run", "test"]);

/**
 * Runs a `deno` command.
 *
 * @param args Its arguments, subcommand first. `@exports` stands for the files
 * of every export of the package.
 * @returns Its exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [subcommand = "help", ...rest] = args;
  const isNested = Deno.env.has(JSR_VARIABLE);
  const jsr = await hasJsr();
  if (!jsr && !isNested) {
    // deno-lint-ignore no-console -- the one line that tells a user
    console.error(
      "JSR does not answer: stand-ins from npm take the place of its packages",
    );
  }
  if (!jsr && subcommand === "publish") return await dryRun();
  const map = !jsr && LOADING.has(subcommand)
    ? ["--import-map", await importMap()]
    : [];
  const command = [subcommand, ...map, ...await withExports(rest)];
  return await runDeno(command, { hasJsr: jsr });
}

async function withExports(args: readonly string[]): Promise<string[]> {
  if (!args.includes("@exports")) return [...args];
  const config = new URL("../../deno.json", import.meta.url);
  const { exports }: { exports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(config),
  );
  return args.flatMap((arg) =>
    arg === "@exports" ? Object.values(exports) : arg
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
