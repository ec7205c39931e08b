/**
 * Stands in for `jsr:@cliffy/command` where JSR does not answer: the part of
 * its `Command` that our command line uses, over commander. Options and
 * arguments are not inferred, so it is used as `Command<any>`.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- no dependency of the package
import * as commander from "npm:commander@14.0.3";

/** The command line is wrong. */
export class ValidationError extends Error {
  /** The code to exit with. */
  readonly exitCode = 2;
}

/** Parses one value, of the flag or the argument of that name. */
export type TypeHandler = (
  argument: { name: string; value: string },
) => unknown;

/** Options of an option. */
export interface OptionOptions {
  /** Whether it may be given several times. */
  collect?: boolean;
}

/** An option, as it was defined. */
export interface Option {
  /** Its flags. */
  readonly flags: readonly string[];
  /** What it does. */
  readonly description: string;
  /** Its value: `<size:limit>`. */
  readonly typeDefinition?: string;
  /** Whether sub-commands have it too. */
  readonly global: boolean;
}

/** An argument, as it was defined. */
export interface Argument {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly description?: string;
  /** Whether it may be left out. */
  readonly optional: boolean;
  /** Whether there may be several. */
  readonly variadic: boolean;
}

/** An example of how a command is used. */
export interface Example {
  /** What it shows. */
  readonly name: string;
  /** What one types. */
  readonly description: string;
}

/** What a command does. */
// deno-lint-ignore no-explicit-any -- what `Command<any>` has in the original
export type Action = (this: any, options: any, ...args: any[]) => unknown;

