/**
 * What a schema may be: a guest may have written it, and the host runs it.
 *
 * A validator has no deadline. So what a check can cost is known before: there
 * is no recursion, and what references unfold to is bounded.
 */

import { printable, quote } from "../../_text.ts";
import { isObject, type JsonObject, own, textProblem } from "./names.ts";

/** Longest schema, as JSON, in UTF-16 units. */
const MAX_SCHEMA_LENGTH = 64 * 1024;

/** How deep a schema may be nested. */
const MAX_DEPTH = 64;

/** Most that a schema may unfold to: checks of one value, about. */
const MAX_COST = 1_000;

/** Keywords that walk through a text, however long it is. */
const WALKING = ["minLength", "maxLength", "format"] as const;

/** Keywords whose value is a schema, or a list of them. */
const ONE = [
  "items",
  "additionalItems",
  "contains",
  "not",
  "if",
  "then",
  "else",
  "additionalProperties",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
  "allOf",
  "anyOf",
  "oneOf",
  "prefixItems",
] as const;

/** Keywords whose value has a schema for each of its names. */
const NAMED = [
  "properties",
  "patternProperties",
  "dependentSchemas",
  "dependencies",
] as const;

/**
 * Keywords that refer to elsewhere, or move what references refer to, or make of
 * the validator one that gives a promise, which is true whatever becomes of it.
 */
const REFUSED = [
  "$async",
  "$anchor",
  "$dynamicRef",
  "$dynamicAnchor",
  "$recursiveRef",
  "$recursiveAnchor",
  "$data",
  "$vocabulary",
];

/** Keywords that name a part of a schema. */
const MOVING = ["$id", "$anchor", "$dynamicAnchor"];

const DRAFTS: ReadonlyMap<string, "2020-12" | "7"> = new Map([
  ["https://json-schema.org/draft/2020-12/schema", "2020-12"],
  ["https://json-schema.org/draft/2020-12/schema#", "2020-12"],
  ["http://json-schema.org/draft-07/schema", "7"],
  ["http://json-schema.org/draft-07/schema#", "7"],
]);

/** What a check costs. */
export interface Cost {
  /** Checks of one value, about. */
  readonly checks: number;
  /** How often one text is walked through, at the most. */
  readonly walks: number;
}

/** A schema that was looked over. */
export interface GuardedSchema extends Cost {
  readonly schema: JsonObject;
  readonly draft: "2020-12" | "7";
  /** Whether lists are compared with themselves. */
  readonly comparesItems: boolean;
  /** The regular expressions. */
  readonly patterns: ReadonlySet<string>;
}

/**
 * Looks a schema over, before it is compiled.
 *
 * @param given The schema.
 * @returns What there is to know of it.
 * @throws {TypeError} If it cannot be used: `at` `#/properties/x`, and why.
 */
export function guardSchema(given: unknown): GuardedSchema {
  const schema = copied(given);
  const guard = new Guard(schema);
  const cost = guard.cost(schema, "#", 0);
  return {
    schema,
    draft: draftOf(schema),
    ...cost,
    comparesItems: guard.comparesItems,
    patterns: guard.patterns,
  };
}

/** A copy that is JSON, and that nobody else holds. */
function copied(given: unknown): JsonObject {
  if (!isObject(given)) throw new TypeError("it is no object");
  const text = JSON.stringify(given);
  if (text.length > MAX_SCHEMA_LENGTH) {
    throw new TypeError(
      `it is longer than ${MAX_SCHEMA_LENGTH} characters`,
    );
  }
  return JSON.parse(text);
}

function draftOf(schema: JsonObject): "2020-12" | "7" {
  const name = own(schema, "$schema");
  if (name === undefined) return "2020-12";
  const draft = typeof name === "string" ? DRAFTS.get(name) : undefined;
  if (draft !== undefined) return draft;
  throw new TypeError(
    `#/$schema is ${quote(String(name))}, expected draft 2020-12 or draft-07`,
  );
}

/** A path that fits into a message. */
function short(path: string): string {
  return printable(path.length > 120 ? `${path.slice(0, 120)}…` : path);
}

/** Walks through a schema. */
class Guard {
  readonly patterns: Set<string> = new Set();
  comparesItems = false;
  readonly #root: JsonObject;
  readonly #costs = new Map<JsonObject, Cost>();
  readonly #open = new Set<JsonObject>();

  constructor(root: JsonObject) {
    this.#root = root;
    checkTexts(root, "#", 0);
  }

  /** What it costs to check a value, about. */
  cost(schema: unknown, path: string, depth: number): Cost {
    if (Array.isArray(schema)) {
      return sumOf(
        schema.map((each, index) =>
          this.cost(each, `${path}/${index}`, depth + 1)
        ),
      );
    }
    if (!isObject(schema)) return TRIFLE;
    const known = this.#costs.get(schema);
    if (known !== undefined) return known;
    if (this.#open.has(schema)) {
      throw new TypeError(`${short(path)} leads back to itself`);
    }
    this.#open.add(schema);
    const cost = this.#costOf(schema, path, depth);
    this.#open.delete(schema);
    if (cost.checks > MAX_COST) {
      throw new TypeError(
        `${short(path)} unfolds to more than ${MAX_COST} checks of each value`,
      );
    }
    this.#costs.set(schema, cost);
    return cost;
  }

