/** Handlebars, and the part of it that templates may use. */

import type Handlebars from "handlebars";

/** Handlebars, loaded when it is used. */
export type Engine = typeof Handlebars;

/** Helpers that a hole may call. */
const INSERTING = ["literal", "identifier", "prose"];
/** Helpers whose value is another helper's. */
const WITHIN = ["pascal", "camel", "constant", "kebab", "eq"];
const BLOCKS = ["if", "unless", "each", "with"];

/** All helpers that there are. */
export const HELPERS: Readonly<Record<string, boolean>> = Object.freeze({
  ...Object.fromEntries(
    [...INSERTING, ...WITHIN, ...BLOCKS].map((name) => [name, true]),
  ),
  helperMissing: false,
  blockHelperMissing: false,
  lookup: false,
  log: false,
});

/** How long a rendered file may be, in UTF-16 units. */
const MAX_UNITS = 2 ** 22;
/** How often the blocks `each` of a template may go round, all together. */
const MAX_ROUNDS = 100_000;

/** How deep blocks, or helpers within helpers, may nest. */
const MAX_DEPTH = 50;

/** Loads Handlebars, in an environment of its own, for one rendering. */
export async function loadEngine(): Promise<Engine> {
  const { default: handlebars } = await import("handlebars");
  const engine = handlebars.create();
  engine.registerHelper("each", bounded(engine.helpers.each));
  return engine;
}

/** A block within a block within a block multiplies what a config holds. */
function bounded(
  each: Handlebars.HelperDelegate | undefined,
): Handlebars.HelperDelegate {
  let rounds = 0;
  let units = 0;
  return function (this: unknown, context, options) {
    const fn: Handlebars.TemplateDelegate = (...values) => {
      if (++rounds > MAX_ROUNDS) {
        throw new Error(`its lists go round over ${MAX_ROUNDS} times`);
      }
      const text: string = options.fn(...values);
      units += text.length;
      if (units <= MAX_UNITS) return text;
      throw new Error(`its lists would make over ${MAX_UNITS} characters`);
    };
    return each?.call(this, context, { ...options, fn });
  };
}

/** A part of a parsed template, as far as it is looked at here. */
interface Part {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } };
  readonly path?: Part & { readonly original?: string };
  readonly params?: readonly Part[];
  readonly hash?: unknown;
  readonly escaped?: boolean;
  readonly body?: readonly Part[];
  readonly program?: Part;
  readonly inverse?: Part;
}

/** How many holes a text may have: to read them takes longer with each. */
const MAX_HOLES = 2_000;
/** A hole of a length that nobody writes. */
const LONG_HOLE = /\{\{[^}]{1000}/;

/**
 * Refuses what is no template before it is parsed, which could take for ever.
 *
 * @param source The template.
 * @throws {Error} That says what is wrong.
 */
export function checkText(source: unknown): asserts source is string {
  // what is parsed already would be code of its own
  if (typeof source !== "string") throw new Error("it is no text");
  checkLength(source);
  const holes = source.split("{{").length - 1;
  if (holes > MAX_HOLES) throw new Error(`it has over ${MAX_HOLES} holes`);
  if (LONG_HOLE.test(source)) throw new Error("a hole is too long");
}

/**
 * Refuses a text that is too long for a file.
 *
 * @param text The text.
 * @throws {Error} That says so.
 */
export function checkLength(text: string): void {
  if (text.length <= MAX_UNITS) return;
  throw new Error(`it has over ${MAX_UNITS} characters`);
}

/**
 * Refuses a template in which a hole writes a value as it is.
 *
 * @param program The template, parsed.
 * @throws {Error} That says where, and what to write.
 */
export function checkSource(program: unknown): void {
  visit(program as Part, 0);
}

function visit(part: Part, depth: number): void {
  // a compiler that goes too deep takes the process with it
  if (depth > MAX_DEPTH) throw refused(part, "what nests so deep", "less");
  switch (part.type) {
    case "Program":
      return part.body?.forEach((each) => visit(each, depth + 1));
    case "ContentStatement":
    case "CommentStatement":
      return;
    case "MustacheStatement":
      check(part, INSERTING, "{{literal …}}, {{identifier …}} or {{prose …}}");
      if (part.escaped === false) throw refused(part, "three braces", "two");
      return;
    case "BlockStatement":
      check(
        part,
        BLOCKS,
        "{{#if …}}, {{#unless …}}, {{#each …}} or {{#with …}}",
      );
      if (part.program) visit(part.program, depth);
      if (part.inverse) visit(part.inverse, depth);
      return;
    default:
      throw refused(part, part.type, "nothing of the kind");
  }
}

function check(part: Part, known: readonly string[], instead: string): void {
  const name = part.path?.original ?? "";
  if (!known.includes(name) || part.params?.length !== 1) {
    throw refused(part, `{{${name}}}`, instead);
  }
  if (part.hash) throw refused(part, "a named value", "the value alone");
  for (const param of part.params) checkWithin(param, 0);
}

function checkWithin(part: Part, depth: number): void {
  if (depth > MAX_DEPTH) throw refused(part, "what nests so deep", "less");
  if (part.type !== "SubExpression") return;
  const name = part.path?.original ?? "";
  if (!WITHIN.includes(name) || part.hash) {
    throw refused(part, `(${name})`, WITHIN.join(", "));
  }
  part.params?.forEach((each) => checkWithin(each, depth + 1));
}

function refused(part: Part, what: string, instead: string): Error {
  return new Error(
    `line ${part.loc?.start.line ?? 0}: ${what} cannot be used here (write ` +
      `${instead})`,
  );
}
