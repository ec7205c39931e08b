/**
 * The command `policy`: checks, explains and imports policy files.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command } from "@cliffy/command";
import { choiceOf } from "./choices.ts";
import type { PolicyFlags } from "./policy_actions.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";

const DESCRIPTION = `Check, explain and import policy files.

A policy file says in YAML or JSON what a guest may do and use; docs/policy.md
describes it. Ends with 2 if a file is not well-formed.`;

const FLAGS = ["--json", "--help"];

/**
 * Makes the command `policy`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function policyCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(DESCRIPTION)
    .example("Check", "wasm-sandbox policy check app.yaml")
    .example("Explain", "wasm-sandbox policy explain app.yaml")
    .example("Import", "wasm-sandbox policy import manifest.json > app.yaml")
    .action(async function (this: Command<any>) {
      noArguments(this.getLiteralArgs());
      await session.host.stdout(session.help());
    })
    .command(
      "check",
      fileCommand(
        "Tell everything that is wrong with a policy file.",
        async (flags, file) => (await actions()).check(session, flags, file),
      ).example("Check", "wasm-sandbox policy check app.yaml"),
    )
    .command(
      "explain",
      fileCommand(
        "Put a policy file into plain sentences and flags of deno run.",
        async (flags, file) => (await actions()).explain(session, flags, file),
      ).example("Explain", "wasm-sandbox policy explain app.yaml"),
    )
    .command("schema", schemaCommand(session))
    .command("import", importCommand(session))
    .reset();
}

function importCommand(session: Session): Command<any> {
  return fileCommand(
    "Make a policy of an Extism manifest, with notes on what is left out.",
    async (flags, file) =>
      (await actions()).importManifest(session, flags, file),
    ["--dialect"],
  )
    .type("dialect", choiceOf("--dialect"))
    .option(
      "--dialect <name:dialect>",
      "Whose manifest it is: native (of Rust's library) or js.",
    )
    .example("Import", "wasm-sandbox policy import manifest.json > app.yaml");
}

function fileCommand(
  description: string,
  action: (flags: PolicyFlags, file: string) => Promise<void>,
  flags: readonly string[] = [],
): Command<any> {
  return new Command<any>()
    .description(description)
    .type("name", nameType([...FLAGS, ...flags]))
    .arguments("<file:name>", ["Path of the file, or - for standard input."])
    .action(async function (
      this: Command<any>,
      flags: PolicyFlags,
      file: string,
    ) {
      noArguments(this.getLiteralArgs());
      await action(flags, file);
    });
}

function schemaCommand(session: Session): Command<any> {
  return new Command<any>()
    .description("Print the JSON Schema of policy files.")
    .example("Save", "wasm-sandbox policy schema > policy.schema.json")
    .action(async function (this: Command<any>, flags: PolicyFlags) {
      noArguments(this.getLiteralArgs());
      await (await actions()).printSchema(session, flags);
    });
}

/** Loads what the commands do. */
function actions(): Promise<typeof import("./policy_actions.ts")> {
  return import("./policy_actions.ts");
}
