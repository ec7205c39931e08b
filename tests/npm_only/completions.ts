/**
 * Stands in for `jsr:@cliffy/command/completions` where JSR does not answer:
 * it completes the names of the commands, and no more.
 *
 * @module
 */

import { Command, ValidationError } from "./command.ts";

/** Prints a script that makes a shell complete the command line. */
export class CompletionsCommand extends Command {
  /** Constructs a new instance. */
  constructor() {
    super();
    this.description("Generate shell completions.")
      .arguments("<shell:string>", ["bash, fish or zsh."])
      .action((_options, shell: string) => {
        const main = this.getMainCommand();
        const words = main.getCommands().map((each) => each.getName());
        // deno-lint-ignore no-console -- as the original
        console.log(script(shell, main.getName(), words.join(" ")));
      });
  }
}

function script(shell: string, name: string, words: string): string {
  const bash = `complete -W "${words}" ${name}`;
  if (shell === "bash") return bash;
  if (shell === "fish") return `complete -f -c ${name} -a "${words}"`;
  if (shell !== "zsh") throw new ValidationError(`Unknown command "${shell}".`);
  return `autoload -U bashcompinit && bashcompinit && ${bash}`;
}
