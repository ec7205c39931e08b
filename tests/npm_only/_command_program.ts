/**
 * Builds a program of commander from what the stand-in of cliffy collected,
 * and runs it.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- no dependency of the package
import * as commander from "npm:commander@14.0.3";
import type { TypeOrTypeHandler } from "./_command_types.ts";
import { parseValue, placeholder, ValidationError } from "./_command_values.ts";

/** An option, as it was defined. */
export interface OptionDefinition {
  /** Its flags and its placeholder. */
  readonly flags: string;
  /** What the help says. */
  readonly description: string;
  /** The value where none is given, or what yields it. */
  readonly default?: unknown;
  /** Whether it must be given. */
  readonly required?: boolean | undefined;
  /** Whether it may be given several times. */
  readonly collect?: boolean | undefined;
  /** Whether the help leaves it out. */
  readonly hidden?: boolean;
  /** Whether sub-commands have it too. */
  readonly global?: boolean;
  /** Names of options that exclude it. */
  readonly conflicts?: readonly string[];
  /** Maps the parsed value. */
  readonly value?: (value: never, previous?: never) => unknown;
}

/** An argument, as it was defined. */
export interface ArgumentDefinition {
  /** Its placeholder. */
  readonly definition: string;
  /** What the help says. */
  readonly description?: string | undefined;
}

/** A command, as it was defined. */
export interface Definition {
  /** Its name. */
  name: string;
  /** What the help says. */
  description: string;
  /** Its version. */
  version: string | undefined;
  /** Whether the help leaves it out. */
  isHidden: boolean;
  /** Its arguments. */
  arguments: ArgumentDefinition[];
  /** Its other names. */
  readonly aliases: string[];
  /** Its options. */
  readonly options: OptionDefinition[];
  /** Lines of the help by name. */
  readonly meta: Map<string, string>;
  /** Examples by name. */
  readonly examples: Map<string, string>;
  /** Its sub-commands. */
  readonly commands: Definition[];
  /** Its types by name. */
  readonly types: Map<string, TypeOrTypeHandler<unknown>>;
  /** Runs it. */
  readonly run: (options: unknown, args: readonly unknown[]) => Promise<void>;
}

type Types = ReadonlyMap<string, TypeOrTypeHandler<unknown>>;

/** What a command takes over from those above it. */
interface Inherited {
  readonly options: readonly OptionDefinition[];
  readonly types: Types;
  /** The programs above, topmost first. */
  readonly programs: readonly commander.Command[];
}

const NOTHING: Inherited = { options: [], types: new Map(), programs: [] };

/**
 * Builds the program of a command and of all beneath it.
 *
 * @param top The topmost command.
 * @returns Its program.
 */
export function buildProgram(top: Definition): commander.Command {
  return build(top, new Map(), NOTHING);
}

/**
 * Writes the help of a command.
 *
 * @param definition The command.
 * @param top The topmost command above it.
 * @returns The text.
 */
export function helpOf(definition: Definition, top: Definition): string {
  const programs = new Map<Definition, commander.Command>();
  build(top, programs, NOTHING);
  return programs.get(definition)?.helpInformation() ?? "";
}

function build(
  definition: Definition,
  programs: Map<Definition, commander.Command>,
  inherited: Inherited,
): commander.Command {
  const program = plainProgram(definition);
  programs.set(definition, program);
  const types = new Map([...inherited.types, ...definition.types]);
  const options = [...inherited.options, ...definition.options];
  for (const option of options) program.addOption(buildOption(option, types));
  for (const argument of definition.arguments) {
    program.addArgument(buildArgument(argument, types));
  }
  const chain = [...inherited.programs, program];
  program.action(async () => {
    await definition.run(optionsOf(chain), argumentsOf(program, definition));
  });
  for (const command of definition.commands) {
    const child = build(command, programs, {
      options: options.filter((option) => option.global),
      types,
      programs: chain,
    });
    program.addCommand(child, { hidden: command.isHidden });
  }
  return program;
}