/** A command, and all that is beneath it. */
export class Command<_ = unknown> {
  #parent: Command | undefined;
  #literalArgs: readonly string[] = [];
  readonly #commands: Command[] = [];
  readonly #options: Option[] = [];
  readonly #arguments: Argument[] = [];
  readonly #examples: Example[] = [];
  readonly #types = new Map<string, TypeHandler>([
    ["string", ({ value }) => value],
  ]);
  readonly #program = new commander.Command()
    .helpOption("-h, --help", "Show this help.")
    .helpCommand(false)
    .configureOutput({ writeErr: () => {} })
    .exitOverride()
    .allowExcessArguments();

  /** Sets the name. */
  name(name: string): this {
    this.#program.name(name);
    return this;
  }

  /** Sets the version, which adds the option `--version`. */
  version(version: string): this {
    this.#program.version(version);
    return this;
  }

  /** Sets the description; its first line is the short one. */
  description(description: string): this {
    this.#program.description(description);
    return this;
  }

  /** Adds an example to the help. */
  example(name: string, description: string): this {
    this.#examples.push({ name, description });
    return this;
  }

  /** Makes errors reject instead of ending the process, as they do here. */
  noExit(): this {
    return this;
  }

  /** Sets how the help looks, which here is always the same. */
  help(_options: { colors: boolean }): this {
    return this;
  }

  /** Registers a type of values; those that use it come after it. */
  type(name: string, handler: TypeHandler): this {
    this.#types.set(name, handler);
    return this;
  }

  /** Adds an option. */
  option(
    flags: string,
    description: string,
    { collect = false }: OptionOptions = {},
  ): this {
    return this.#option(flags, description, collect, false);
  }

  #option(
    flags: string,
    description: string,
    collect: boolean,
    global: boolean,
  ): this {
    const [flag = "", value] = flags.split(" ", 2);
    this.#options.push({
      flags: [flag],
      description,
      global,
      ...(value === undefined ? {} : { typeDefinition: value }),
    });
    if (value === undefined) {
      this.#program.option(flag, description);
      return this;
    }
    const [plain, parse] = this.#typed(value, flag);
    const add = (text: string, previous?: unknown) => {
      if (collect) return [...previous as unknown[] ?? [], parse(text)];
      if (previous === undefined) return parse(text);
      throw new ValidationError(
        `Option "${flag}" can only occur once, but was found several times.`,
      );
    };
    this.#program.option(`${flag} ${plain}`, description, add);
    return this;
  }

  /** Adds an option that sub-commands have too. */
  globalOption(flags: string, description: string): this {
    return this.#option(flags, description, false, true);
  }

  /** Defines all arguments at once. */
  arguments(definitions: string, descriptions: readonly string[] = []): this {
    for (const [index, definition] of definitions.split(" ").entries()) {
      const [plain, parse] = this.#typed(definition);
      const add = (text: string, previous: unknown[] = []) =>
        plain.includes("...") ? [...previous, parse(text)] : parse(text);
      this.#arguments.push({
        name: plain.replace(/\W/g, ""),
        description: descriptions[index] ?? "",
        optional: plain.startsWith("["),
        variadic: plain.includes("..."),
      });
      this.#program.argument(plain, descriptions[index] ?? "", add);
    }
    return this;
  }

  /** Sets what the command does. */
  action(action: Action): this {
    this.#program.action(async () => {
      const { args, processedArgs, registeredArguments } = this.#program;
      const rest = registeredArguments.at(-1)?.variadic;
      const excess = rest ? [] : args.slice(registeredArguments.length);
      if (excess.length > 0) {
        throw new ValidationError(`Too many arguments: ${excess.join(" ")}`);
      }
      const values = rest ? processedArgs.flat() : processedArgs;
      await action.call(this, this.#program.optsWithGlobals(), ...values);
    });
    return this;
  }

  /**
   * Adds a sub-command. In the original, definitions that follow without a
   * `reset` are its own.
   */
  command(name: string, command: Command): Pick<this, "command" | "reset"> {
    command.#parent = this;
    this.#commands.push(command.name(name));
    this.#program.addCommand(command.#program);
    return this;
  }

  /** Lets definitions go to this command again. */
  reset(): this {
    return this;
  }

  /** The name. */
  getName(): string {
    return this.#program.name();
  }

  /** The command at the top. */
  getMainCommand(): Command {
    return this.#parent?.getMainCommand() ?? this;
  }

  /** The sub-commands. */
  getCommands(): Command[] {
    return [...this.#commands];
  }

  /** What came after `--`. */
  getLiteralArgs(): string[] {
    return [...this.getMainCommand().#literalArgs];
  }

  /** The description. */
  getDescription(): string {
    return this.#program.description();
  }

  /** The options: those of the commands above it that are global, then its own. */
  getOptions(): Option[] {
    const above = this.#parent?.getOptions() ?? [];
    return [...above.filter((each) => each.global), ...this.#options];
  }

  /** The arguments. */
  getArguments(): Argument[] {
    return [...this.#arguments];
  }

  /** The examples. */
  getExamples(): Example[] {
    return [...this.#examples];
  }

  /**
   * Parses a command line and runs the command that it names.
   *
   * @param args The command line.
   * @throws {ValidationError} If the command line is wrong.
   */
  async parse(args: readonly string[]): Promise<void> {
    const end = args.includes("--") ? args.indexOf("--") : args.length;
    this.#literalArgs = args.slice(end + 1);
    try {
      await this.#program.parseAsync(args.slice(0, end), { from: "user" });
    } catch (error) {
      if (!(error instanceof commander.CommanderError)) throw error;
      if (error.exitCode !== 0) throw validationError(error);
    }
  }

  /** Splits `<name:type>` into what commander takes and what parses it. */
  #typed(
    definition: string,
    flag?: string,
  ): [plain: string, parse: (text: string) => unknown] {
    const [, name = "", type = ""] = /(\w+)\W*:(\w+)/.exec(definition) ?? [];
    const handler = this.#types.get(type);
    if (handler === undefined) throw new TypeError(`Unknown type "${type}"`);
    const plain = definition.replace(`:${type}`, "");
    return [plain, (value) => handler({ name: flag ?? name, value })];
  }
}

/** Says an error of commander in cliffy's words. */
function validationError(
  { code, message }: commander.CommanderError,
): ValidationError {
  const [, subject = ""] = /'(\S+?)[' ]/.exec(message) ?? [];
  const [, nearest] = /Did you mean (?:one of )?([\w-]+)/.exec(message) ?? [];
  const unknown = (kind: string) =>
    nearest === undefined
      ? `Unknown ${kind} "${subject}".`
      : `Unknown ${kind} "${subject}". Did you mean ${kind} "${nearest}"?`;
  const messages: Readonly<Record<string, string>> = {
    "commander.unknownOption": unknown("option"),
    "commander.unknownCommand": unknown("command"),
    "commander.missingArgument": `Missing argument(s): ${subject}`,
    "commander.optionMissingArgument": `Missing value for option "${subject}".`,
  };
  return new ValidationError(messages[code] ?? message);
}
