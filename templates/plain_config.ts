/** What a config has to be before its schema is looked at. */

import { reasonOf } from "../_text.ts";
import type { TemplateConfig } from "./types.ts";

/** How deep a config may nest. */
const MAX_DEPTH = 32;
/** How many values a config may have. */
const MAX_VALUES = 10_000;
/** How long all texts of a config may be, in UTF-16 units. */
const MAX_UNITS = 2 ** 20;

/**
 * Copies a config. Each value is read once: what a getter gives the next time is
 * nobody's business.
 *
 * @param problem What the message begins with.
 * @param config The config.
 * @returns Plain data.
 * @throws {TypeError} If it is too much, or cannot be read.
 */
export function plainConfig(
  problem: string,
  config: TemplateConfig,
): TemplateConfig {
  const copy = new Copy();
  try {
    return copy.of(config, 0, true) as TemplateConfig;
  } catch (cause) {
    throw new TypeError(
      `${problem}: the config cannot be used: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** A copy, and how much it has become. */
class Copy {
  #values = 0;
  #units = 0;

  of(value: unknown, depth: number, isWhole = false): unknown {
    this.#count(value, depth);
    if (Array.isArray(value)) return this.#list(value, depth);
    if (typeof value !== "object" || value === null) return value;
    if (isWhole || isPlain(value)) return this.#table(value, depth);
    throw new TypeError("it holds what is no plain data");
  }

  #list(items: readonly unknown[], depth: number): unknown[] {
    const copies: unknown[] = [];
    for (let index = 0; index < items.length; index++) {
      copies.push(this.of(items[index], depth + 1));
    }
    return copies;
  }

  #table(table: object, depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (const name of Object.keys(table)) {
      this.#addUnits(name);
      const value: unknown = Reflect.get(table, name);
      entries.push([name, this.of(value, depth + 1)]);
    }
    // a property of any name, "__proto__" too, becomes one of its own
    return Object.fromEntries(entries);
  }

  #count(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new TypeError(`it nests over ${MAX_DEPTH} deep`);
    }
    if (++this.#values > MAX_VALUES) {
      throw new TypeError(`it has over ${MAX_VALUES} values`);
    }
    if (typeof value === "string") this.#addUnits(value);
  }

  #addUnits(text: string): void {
    this.#units += text.length;
    if (this.#units <= MAX_UNITS) return;
    throw new TypeError(`its texts are longer than ${MAX_UNITS} characters`);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
