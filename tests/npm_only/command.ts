// deno-lint-ignore-file no-explicit-any -- `any` switches inference off, as in the original
/**
 * Stands in for `jsr:@cliffy/command` where JSR does not answer: the part of
 * its `Command` that our command line uses, over commander.
 *
 * @module
 */

import type {
  ArgumentsOf,
  InferType,
  Maybe,
  Merge,
  OptionOf,
  OptionValue,
  TypeOrTypeHandler,
} from "./_command_types.ts";
import { validationError } from "./_command_errors.ts";
import { buildProgram, type Definition, helpOf } from "./_command_program.ts";
import { ValidationError } from "./_command_values.ts";

export {
  type ArgumentValue,
  Type,
  type TypeHandler,
} from "./_command_types.ts";
export {
  EnumType,
  ValidationError,
  type ValidationErrorOptions,
} from "./_command_values.ts";

/** Options of an option. */
export interface OptionOptions<Required, Default, Collect, Value, Mapped> {
  /** The value where none is given, or what yields it. */
  default?: Default | (() => Default);
  /** What the help shows in its place. */
  defaultText?: string | ((value: Default) => string);
  /** Whether it must be given. */
  required?: Required;
  /** Whether it may be given several times. */
  collect?: Collect;
  /** Whether the help leaves it out. */
  hidden?: boolean;
  /** Whether sub-commands have it too. */
  global?: boolean;
  /** Names of options that exclude it. */
  conflicts?: string[];
  /** Maps the parsed value. */
  value?: (value: Value, previous?: Mapped) => Mapped;
}

/** What {@linkcode Command.prototype.parse} yields. */
export interface CommandResult<O, A> {
  /** The options. */
  options: O;
  /** The arguments. */
  args: A;
  /** What came after `--`. */
  literal: string[];
  /** The command that ran. */
  cmd: Command<any>;
}

type Off<P, T> = P extends number ? any : T;

/** A command, and all that is beneath it. */
export class Command<
  PG extends Maybe = void,
  PT extends Maybe = Off<PG, void>,
  O extends Maybe = Off<PG, void>,
  A extends unknown[] = Off<PG, []>,
  G extends Maybe = Off<PG, void>,
  T extends Maybe = Off<PG, void>,
  GT extends Maybe = Off<PG, void>,
  P extends Command<any> | undefined = Off<PG, undefined>,
