/**
 * The command `generate`: writes a project out of a template.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { printable } from "../_text.ts";
import type { TemplateFactory } from "../templates/mod.ts";
import type { GenerateFlags } from "./generate/actions.ts";
import { settingOf } from "./generate/settings.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";

const DESCRIPTION = `Write a small project that runs as it is.

A project has a sandboxed guest, what it is granted and limited to, a main file,
a test and tasks. What goes into it is set by --set, or --name for its name, or
by a file in YAML or JSON that holds the same names; flags go before the file.
On a terminal what is missing is asked for, in a pipe it is an error that names
all of it. Without a name the project is called as its directory is, in snake
case where it must be a name in code; without a directory that is called as the
project.

Nothing is written outside of the directory, and all files or none are. Files
that are there as something else are replaced with --force only: --diff shows
what would change. Ends with 130 if it is interrupted; nothing is written then.`;

const FLAGS = [
  "--set",
  "--name",
  "--config",
  "--link",
  "--list",
  "--dry-run",
  "--diff",
  "--force",
  "--json",
  "--help",
];

/**
 * Makes the command `generate`.
 *
 * @param session The run of the command line.
 * @param templates The templates; the built-in ones, if left out.
 * @returns The command.
 */
export function generateCommand(
  session: Session,
  templates?: TemplateFactory,
): Command<any> {
  return new Command<any>()
    .description(DESCRIPTION)
    .type("template", nameType(FLAGS))
    .type("directory", nameType(FLAGS))
    .type("setting", settingOf)
    .arguments("[template:template] [directory:directory]", [
      "Name of the template; --list lists them.",
      "The project's folder.",
    ])
    .option("--list", "List the templates.")
    .option("--name <text:string>", "Name of the project, for people.")
    .option(
      "--set <value:setting>",
      "Set a value of the template: NAME=VALUE. Repeatable.",
      { collect: true },
    )
    .option("--config <file:string>", "Read values from this file, or -.")
    .option("--dry-run", "Write nothing; tell what would be written.")
    .option("--diff", "Write nothing; print what would change, as diff -u.")
    .option("--force", "Replace files that are there.")
    .option(
      "--link <directory:string>",
      "Use this checkout of wasm-sandbox, not the published package.",
    )
    .example("Choose", "wasm-sandbox generate --list")
    .example("A server", "wasm-sandbox generate http_server my-server")
    .example(
      "With values",
      `wasm-sandbox generate http_server my-server --set port=8080`,
    )
    .example(
      "From a file",
      "wasm-sandbox generate plugin host --config plugin.yaml",
    )
    .example(
      "Look first",
      "wasm-sandbox generate cli_tool my-tool --diff",
    )
    .action(async function (
      this: Command<any>,
      flags: GenerateFlags,
      template?: string,
      directory?: string,
    ) {
      noArguments(this.getLiteralArgs());
      if (flags.list && template !== undefined) {
        throw new ValidationError(
          `Too many arguments: ${printable(template)} (--list takes none)`,
        );
      }
      const { generate, list } = await import("./generate/actions.ts");
      if (flags.list) return await list(session, flags, templates);
      await generate(session, flags, { template, directory }, templates);
    });
}
