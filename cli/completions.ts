/**
 * The command `completions`: prints scripts that make shells complete the command
 * line. They know all of it by themselves: nothing is started for a key.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { TemplateFactory } from "../templates/mod.ts";
import { describe } from "./describe.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";

/** Shells that there are scripts for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that there is a script for. */
export type Shell = (typeof SHELLS)[number];

const DESCRIPTION = `Print a script that completes commands in a shell.

The script completes commands, flags, and what flags take, without starting this
program. Print it anew when the program has changed.`;

/**
 * Makes the command `completions`.
 *
 * @param session The run of the command line.
 * @param templates The templates; the built-in ones, if left out.
 * @returns The command.
 */
export function completionsCommand(
  session: Session,
  templates?: TemplateFactory,
): Command<any> {
  return new Command<any>()
    .description(DESCRIPTION)
    .type("shell", shellOf)
    .arguments("<shell:shell>", ["The shell: bash, zsh or fish."])
    .example(
      "For bash, in ~/.bashrc",
      "source <(wasm-sandbox completions bash)",
    )
    .example(
      "For zsh, in ~/.zshrc after compinit",
      "source <(wasm-sandbox completions zsh)",
    )
    .example(
      "For fish",
      "wasm-sandbox completions fish > ~/.config/fish/completions/wasm-sandbox.fish",
    )
    .action(async function (
      this: Command<any>,
      { json }: { readonly json?: boolean },
      shell: Shell,
    ) {
      noArguments(this.getLiteralArgs());
      const { completionScript } = await import("./completions/mod.ts");
      const info = describe(this.getMainCommand());
      const script = await completionScript(shell, info, templates);
      if (json) await session.printJson({ shell, script });
      else await session.host.stdout(script);
    });
}

function shellOf(
  argument: { readonly name: string; readonly value: string },
): Shell {
  const value = nameType(["--json", "--help"])(argument);
  const found = SHELLS.find((shell) => shell === value);
  if (found !== undefined) return found;
  throw new ValidationError(
    `${quote(value)} is no shell that can be completed in (write bash, zsh ` +
      "or fish)",
  );
}
