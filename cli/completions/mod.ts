/** Scripts that make shells complete the command line. */

import { TemplateFactory } from "../../templates/mod.ts";
import type { Shell } from "../completions.ts";
import type { CommandInfo } from "../describe.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { type CommandWords, wordsOf } from "./words.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS: Readonly<
  Record<Shell, (name: string, commands: readonly CommandWords[]) => string>
> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/**
 * Writes a script.
 *
 * @param shell For which shell.
 * @param info The command line.
 * @param templates The templates of `generate`.
 * @returns The script.
 */
export async function completionScript(
  shell: Shell,
  info: CommandInfo,
  templates: TemplateFactory = new TemplateFactory(),
): Promise<string> {
  const words = wordsOf(info, templates);
  return await SCRIPTS[shell](info.name, words);
}
