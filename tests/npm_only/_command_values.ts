/**
 * How the stand-in of cliffy reads definitions and parses values.
 *
 * @module
 */

import {
  type ArgumentValue,
  Type,
  type TypeOrTypeHandler,
} from "./_command_types.ts";

/** Options of {@linkcode ValidationError}. */
export interface ValidationErrorOptions extends ErrorOptions {
  /** The code to exit with. @default {2} */
  exitCode?: number;
}

/** The command line is wrong. */
export class ValidationError extends Error {
  /** The code to exit with. */
  readonly exitCode: number;

  /**
   * Constructs a new instance.
   *
   * @param message What is wrong.
   * @param options The exit code and the cause.
   */
  constructor(
    message: string,
    { exitCode = 2, cause }: ValidationErrorOptions = {},
  ) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** A type of a few known values. */
export class EnumType<const T extends string | number | boolean>
  extends Type<T> {
  readonly #allowed: readonly T[];

  /**
   * Constructs a new instance.
   *
   * @param values The values, or an object that holds them.
   */
  constructor(values: readonly T[] | Record<string, T>) {
    super();
    this.#allowed = Object.values<T>(values);
  }

  /**
   * Parses one value.
   *
   * @param value What was written.
   * @returns The value meant.
   */
  override parse(value: ArgumentValue): T {
    for (const allowed of this.#allowed) {
      if (`${allowed}` === value.value) return allowed;
    }
    throw invalid(value, this.#allowed);
  }

  /**
   * Lists the values.
   *
   * @returns All of them.
   */
  values(): T[] {
    return [...this.#allowed];
  }
}

/** One `<name:type>` of a definition. */
export interface Placeholder {
  /** Its name. */
  readonly name: string;
  /** The name of its type. */
  readonly type: string;
  /** Whether its value is a list that commas part. */
  readonly list: boolean;
  /** How the engine beneath spells it. */
  readonly plain: string;
}

/**
 * Reads one placeholder.
 *
 * @param definition It, such as `<name:type[]>` or `[name...:type]`.
 * @returns Its parts.
 */
export function placeholder(definition: string): Placeholder {
  const [label = "", type = "string"] = definition.slice(1, -1).split(":");
  const name = label.replaceAll("...", "");
  const rest = name === label ? "" : "...";
  return {
    name,
    type: type.replace(/\[\]$/, ""),
    list: type.endsWith("[]"),
    plain: `${definition[0]}${name}${rest}${definition.at(-1)}`,
  };
}

/**
 * Parses one value.
 *
 * @param text What was written.
 * @param at What it was written for.
 * @param types The registered types.
 * @returns The value, or a list of them.
 */
export function parseValue(
  text: string,
  at: Placeholder & { readonly label: string },
  types: ReadonlyMap<string, TypeOrTypeHandler<unknown>>,
): unknown {
  const handler = types.get(at.type) ?? BUILT_IN[at.type];
  if (handler === undefined) throw new Error(`Unknown type "${at.type}".`);
  const one = (value: string) => {
    const { label, name, type } = at;
    const argument = { label, name, type, value };
    return handler instanceof Type
      ? handler.parse(argument)
      : handler(argument);
  };
  return at.list ? text.split(",").map(one) : one(text);
}

const BUILT_IN: Readonly<Record<string, TypeOrTypeHandler<unknown>>> = {
  string: ({ value }) => value,
  file: ({ value }) => value,
  secret: ({ value }) => value,
  number: (at) => {
    const value = Number(at.value);
    if (at.value !== "" && Number.isFinite(value)) return value;
    throw invalid(at);
  },
  integer: (at) => {
    const value = Number(at.value);
    if (Number.isInteger(value)) return value;
    throw invalid(at);
  },
  boolean: (at) => {
    if (["1", "true"].includes(at.value)) return true;
    if (["0", "false"].includes(at.value)) return false;
    throw invalid(at, ["true", "false", "1", "0"]);
  },
};

function invalid(
  { label, name, type, value }: ArgumentValue,
  expected: readonly unknown[] = [],
): ValidationError {
  const hint = expected.length === 0
    ? ""
    : ` Expected values: ${expected.map((it) => `"${it}"`).join(", ")}`;
  return new ValidationError(
    `${label} "${name}" must be of type "${type}", but got "${value}".${hint}`,
  );
}
