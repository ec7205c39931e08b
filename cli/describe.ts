/**
 * What the commands are, as help, completions and the reference tell it.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import type { Command } from "@cliffy/command";
import { GUEST_FLAGS } from "./guest_flags.ts";
import { LIMITS } from "./limit_flags.ts";

/** What options are for. */
export type OptionGroup = "options" | "limits" | "grants" | "everywhere";

/** An argument without a flag. */
export interface ArgumentInfo {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly description: string;
  /** As usage shows it: `<file>`, `[inputs...]`. */
  readonly usage: string;
  /** Whether there may be several. */
  readonly isVariadic: boolean;
}

/** An option. */
export interface OptionInfo {
  /** Its flags: `--help`, and `-h` if there is a short one. */
  readonly flags: readonly string[];
  /** Name of its value, if it takes one. */
  readonly value?: string;
  /** What it does. */
  readonly description: string;
  /** What it is for. */
  readonly group: OptionGroup;
}

/** An example. */
export interface ExampleInfo {
  /** What it shows. */
  readonly name: string;
  /** What one types. */
  readonly text: string;
}

/** A command. */
export interface CommandInfo {
  /** Its name. */
  readonly name: string;
  /** Its name after those of the commands above it. */
  readonly path: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** What else there is to say: paragraphs. */
  readonly description: readonly string[];
  /** What it takes without a flag. */
  readonly arguments: readonly ArgumentInfo[];
  /** What it takes with a flag. */
  readonly options: readonly OptionInfo[];
  /** How it is used. */
  readonly examples: readonly ExampleInfo[];
  /** The commands beneath it. */
  readonly commands: readonly CommandInfo[];
}

const HELP: OptionInfo = {
  flags: ["-h", "--help"],
  description: "Print this help.",
  group: "everywhere",
};

const VERSION: OptionInfo = {
  flags: ["-V", "--version"],
  description: "Print the version.",
  group: "everywhere",
};

/**
 * Describes a command and all that is beneath it.
 *
 * @param command The command.
 * @param above The names of the commands above it.
 * @returns What it is.
 */
export function describe(
  command: Command<any>,
  above: readonly string[] = [],
): CommandInfo {
  const name = command.getName();
  const path = [...above, name];
  const [summary = "", ...description] = command.getDescription().split(
    /\n{2,}/,
  );
  const options = [...command.getOptions()].map(optionOf)
    .filter(({ flags }) =>
      !flags.includes("--help") && !flags.includes("--version")
    );
  const isMain = above.length === 0;
  return {
    name,
    path: path.join(" "),
    summary: summary.replaceAll("\n", " "),
    description,
    arguments: command.getArguments().map(argumentOf),
    options: [
      ...options.filter(({ group }) => group !== "everywhere"),
      ...options.filter(({ group }) => group === "everywhere"),
      HELP,
      ...(isMain ? [VERSION] : []),
    ],
    examples: command.getExamples().map(({ name, description }) => ({
      name,
      text: description,
    })),
    commands: command.getCommands().map((each) => describe(each, path)),
  };
}

/** What cliffy tells of an option, as far as it is used here. */
interface RawOption {
  readonly flags: readonly string[];
  readonly description: string;
  readonly typeDefinition?: string | undefined;
  readonly global?: boolean | undefined;
}

function optionOf(
  { flags, description, typeDefinition = "", global = false }: RawOption,
): OptionInfo {
  const [, value] = /[<[](\w+)/.exec(typeDefinition) ?? [];
  return {
    flags,
    ...(value === undefined ? {} : { value }),
    description,
    group: global ? "everywhere" : groupOf(flags),
  };
}

function groupOf(flags: readonly string[]): OptionGroup {
  if (flags.some((each) => LIMITS.some(([, { flag }]) => flag === each))) {
    return "limits";
  }
  return flags.some((each) => GUEST_FLAGS.includes(each))
    ? "grants"
    : "options";
}

/** What cliffy tells of an argument, as far as it is used here. */
interface RawArgument {
  readonly name: string;
  readonly description?: string | undefined;
  readonly optional?: boolean | undefined;
  readonly variadic?: boolean | undefined;
}

function argumentOf(
  { name, description = "", optional, variadic: isVariadic = false }:
    RawArgument,
): ArgumentInfo {
  const inner = isVariadic ? `${name}...` : name;
  const usage = optional ? `[${inner}]` : `<${inner}>`;
  return { name, description, usage, isVariadic };
}

/**
 * How a command is used.
 *
 * @param info The command.
 * @returns A line.
 */
export function usageOf(
  { path, arguments: args, commands }: CommandInfo,
): string {
  const own = args.map(({ usage }) => usage);
  const below = commands.length === 0
    ? []
    : [own.length === 0 ? "<command>" : "[command]"];
  return [path, "[options]", ...below, ...own].join(" ");
}

/**
 * How an option is written.
 *
 * @param option The option.
 * @returns Such as `-h, --help` or `--memory <size>`.
 */
export function flagsOf({ flags, value }: OptionInfo): string {
  return flags.join(", ") + (value === undefined ? "" : ` <${value}>`);
}