function plainProgram(definition: Definition): commander.Command {
  const program = new commander.Command(definition.name)
    .description(definition.description)
    .summary(definition.description.split("\n", 1)[0] ?? "")
    .aliases(definition.aliases)
    .helpOption("-h, --help", "Show this help.")
    .enablePositionalOptions()
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({
      // deno-lint-ignore no-console -- as the original
      writeOut: (text) => console.log(text.trimEnd()),
      writeErr: () => {},
    });
  if (definition.version !== undefined) {
    program.version(definition.version, "-V, --version");
  }
  const help = program.helpInformation.bind(program);
  program.helpInformation = (context) =>
    [help(context), ...definition.meta, ...definition.examples]
      .map((part) => typeof part === "string" ? part : part.join(": "))
      .join("\n");
  return program;
}

function buildOption(
  definition: OptionDefinition,
  types: Types,
): commander.Option {
  const { flags, description, collect = false, value } = definition;
  const [, names = flags, written] = /^(.*?)[ =]*([<[].*)?$/.exec(flags) ?? [];
  const at = written === undefined ? undefined : placeholder(written);
  const option = new commander.Option(
    at === undefined ? names : `${names} ${at.plain}`,
    description,
  );
  if (at !== undefined || value !== undefined) {
    let previous: unknown;
    let isFirst = true;
    const name = option.long ?? option.short ?? names;
    option.argParser((text: string) => {
      if (!isFirst && !collect && value === undefined && !option.variadic) {
        throw new ValidationError(
          `Option "${name}" can only occur once, but was found several times.`,
        );
      }
      isFirst = false;
      const parsed = at === undefined
        ? true
        : parseValue(text, { ...at, label: "Option", name }, types);
      previous = value !== undefined
        ? value(parsed as never, previous as never)
        : collect || option.variadic
        ? [...(previous as unknown[] | undefined ?? []), parsed]
        : parsed;
      return previous;
    });
  }
  const { default: initial } = definition;
  if (initial !== undefined) {
    option.default(typeof initial === "function" ? initial() : initial);
  }
  return option
    .makeOptionMandatory(definition.required ?? false)
    .hideHelp(definition.hidden ?? false)
    .conflicts([...definition.conflicts ?? []]);
}

function buildArgument(
  { definition, description }: ArgumentDefinition,
  types: Types,
): commander.Argument {
  const at = placeholder(definition);
  const argument = new commander.Argument(at.plain, description);
  return argument.argParser((text: string, previous: unknown) => {
    const value = parseValue(text, { ...at, label: "Argument" }, types);
    return argument.variadic
      ? [...(previous as unknown[] | undefined ?? []), value]
      : value;
  });
}

function argumentsOf(
  program: commander.Command,
  definition: Definition,
): unknown[] {
  const last = program.registeredArguments.at(-1);
  if (last?.variadic) {
    return [
      ...program.processedArgs.slice(0, -1),
      ...program.processedArgs.at(-1),
    ];
  }
  const excess = program.args.slice(program.registeredArguments.length);
  if (excess.length === 0) {
    return program.processedArgs.filter((value) => value !== undefined);
  }
  if (program.registeredArguments.length > 0) {
    throw new ValidationError(`Too many arguments: ${excess.join(" ")}`);
  }
  if (definition.commands.length === 0) {
    throw new ValidationError(
      `No arguments allowed for command "${pathOf(program)}".`,
    );
  }
  // Undeclared, but it knows how to suggest a command.
  return (program as commander.Command & { unknownCommand(): never })
    .unknownCommand();
}

function pathOf(program: commander.Command): string {
  return program.parent === null
    ? program.name()
    : `${pathOf(program.parent)} ${program.name()}`;
}

/** The options of a command, and the global ones that came before its name. */
function optionsOf(
  chain: readonly commander.Command[],
): Record<string, unknown> {
  const own = chain.at(-1);
  const options: Record<string, unknown> = { ...own?.opts() };
  for (const above of chain.slice(0, -1)) {
    for (const [name, value] of Object.entries(above.opts())) {
      const isKnown = own?.options.some((it) => it.attributeName() === name);
      const wasGiven = own?.getOptionValueSource(name) === "cli";
      if (isKnown && !wasGiven && above.getOptionValueSource(name) === "cli") {
        options[name] = value;
      }
    }
  }
  return options;
}
