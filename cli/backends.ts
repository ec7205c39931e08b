/**
 * The command `backends`: tells which engines there are, and installs them.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { InstallFlags, ListFlags } from "./backends_actions.ts";
import { choiceOf } from "./choices.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";

const DESCRIPTION = `List the engines that run guests, and install them.

Tells of each engine whether it can be used here, its version, where its library
was found, and what it offers. Of one that cannot, it tells how to get it. The
limits are those that the engine itself enforces; sandboxes add their own.`;

const INSTALL_DESCRIPTION = `Install the library of Wasmtime, for this user.

It goes into the cache of this package. What is installed is, byte for byte, the
library of a version that this package knows; anything else is refused. What the
environment variable WASM_SANDBOX_WASMTIME names is used before it.`;

const INSTALL_FLAGS = ["--json", "--help", "--from", "--from-url"];

/**
 * Makes the command `backends`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function backendsCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(DESCRIPTION)
    .example("List", "wasm-sandbox backends")
    .example("Install", "wasm-sandbox backends install wasmtime")
    .action(async function (this: Command<any>, flags: ListFlags) {
      noArguments(this.getLiteralArgs());
      await (await actions()).list(session, flags);
    })
    .command("install", installCommand(session))
    .reset();
}

function installCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(INSTALL_DESCRIPTION)
    .type("name", nameType(INSTALL_FLAGS))
    .type("from", choiceOf("--from"))
    .type("url", urlOf)
    .arguments("<backend:name>", ["The engine: wasmtime, or wasmtime@VERSION."])
    .option(
      "--from <source:from>",
      "Where from: archive (the release's), pip (its wheel), or auto: the first " +
        "that works (auto).",
    )
    .option(
      "--from-url <url:url>",
      "Folder of the releases on a mirror, or the archive itself.",
    )
    .example("Wasmtime", "wasm-sandbox backends install wasmtime")
    .example("A version", "wasm-sandbox backends install wasmtime@49.0.0")
    .example("By pip", "wasm-sandbox backends install wasmtime --from pip")
    .action(async function (
      this: Command<any>,
      flags: InstallFlags,
      backend: string,
    ) {
      noArguments(this.getLiteralArgs());
      await (await actions()).install(session, flags, backend);
    });
}

function urlOf({ value }: { readonly value: string }): string {
  if (/^https?:/i.test(value) && URL.canParse(value)) return value;
  throw new ValidationError(
    `Option "--from-url": ${quote(value)} is no URL ` +
      "(write it like https://mirror.example/wasmtime/)",
  );
}

/** Loads what the commands do. */
function actions(): Promise<typeof import("./backends_actions.ts")> {
  return import("./backends_actions.ts");
}
