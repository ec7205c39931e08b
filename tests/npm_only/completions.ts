/**
 * Stands in for `jsr:@cliffy/command/completions` where JSR does not answer:
 * it completes the names of the commands, and no more.
 *
 * @module
 */

import { Command } from "./command.ts";

/** A script for each shell that completes one of some words. */
const SCRIPTS: Readonly<
  Record<string, (name: string, words: string) => string>
> = {
  bash: (name, words) => `complete -W "${words}" ${name}`,
  fish: (name, words) => `complete -f -c ${name} -a "${words}"`,
  zsh: (name, words) =>
    `autoload -U bashcompinit && bashcompinit && complete -W "${words}" ${name}`,
};

/** Prints a script that makes a shell complete the command line. */
export class CompletionsCommand extends Command {
  /** Constructs a new instance. */
  constructor() {
    super();
    this.description("Generate shell completions.");
    for (const [shell, script] of Object.entries(SCRIPTS)) {
      const command = new Command()
        .description(`Generate shell completions for ${shell}.`)
        .action(() => {
          const main = this.getMainCommand();
          const words = main.getCommands().map((it) => it.getName()).join(" ");
          // deno-lint-ignore no-console -- as the original
          console.log(script(main.getName(), words));
        });
      this.command(shell, command);
    }
    this.reset();
  }
}
