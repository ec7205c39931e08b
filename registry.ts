/**
 * Named factories: how an extension point is looked up by name.
 *
 * @module
 */

import { nearest, quote } from "./_text.ts";
import { SandboxError } from "./errors.ts";

/**
 * Makes one instance. May be asynchronous, so that a heavy dependency is
 * imported only when it is used.
 *
 * @typeParam T What is made.
 * @typeParam O The options it is made from.
 */
export type Factory<T, O> = (options: O) => T | Promise<T>;

/** Options of {@linkcode Registry.prototype.register}. */
export interface RegisterOptions {
  /**
   * Replace an existing entry instead of throwing.
   *
   * @default {false}
   */
  override?: boolean;
}

/**
 * A table of named factories. Each registry is its own: nothing is shared
 * between two of them.
 *
 * @example Usage
 * ```ts
 * import { Registry } from "@wasm-sandbox/core";
 * import { assertEquals } from "@std/assert";
 *
 * const greetings = new Registry<string>("greeting")
 *   .register("english", () => "hello")
 *   .register("french", () => "bonjour");
 * assertEquals(await greetings.create("french"), "bonjour");
 * assertEquals([...greetings], ["english", "french"]);
 * ```
 *
 * @typeParam T What the factories make.
 * @typeParam O The options they make it from.
 */
export class Registry<T, O = void> implements Iterable<string> {
  readonly #factories: Map<string, Factory<T, O>> = new Map();
  /** What is registered here, for messages: `"runtime"`, `"channel"`. */
  readonly kind: string;

  /**
   * Constructs an empty registry.
   *
   * @param kind What is registered, in the singular.
   */
  constructor(kind: string) {
    this.kind = kind;
  }

  /**
   * Registers a factory.
   *
   * @param name The name that {@linkcode Registry.prototype.create} takes.
   * @param factory Makes one instance.
   * @param options Whether an existing entry may be replaced.
   * @returns This registry, to chain.
   * @throws {TypeError} If the name is empty or taken.
   */
  register(
    name: string,
    factory: Factory<T, O>,
    options: RegisterOptions = {},
  ): this {
    if (typeof name !== "string" || name === "") {
      throw new TypeError(
        `Cannot register ${this.kind}: the name must be a non-empty string`,
      );
    }
    if (typeof factory !== "function") {
      throw new TypeError(
        `Cannot register ${this.kind} ${
          quote(name)
        }: the factory must be a function`,
      );
    }
    if (this.#factories.has(name) && !options.override) {
      throw new TypeError(
        `Cannot register ${this.kind} ${quote(name)}: the name is taken ` +
          "(pass { override: true } to replace it)",
      );
    }
    this.#factories.set(name, factory);
    return this;
  }

  /**
   * Whether a name is registered.
   *
   * @param name Any name.
   * @returns Whether {@linkcode Registry.prototype.create} knows it.
   */
  has(name: string): boolean {
    return this.#factories.has(name);
  }

  /**
   * Makes an instance by name.
   *
   * @param name A registered name.
   * @param options Handed to the factory.
   * @returns The new instance.
   * @throws {SandboxError} With code `unknown-name`.
   */
  async create(name: string, options: O): Promise<T> {
    const factory = this.#factories.get(name);
    if (factory === undefined) throw this.#unknown(name);
    return await factory(options);
  }

  /**
   * Iterates over the registered names, in order of registration.
   *
   * @returns An iterator over the names.
   */
  [Symbol.iterator](): IterableIterator<string> {
    return this.#factories.keys();
  }

  #unknown(name: string): SandboxError<"unknown-name"> {
    const suggestion = nearest(name, this.#factories.keys());
    const known = [...this].map(quote).join(", ") || "none";
    const hint = suggestion === undefined
      ? `known are: ${known}`
      : `did you mean ${quote(suggestion)}?`;
    return new SandboxError(
      "unknown-name",
      `Cannot create ${this.kind} ${
        quote(name)
      }: no such name is registered (${hint})`,
      {
        details: {
          kind: this.kind,
          name,
          ...(suggestion === undefined ? {} : { suggestion }),
        },
      },
    );
  }
}