  #costOf(schema: JsonObject, path: string, depth: number): Cost {
    const refused = REFUSED.find((name) => Object.hasOwn(schema, name));
    if (refused !== undefined) {
      throw new TypeError(`${short(path)}/${refused} is not supported`);
    }
    this.comparesItems ||= own(schema, "uniqueItems") === true;
    this.#notePatterns(schema);
    const costs = [ownCost(schema)];
    for (const name of ONE) {
      const part = own(schema, name);
      if (part !== undefined) {
        costs.push(this.cost(part, `${path}/${name}`, depth));
      }
    }
    for (const name of NAMED) {
      costs.push(this.#named(schema, name, { path, depth }));
    }
    const reference = own(schema, "$ref");
    if (reference !== undefined) {
      const target = this.#target(reference, path);
      costs.push(this.cost(target, `${path}/$ref`, depth));
    }
    return sumOf(costs);
  }

  #notePatterns(schema: JsonObject): void {
    const pattern = own(schema, "pattern");
    if (typeof pattern === "string") this.patterns.add(pattern);
    for (const name of Object.keys(own(schema, "patternProperties") ?? {})) {
      this.patterns.add(name);
    }
  }

  #named(
    schema: JsonObject,
    keyword: typeof NAMED[number],
    { path, depth }: { readonly path: string; readonly depth: number },
  ): Cost {
    const parts = own(schema, keyword);
    if (!isObject(parts)) return NOTHING;
    const costs = Object.entries(parts).map(([name, part]) =>
      this.cost(part, `${path}/${keyword}/${name}`, depth + 1)
    );
    const sum = sumOf(costs);
    // of all properties a text is one
    return keyword === "properties"
      ? { ...sum, walks: Math.max(0, ...costs.map(({ walks }) => walks)) }
      : sum;
  }

  /** What a reference refers to: a part of the same schema. */
  #target(reference: unknown, path: string): unknown {
    if (typeof reference !== "string" || !/^#(?:\/|$)/.test(reference)) {
      throw new TypeError(
        `${short(path)}/$ref refers to elsewhere, expected "#/$defs/name"`,
      );
    }
    let target: unknown = this.#root;
    for (const part of reference.slice(1).split("/").slice(1)) {
      // the validator takes the one for the root, and the other for two parts
      if (part === "" || /%2f/i.test(part)) {
        throw new TypeError(`${short(path)}/$ref has a part that is ambiguous`);
      }
      const name = decodePart(part, path);
      target = Array.isArray(target)
        ? target[Number(name)]
        : isObject(target)
        ? own(target, name)
        : undefined;
    }
    if (isObject(target) || typeof target === "boolean") return target;
    throw new TypeError(`${short(path)}/$ref refers to nothing`);
  }
}

const NOTHING: Cost = { checks: 0, walks: 0 };
const TRIFLE: Cost = { checks: 1, walks: 0 };

/** What a schema costs without those within it. */
function ownCost(schema: JsonObject): Cost {
  return {
    checks: 1 + sizeOf(own(schema, "enum")) + sizeOf(own(schema, "const")) +
      sizeOf(own(schema, "required")) +
      sizeOf(own(schema, "dependentRequired")),
    walks: WALKING.filter((name) => Object.hasOwn(schema, name)).length,
  };
}

function sumOf(costs: readonly Cost[]): Cost {
  return {
    checks: costs.reduce((sum, { checks }) => sum + checks, 0),
    walks: costs.reduce((sum, { walks }) => sum + walks, 0),
  };
}

function decodePart(part: string, path: string): string {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    throw new TypeError(`${short(path)}/$ref is no JSON pointer`);
  }
}

/** Values within a value of JSON's. */
function sizeOf(value: unknown): number {
  if (value === undefined) return 0;
  if (Array.isArray(value)) {
    return value.reduce((sum: number, each) => sum + sizeOf(each), 1);
  }
  if (!isObject(value)) return 1;
  return Object.values(value).reduce(
    (sum: number, each) => sum + sizeOf(each),
    1,
  );
}

/** Refuses what nobody sees, and what is nested too deep. */
function checkTexts(value: unknown, path: string, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new TypeError(`${short(path)} is nested deeper than ${MAX_DEPTH}`);
  }
  if (typeof value === "string") checkText(value, path);
  else if (Array.isArray(value)) {
    value.forEach((each, index) =>
      checkTexts(each, `${path}/${index}`, depth + 1)
    );
  } else if (isObject(value)) {
    for (const [name, each] of Object.entries(value)) {
      checkText(name, path);
      if (name === "__proto__") {
        throw new TypeError(`${short(path)} has a member "__proto__"`);
      }
      // it would move what references refer to, even where nobody looks
      if (MOVING.includes(name) && typeof each === "string" && depth > 0) {
        throw new TypeError(
          `${short(path)}/${name} is not supported below the top`,
        );
      }
      checkTexts(each, `${path}/${name}`, depth + 1);
    }
  }
}

function checkText(text: string, path: string): void {
  const problem = textProblem(text, MAX_SCHEMA_LENGTH);
  if (problem !== undefined) throw new TypeError(`${short(path)} ${problem}`);
}
