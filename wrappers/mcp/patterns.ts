/**
 * Regular expressions of schemas, in time linear in the text: the engine of the
 * platform may take longer than the universe for an expression of ten characters,
 * and a guest may have chosen it.
 */

import type { RE2JS } from "re2js";
import { quote, reasonOf } from "../../_text.ts";

/** Longest expression, in UTF-16 units. */
const MAX_PATTERN = 1_024;

/** Most states of one. */
const MAX_STATES = 2_000;

/** Most states of all of one schema: they take time and memory to make. */
const MAX_ALL_STATES = 8_000;

/** Most steps for all texts of one check; a second of a slow machine, about. */
const MAX_STEPS = 2e8;

/** What a schema's validator asks of an expression. */
export interface Pattern {
  test(text: string): boolean;
}

/** Thrown when a check would take too long. */
export class TooCostly extends Error {}

/** Compiled expressions of one schema, with the steps that a check has left. */
export class Patterns {
  readonly #compiled = new Map<string, Pattern>();
  #left = MAX_STEPS;
  #states = 0;

  /**
   * Compiles expressions.
   *
   * @param patterns The expressions.
   * @returns What knows them.
   * @throws {TypeError} If one cannot be had in linear time.
   */
  static async compile(patterns: ReadonlySet<string>): Promise<Patterns> {
    const compiled = new Patterns();
    if (patterns.size === 0) return compiled;
    const { RE2JS } = await import("re2js");
    for (const pattern of patterns) {
      compiled.#compiled.set(pattern, compiled.#compile(pattern, RE2JS));
      if (compiled.#states > MAX_ALL_STATES) {
        throw new TypeError(
          `its patterns have more than ${MAX_ALL_STATES} states together`,
        );
      }
    }
    return compiled;
  }

  /** An expression that was compiled. */
  get(pattern: string): Pattern {
    const compiled = this.#compiled.get(pattern);
    if (compiled !== undefined) return compiled;
    throw new TypeError(`the pattern ${quote(pattern)} was not looked over`);
  }

  /** Begins another check. */
  begin(): void {
    this.#left = MAX_STEPS;
  }

  #compile(pattern: string, engine: typeof RE2JS): Pattern {
    if (pattern.length > MAX_PATTERN) {
      throw new TypeError(
        `the pattern ${
          quote(pattern)
        } is longer than ${MAX_PATTERN} characters`,
      );
    }
    const expression = compileWith(engine, pattern);
    const states = expression.programSize();
    if (states > MAX_STATES) {
      throw new TypeError(
        `the pattern ${quote(pattern)} has more than ${MAX_STATES} states`,
      );
    }
    this.#states += states;
    return {
      test: (text) => {
        this.#left -= states * (text.length + 1);
        if (this.#left < 0) throw new TooCostly();
        return expression.test(text);
      },
    };
  }
}

function compileWith(engine: typeof RE2JS, pattern: string): RE2JS {
  try {
    return engine.compile(engine.translateRegExp(pattern));
  } catch (cause) {
    throw new TypeError(
      `the pattern ${quote(pattern)} is none of those that run in linear ` +
        `time: ${reasonOf(cause)}`,
      { cause },
    );
  }
}