> {
  /** Definitions go to the sub-command that was added last. */
  #at: Command<any> = this;
  #parent: Command<any> | undefined;
  #exits: boolean | undefined;
  #throws = false;
  #action: ((this: any, ...args: any[]) => unknown) | undefined;
  #rawArgs: string[] = [];
  #literalArgs: string[] = [];
  #result: CommandResult<any, any> | undefined;
  readonly #commands = new Map<string, Command<any>>();
  readonly #definition: Definition = {
    name: "COMMAND",
    description: "",
    version: undefined,
    isHidden: false,
    arguments: [],
    aliases: [],
    options: [],
    meta: new Map(),
    examples: new Map(),
    commands: [],
    types: new Map(),
    run: (options, args) => this.#run(options, args),
  };

  /** Sets the name. */
  name(name: string): this {
    this.#at.#definition.name = name;
    return this;
  }

  /** Sets the version, which adds the option `--version`. */
  version(version: string): this {
    this.#at.#definition.version = version;
    return this;
  }

  /** Sets the description; its first line is the short one. */
  description(description: string): this {
    this.#at.#definition.description = description;
    return this;
  }

  /** Adds a line to the long version and to the help. */
  meta(name: string, value: string): this {
    this.#at.#definition.meta.set(name, value);
    return this;
  }

  /** Adds an example to the help. */
  example(name: string, description: string): this {
    this.#at.#definition.examples.set(name, description);
    return this;
  }

  /** Adds another name. */
  alias(alias: string): this {
    this.#at.#definition.aliases.push(alias);
    return this;
  }

  /** Leaves the command out of the help. */
  hidden(): this {
    this.#at.#definition.isHidden = true;
    return this;
  }

  /** Makes errors reject instead of ending the process. */
  throwErrors(): this {
    this.#at.#throws = true;
    return this;
  }

  /** As `throwErrors`, and lets the process live on after the help. */
  noExit(): this {
    this.#at.#exits = false;
    return this.throwErrors();
  }

  /** Sets how the help looks, which here is always the same. */
  help(_options: Record<string, unknown>): this {
    return this;
  }

  /** Adds a completion, of which there is none here. */
  complete(
    _name: string,
    _complete: (...args: any[]) => unknown,
    _options?: Record<string, unknown>,
  ): this {
    return this;
  }

  /** Adds a completion, of which there is none here. */
  globalComplete(
    name: string,
    complete: (...args: any[]) => unknown,
    options?: Record<string, unknown>,
  ): this {
    return this.complete(name, complete, options);
  }

  /** Registers a type of values. */
  type<H extends TypeOrTypeHandler<unknown>, N extends string = string>(
    name: N,
    handler: H,
  ): Command<PG, PT, O, A, G, Merge<T, { [K in N]: InferType<H> }>, GT, P> {
    this.#at.#definition.types.set(name, handler);
    return this as Command<any>;
  }

  /** Registers a type of values for sub-commands too, as all types are here. */
  globalType<H extends TypeOrTypeHandler<unknown>, N extends string = string>(
    name: N,
    handler: H,
  ): Command<PG, PT, O, A, G, T, Merge<GT, { [K in N]: InferType<H> }>, P> {
    this.#at.#definition.types.set(name, handler);
    return this as Command<any>;
  }

  /** Adds an option. */
  option<
    F extends string,
    R extends boolean | undefined = undefined,
    C extends boolean | undefined = undefined,
    const D = undefined,
    M = undefined,
  >(
    flags: F,
    description: string,
    options:
      | OptionOptions<R, D, C, OptionValue<F, Merge<PT, Merge<GT, T>>>, M>
      | ((
        value: OptionValue<F, Merge<PT, Merge<GT, T>>>,
        previous?: M,
      ) => M) = {},
  ): Command<
    PG,
    PT,
    Merge<O, OptionOf<F, Merge<PT, Merge<GT, T>>, R, D, C, M>>,
    A,
    G,
    T,
    GT,
    P
  > {
    this.#at.#definition.options.push({
      flags,
      description,
      ...(typeof options === "function" ? { value: options } : options),
    });
    return this as Command<any>;
  }

  /** Adds an option that sub-commands have too. */
  globalOption<
    F extends string,
    R extends boolean | undefined = undefined,
    C extends boolean | undefined = undefined,
    const D = undefined,
    M = undefined,
  >(
    flags: F,
    description: string,
    options: OptionOptions<
      R,
      D,
      C,
      OptionValue<F, Merge<PT, Merge<GT, T>>>,
      M
    > = {},
  ): Command<
    PG,
    PT,
    O,
    A,
    Merge<G, OptionOf<F, Merge<PT, Merge<GT, T>>, R, D, C, M>>,
    T,
    GT,
    P
  > {
    this.#at.#definition.options.push({
      flags,
      description,
      ...options,
      global: true,
    });
    return this as Command<any>;
  }

  /** Defines all arguments at once. */
  arguments<D extends string>(
    definition: D,
    descriptions: string[] = [],
  ): Command<PG, PT, O, ArgumentsOf<D, Merge<PT, Merge<GT, T>>>, G, T, GT, P> {
    this.#at.#definition.arguments = definition.split(" ").map((
      definition,
      index,
    ) => ({
      definition,
      description: descriptions[index],
    }));
    return this as Command<any>;
  }

  /** Adds one argument. */
  argument<D extends string>(
    definition: D,
    description: string,
  ): Command<
    PG,
    PT,
    O,
    [...A, ...ArgumentsOf<D, Merge<PT, Merge<GT, T>>>],
    G,
    T,
    GT,
    P
  > {
    this.#at.#definition.arguments.push({ definition, description });
    return this as Command<any>;
  }

  /** Sets what the command does. */
  action(
    action: (
      this: Command<PG, PT, O, A, G, T, GT, P>,
      options: Merge<Merge<PG, G>, O> extends infer M
        ? [M] extends [void] ? Record<never, never> : M
        : never,
      ...args: A
    ) => unknown,
  ): this {
    this.#at.#action = action;
    return this;
  }

  /** Adds a sub-command; definitions after it are its own. */
  command(name: string, command: Command<any>): Command<any>;
  /** Adds a sub-command by its name and arguments. */
  command<D extends string>(
    nameAndArguments: D,
    description?: string,
  ): Command<
    Merge<PG, G>,
    Merge<PT, GT>,
    void,
    D extends `${string} ${infer Rest}` ? ArgumentsOf<Rest, Merge<PT, GT>> : [],
    void,
    void,
    void,
    Command<any>
  >;
  command(
    nameAndArguments: string,
    commandOrDescription: Command<any> | string = "",
  ): Command<any> {
    const [name = "", ...definition] = nameAndArguments.split(" ");
    const command = typeof commandOrDescription === "string"
      ? new Command<any>().description(commandOrDescription)
      : commandOrDescription.reset();
    if (definition.length > 0) command.arguments(definition.join(" "));
    this.#commands.set(name, command.name(name));
    this.#definition.commands.push(command.#definition);
    command.#parent = this;
    this.#at = command;
    return this as Command<any>;
  }

  /** Lets definitions go to this command again. */
  reset(): this {
    this.#at = this;
    return this;
  }

  /** The name. */
  getName(): string {
    return this.#definition.name;
  }

  /** The names of this command and of all above it. */
  getPath(): string {
    return this.#parent === undefined
      ? this.#definition.name
      : `${this.#parent.getPath()} ${this.#definition.name}`;
  }

  /** The description. */
  getDescription(): string {
    return this.#definition.description;
  }

  /** The version of this command or of the nearest above that has one. */
  getVersion(): string | undefined {
    return this.#definition.version ?? this.#parent?.getVersion();
  }

  /** The command at the top. */
  getMainCommand(): Command<any> {
    return this.#parent?.getMainCommand() ?? this;
  }

  /** The sub-commands. */
  getCommands(): Command<any>[] {
    return [...this.#commands.values()].filter((command) =>
      !command.#definition.isHidden
    );
  }

  /** What was given, as it was written. */
  getRawArgs(): string[] {
    return this.getMainCommand().#rawArgs;
  }

  /** What came after `--`. */
  getLiteralArgs(): string[] {
    return this.getMainCommand().#literalArgs;
  }

  /** The help. */
  getHelp(_options?: Record<string, unknown>): string {
    return helpOf(this.#definition, this.getMainCommand().#definition);
  }

  /** Prints the help. */
  showHelp(options?: Record<string, unknown>): void {
    // deno-lint-ignore no-console -- as the original
    console.log(this.getHelp(options));
  }

  /**
   * Parses a command line and runs the command that it names.
   *
   * @param args The command line, this process's own by default.
   * @returns What was parsed.
   * @throws {ValidationError} If the command line is wrong.
   */
  async parse(
    args: string[] = Deno.args,
  ): Promise<CommandResult<Merge<Merge<PG, G>, O>, A>> {
    const end = args.includes("--") ? args.indexOf("--") : args.length;
    this.#rawArgs = args;
    this.#literalArgs = args.slice(end + 1);
    this.#result = undefined;
    const program = buildProgram(this.#definition);
    try {
      await program.parseAsync(args.slice(0, end), { from: "user" });
    } catch (error) {
      this.#fail(validationError(error));
    }
    return this.#result ?? {
      options: {} as Merge<Merge<PG, G>, O>,
      args: [] as unknown[] as A,
      literal: this.#literalArgs,
      cmd: this,
    };
  }

  async #run(options: unknown, args: readonly unknown[]): Promise<void> {
    const main = this.getMainCommand();
    const values = await Promise.all(args);
    main.#result = {
      options,
      args: values,
      literal: main.#literalArgs,
      cmd: this,
    };
    if (this.#action !== undefined) {
      await this.#action(options, ...values);
    } else if (this.#commands.size > 0) {
      this.showHelp();
      if (this.#doesExit()) Deno.exit(0);
    }
  }

  #fail(error: unknown): void {
    if (error === undefined) {
      if (this.#doesExit()) Deno.exit(0);
      return;
    }
    if (this.#throws || !(error instanceof ValidationError)) throw error;
    this.showHelp();
    // deno-lint-ignore no-console -- as the original
    console.error(`  error: ${error.message}\n`);
    Deno.exit(error.exitCode);
  }

  #doesExit(): boolean {
    if (this.#exits !== undefined || this.#parent === undefined) {
      return this.#exits ?? true;
    }
    return this.#parent.#doesExit();
  }
}
