/**
 * Starts one of the nine example applications.
 *
 * ```sh
 * deno task app c http --port 8080
 * deno task app go tool -numbers < table.csv
 * deno task app js mcp
 * ```
 *
 * @module
 */

import { main } from "../../cli/main.ts";
import { buildApp, LANGUAGES } from "./build.ts";

const FORMS = ["http", "tool", "mcp"] as const;

const USAGE = `usage: deno task app LANGUAGE FORM [ARGUMENT...]

  LANGUAGE  c (Markdown to text), go (CSV to JSON) or js (a calculator)
  FORM      http, tool or mcp`;

/** Runs an application; the exit code is the command line's. */
async function start(args: readonly string[]): Promise<number> {
  const [language, form, ...rest] = args;
  if (!isOneOf(LANGUAGES, language) || !isOneOf(FORMS, form)) {
    return complain(USAGE);
  }
  const module = await buildApp(language);
  if (module === undefined) {
    return complain("there is no Go to build the program with");
  }
  const manifest = new URL(`${language}/${form}.yaml`, import.meta.url);
  if (form === "tool") {
    return await main(["tool", "run", manifest.pathname, "--", ...rest]);
  }
  const command = form === "http" ? "serve" : "mcp";
  return await main([command, manifest.pathname, ...rest]);
}

function isOneOf<T extends string>(
  values: readonly T[],
  value: string | undefined,
): value is T {
  return values.some((each) => each === value);
}

function complain(text: string): number {
  // deno-lint-ignore no-console -- a program for people
  console.error(text);
  return 2;
}

if (import.meta.main) Deno.exit(await start(Deno.args));
