/** Strict reading of capabilities out of anything. */

import { nearest, quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";

/** What no name may hold: control characters and separators of lines. */
const UNNAMEABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** Longest list or record; a list that lies about its length ends there. */
const MAX_ITEMS = 4_096;

/** Longest text of any kind, in UTF-16 units. */
const MAX_TEXT = 131_072;

/** Longest name of a thing, in UTF-16 units. */
const MAX_NAME = 4_096;

/** Bounds of a whole number. */
export interface IntegerBounds {
  /** Smallest. */
  readonly min: number;
  /** Largest. */
  readonly max: number;
  /** What it is if it is left out; without it, it must be there. */
  readonly fallback?: number;
}

/**
 * A value of unknown origin and its place within a capability. Each property
 * is read once, only own enumerable ones are seen, and whatever a getter or a
 * proxy throws becomes an `invalid-capability`.
 */
export class Input {
  readonly #capability: string;
  readonly #path: string;
  readonly #value: unknown;

  /**
   * Wraps a value that is parsed as `capability`, found at `path`. A type that
   * is not known yet is `""`.
   */
  constructor(capability: string, value: unknown, path = "") {
    this.#capability = capability;
    this.#path = path;
    this.#value = value;
  }

  /** The value itself. */
  get value(): unknown {
    return this.#value;
  }

  /** Whether there is a value at all. */
  get given(): boolean {
    return this.#value !== undefined;
  }

  /** Whether it is text. */
  get isText(): boolean {
    return typeof this.#value === "string";
  }

  /** The error that tells what is wrong here: `must be a list`. */
  error(problem: string, cause?: unknown): SandboxError<"invalid-capability"> {
    const where = `${this.#path || "it"} ${problem}`;
    const capability = this.#capability === ""
      ? "a capability"
      : `the capability ${quote(this.#capability)}`;
    return new SandboxError(
      "invalid-capability",
      `Cannot use ${capability}: ${where}`,
      {
        details: {
          capability: this.#capability,
          problem: where,
          path: this.#path,
        },
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }

  /** Reads an object that has these properties, or some of them. */
  fields<K extends string>(keys: readonly K[]): Readonly<Record<K, Input>> {
    const values = new Map(this.#entries());
    for (const name of values.keys()) {
      if (keys.some((key) => key === name)) continue;
      const near = nearest(name, keys);
      const hint = near === undefined
        ? `known are ${keys.join(", ")}`
        : `did you mean ${quote(near)}?`;
      throw this.#at(name, undefined).error(`is not known (${hint})`);
    }
    return Object.fromEntries(
      keys.map((key) => [key, this.#at(key, values.get(key))]),
    ) as Record<K, Input>;
  }

  /** Reads an object that has any properties. */
  record<T>(
    read: (value: Input, name: string) => T,
  ): Readonly<Record<string, T>> {
    if (!this.given) return Object.freeze({});
    const entries = this.#entries().map(
      ([name, value]) => [name, read(this.#at(name, value), name)] as const,
    );
    return Object.freeze(Object.fromEntries(entries));
  }

  /** Reads a list. */
  list<T>(read: (item: Input) => T, minItems = 0): readonly T[] {
    const items: T[] = [];
    for (const [index, value] of this.#items().entries()) {
      const path = `${this.#path}[${index}]`;
      items.push(read(new Input(this.#capability, value, path)));
    }
    if (items.length < minItems) {
      throw this.error(`must have at least ${minItems} item`);
    }
    return Object.freeze(items);
  }

  /** Reads a list of names, or nothing, without doubles. */
  names(minItems = 0): readonly string[] {
    if (!this.given && minItems === 0) return Object.freeze([]);
    const seen = new Set<string>();
    return this.list((item) => {
      const name = item.name();
      if (seen.has(name)) throw item.error(`has ${quote(name)} a second time`);
      seen.add(name);
      return name;
    }, minItems);
  }

  /** Reads text: no lone surrogates and no NUL, which systems cut or change. */
  text(): string {
    const value = this.#value;
    if (typeof value !== "string") throw this.#wrong("text");
    if (value.length > MAX_TEXT) {
      throw this.error(`must have at most ${MAX_TEXT} characters`);
    }
    if (!value.isWellFormed()) throw this.error("must be well-formed Unicode");
    if (value.includes("\0")) throw this.error("must not hold a NUL");
    return value;
  }

  /** Reads the name of something; wildcards are refused, as they mean nothing. */
  name(): string {
    const value = this.text();
    if (value === "") throw this.error("must not be empty");
    if (value.length > MAX_NAME) {
      throw this.error(`must have at most ${MAX_NAME} characters`);
    }
    if (UNNAMEABLE.test(value)) {
      throw this.error(`must not hold control characters: ${quote(value)}`);
    }
    if (value.includes("*")) {
      throw this.error(`must not hold a wildcard: ${quote(value)}`);
    }
    return value;
  }

  /** Reads yes or no. */
  boolean(fallback: boolean): boolean {
    if (!this.given) return fallback;
    if (typeof this.#value !== "boolean") throw this.#wrong("true or false");
    return this.#value;
  }

  /** Reads a whole number. */
  integer({ min, max, fallback }: IntegerBounds): number {
    const value = this.given ? this.#value : fallback;
    if (
      typeof value !== "number" || !Number.isSafeInteger(value) ||
      value < min || value > max
    ) {
      throw this.#wrong(`a whole number from ${min} to ${max}`);
    }
    return value;
  }

  /** Reads one of a few words. */
  choice<T extends string>(choices: readonly T[], fallback?: T): T {
    const value = this.given ? this.#value : fallback;
    const choice = choices.find((each) => each === value);
    if (choice === undefined) {
      throw this.#wrong(choices.map(quote).join(" or "));
    }
    return choice;
  }

  #wrong(expected: string): SandboxError {
    return this.given
      ? this.error(`must be ${expected}, not ${shown(this.#value)}`)
      : this.error(`must be given: ${expected}`);
  }

  #at(name: string, value: unknown): Input {
    const step = /^[A-Za-z_]\w*$/.test(name) ? name : `[${quote(name)}]`;
    const dot = this.#path === "" || step !== name ? "" : ".";
    return new Input(this.#capability, value, this.#path + dot + step);
  }

  #entries(): [string, unknown][] {
    const value = this.#value;
    return this.#guarded(() => {
      if (!isPlainObject(value)) throw this.#wrong("an object");
      const names = Object.keys(value);
      if (Object.getOwnPropertySymbols(value).length > 0) {
        throw this.error("must not have symbols for names");
      }
      if (names.length > MAX_ITEMS) {
        throw this.error(`must have at most ${MAX_ITEMS} properties`);
      }
      return names.map((name) => [name, value[name]]);
    });
  }

  #items(): unknown[] {
    const value = this.#value;
    return this.#guarded(() => {
      if (!Array.isArray(value)) throw this.#wrong("a list");
      const length = value.length;
      if (length > MAX_ITEMS) {
        throw this.error(`must have at most ${MAX_ITEMS} items`);
      }
      return Array.from(
        { length },
        (_, index) => Object.hasOwn(value, index) ? value[index] : undefined,
      );
    });
  }

  #guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (SandboxError.is(error)) throw error;
      throw this.error("cannot be read", error);
    }
  }
}

/** Reads a capability: an object of that type, with these properties besides. */
export function readCapability<K extends string>(
  type: string,
  input: unknown,
  keys: readonly K[],
): Readonly<Record<K | "type", Input>> {
  const fields = new Input(type, input).fields<K | "type">(["type", ...keys]);
  fields.type.choice([type]);
  return fields;
}

/**
 * Whether a value is an object that could have come out of JSON, of whichever
 * realm. What is inherited is never read, so an odd prototype may say nothing.
 */
export function isPlainObject(
  value: unknown,
): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Never asks the value for anything: it may be a proxy. */
function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "null" : "what it is";
    default:
      return `a ${typeof value}`;
  }
}
