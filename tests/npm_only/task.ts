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
import { JSR_VARIABLE, jsrAnswers, jsrEnvironment } from "./jsr.ts";
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
  const hasJsr = await jsrAnswers();
  if (!hasJsr && !isNested) {
    say(
      "JSR does not answer: stand-ins from npm take the place of its packages",
    );
  }
  if (!hasJsr && subcommand === "publish") return await dryRun();
  const map = !hasJsr && LOADING.has(subcommand)
    ? ["--import-map", await importMap()]
    : [];
  return await runDeno([subcommand, ...map, ...await withExports(rest)], {
    env: jsrEnvironment(hasJsr ? "yes" : "no"),
  });
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

function say(line: string): void {
  // deno-lint-ignore no-console -- what the tasks of a checkout print
  console.error(line);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
