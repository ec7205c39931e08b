/**
 * The command `tool`: WASI programs as commands, with their policies.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command } from "@cliffy/command";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";
import type { InstallFlags, PlaceFlags } from "./tool_actions.ts";

const DESCRIPTION = `Install WASI programs as commands, with their policies.

A command is a script of the directory that you choose, for instance one of your
PATH. It starts Deno with the permissions that the program's policy needs, and no
others. Module and manifest are copied beside it; the module's SHA-256 is pinned,
and looked at each time that the command starts. docs/install.md describes it.`;

const RUN_DESCRIPTION = `Run a program by its manifest.

It gets the arguments after --, the standard streams, and what its manifest
grants, and ends with its own exit code. In a process of its own its output is
seen while it runs; inline it reads its input to the end before. On a terminal
control characters of the output are shown escaped; "| cat" passes them on.`;

/**
 * Makes the command `tool`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function toolCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(DESCRIPTION)
    .example(
      "Install",
      "wasm-sandbox tool install app.yaml --directory ~/.local/bin",
    )
    .example(
      "Run without installing",
      "wasm-sandbox tool run app.yaml -- --help",
    )
    .action(async function (this: Command<any>) {
      noArguments(this.getLiteralArgs());
      await session.host.stdout(session.help());
    })
    .command("install", installCommand(session))
    .command("uninstall", uninstallCommand(session))
    .command("list", listCommand(session))
    .command("run", runToolCommand(session))
    .reset();
}

function installCommand(session: Session): Command<any> {
  return placed("Install a program as a command, by its manifest.", [
    "--name",
    "--force",
    "--deno-arg",
  ])
    .arguments("<manifest:name>", ["Path of the manifest."])
    .option("--name <name:string>", "Its name (that in the manifest).")
    .option("--force", "Replace a command that is there.")
    .option(
      "--deno-arg <flag:string>",
      "One more flag of deno run, as in --deno-arg=--cert=ca.pem.",
      { collect: true },
    )
    .example(
      "Install",
      "wasm-sandbox tool install app.yaml --directory ~/.local/bin",
    )
    .action(async function (
      this: Command<any>,
      flags: InstallFlags,
      manifest: string,
    ) {
      noArguments(this.getLiteralArgs());
      await (await actions()).install(session, flags, manifest);
    });
}

function uninstallCommand(session: Session): Command<any> {
  return placed("Remove a command, and nothing else.", ["--force"])
    .arguments("<name:name>", ["Name of the command."])
    .option("--force", "Remove it although it was changed.")
    .example(
      "Remove",
      "wasm-sandbox tool uninstall app --directory ~/.local/bin",
    )
    .action(async function (
      this: Command<any>,
      flags: PlaceFlags,
      name: string,
    ) {
      noArguments(this.getLiteralArgs());
      await (await actions()).uninstall(session, flags, name);
    });
}

function listCommand(session: Session): Command<any> {
  return placed("List the commands of a directory.", [])
    .example("List", "wasm-sandbox tool list --directory ~/.local/bin")
    .action(async function (this: Command<any>, flags: PlaceFlags) {
      noArguments(this.getLiteralArgs());
      await (await actions()).list(session, flags);
    });
}

function runToolCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(RUN_DESCRIPTION)
    .type("name", nameType(["--json", "--help"]))
    .arguments("<manifest:name>", ["Path of the manifest."])
    .example("Run", "wasm-sandbox tool run app.yaml -- --width 60 < notes.md")
    .action(async function (this: Command<any>, _flags, manifest: string) {
      const args = this.getLiteralArgs();
      await (await actions()).run(session, { manifest, args });
    });
}

/** A command about a directory. */
function placed(description: string, flags: readonly string[]): Command<any> {
  return new Command<any>()
    .description(description)
    .type("name", nameType(["--json", "--help", "--directory", ...flags]))
    .option("--directory <directory:string>", "The directory of the command.");
}

/** Loads what the commands do. */
function actions(): Promise<typeof import("./tool_actions.ts")> {
  return import("./tool_actions.ts");
}
