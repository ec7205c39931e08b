/** What can be written where, for all shells. */

import type { TemplateFactory } from "../../templates/mod.ts";
import type { ArgumentInfo, CommandInfo, OptionInfo } from "../describe.ts";
import { CHOICES } from "../choices.ts";
import { SHELLS } from "../completions.ts";

/** What completes a value: words, files, folders, or nothing. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" | "directories" | "nothing" };

/** An option, and what completes its value. */
export interface FlagWord {
  /** Its flags. */
  readonly flags: readonly string[];
  /** What it does. */
  readonly description: string;
  /** What completes its value, if it takes one. */
  readonly values?: Values;
}

/** A command, and all that can be written after it. */
export interface CommandWords {
  /** Names of the commands above it and of itself: `policy check`. */
  readonly path: string;
  /** The commands beneath it: names, and what they do. */
  readonly commands: readonly (readonly [string, string])[];
  /** Its options. */
  readonly options: readonly FlagWord[];
  /** What completes each argument. */
  readonly arguments: readonly Values[];
  /** Whether the last one goes for all that follow. */
  readonly isOpen: boolean;
}

/** Words that options take, by flag. */
const FLAG_WORDS: Readonly<Record<string, readonly string[]>> = {
  ...CHOICES,
  // others can be registered
  "--runtime": ["v8", "wasmtime", "wasmer", "auto"],
};

/** Names of values that are files. */
const FILES = new Set(["file", "path", "policy", "key", "manifest"]);

/**
 * All that can be written.
 *
 * @param info The command line.
 * @param templates The templates of `generate`.
 * @returns Its commands, the outer ones first.
 */
export function wordsOf(
  info: CommandInfo,
  templates: TemplateFactory,
): readonly CommandWords[] {
  const below = (each: CommandInfo): CommandWords[] => [
    {
      path: each.path.split(" ").slice(1).join(" "),
      commands: each.commands.map(({ name, summary }) => [name, summary]),
      options: each.options.map((option) => flagWord(option)),
      arguments: each.arguments.map((argument) =>
        argumentValues(each.path, argument, [...templates])
      ),
      isOpen: each.arguments.at(-1)?.isVariadic ?? false,
    },
    ...each.commands.flatMap(below),
  ];
  return below(info);
}

function flagWord({ flags, description, value }: OptionInfo): FlagWord {
  if (value === undefined) return { flags, description };
  const known = flags.flatMap((flag) => FLAG_WORDS[flag] ?? []);
  const values: Values = known.length > 0
    ? { kind: "words", words: known }
    : { kind: kindOf(value) };
  return { flags, description, values };
}

function argumentValues(
  path: string,
  { name }: ArgumentInfo,
  templates: readonly string[],
): Values {
  if (name === "template") return { kind: "words", words: templates };
  if (name === "shell") return { kind: "words", words: SHELLS };
  if (name === "backend") return { kind: "words", words: ["wasmtime"] };
  // the name of the pair of keys is part of a path
  return { kind: path.endsWith("keygen") ? "files" : kindOf(name) };
}

function kindOf(name: string): "files" | "directories" | "nothing" {
  if (name === "directory") return "directories";
  return FILES.has(name.replace(/s$/, "")) ? "files" : "nothing";
}
