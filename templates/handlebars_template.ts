/**
 * Templates that are written in Handlebars.
 *
 * @module
 */

import { quote, reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { JsonSchema } from "../security/json_schema.ts";
import { checkOptions } from "../wrappers/check_options.ts";
import {
  checkLength,
  checkSource,
  checkText,
  type Engine,
  HELPERS,
  loadEngine,
} from "./engine.ts";
import { type Language, languageOf, PATH } from "./languages.ts";
import { Literals } from "./helpers.ts";
import { clashIn, isSafePath, UNSAFE_PATH } from "./paths.ts";
import { plainConfig } from "./plain_config.ts";
import type {
  RenderedFiles,
  TemplateConfig,
  TemplateRenderer,
} from "./types.ts";

/** What a {@linkcode HandlebarsTemplate} is made from. */
export interface HandlebarsTemplateOptions {
  /** The name that it is registered under, in snake case. */
  readonly name: string;
  /** What it makes, in a sentence. */
  readonly description: string;
  /** Schema of the config. What it gives a `default` may be left out. */
  readonly schema: JsonSchema;
  /**
   * The files: paths, in which there may be holes as in their texts, and texts
   * in Handlebars. A file that is empty is left out.
   */
  readonly files: Readonly<Record<string, string>>;
  /**
   * What else is inserted: values that follow from the config.
   *
   * @param config The config, checked, with its defaults.
   * @returns Plain data.
   * @throws {TypeError} If values do not go together.
   */
  readonly derive?: (config: TemplateConfig) => TemplateConfig;
  /** As {@linkcode TemplateRenderer.next}. */
  readonly next?: (config: TemplateConfig) => readonly string[];
}

/**
 * Renders files. Every hole is a call of a helper, which writes a value as the
 * language of its file does; a hole without one is refused:
 *
 * | helper | what it writes |
 * | --- | --- |
 * | `literal` | text, a number, a switch, or in languages of data a list or an object |
 * | `identifier` | a name that is free in all languages |
 * | `prose` | text on a line, for comments and pages |
 * | `pascal`, `camel`, `constant`, `kebab` | a name in that style, within `identifier`, `literal` or `prose` |
 * | `eq` | whether two values are the same, within `if` |
 *
 * Of Handlebars' own there are `if`, `unless`, `each` and `with`. What comes out
 * is compared with what comes out for other values: all but the literals and the
 * comments must be the same. Files of a language that is not known take names,
 * numbers and switches alone.
 *
 * @example A template of your own
 * ```ts
 * import { HandlebarsTemplate, TemplateFactory } from "@wasm-sandbox/core/templates";
 * import { assertEquals } from "@std/assert";
 *
 * const templates = new TemplateFactory().register(
 *   "greeting",
 *   () =>
 *     new HandlebarsTemplate({
 *       name: "greeting",
 *       description: "A file that greets.",
 *       schema: {
 *         type: "object",
 *         properties: { whom: { type: "string", minLength: 1 } },
 *         required: ["whom"],
 *         additionalProperties: false,
 *       },
 *       files: { "greet.ts": "export const greeting = {{literal whom}};\n" },
 *     }),
 * );
 * const files = await templates.render("greeting", { whom: '"; evil(); "' });
 * assertEquals(
 *   files.get("greet.ts"),
 *   'export const greeting = "\\"; evil(); \\"";\n',
 * );
 * ```
 */
export class HandlebarsTemplate implements TemplateRenderer {
  /** The name that it is registered under. */
  readonly name: string;
  /** What it makes, in a sentence. */
  readonly description: string;
  /** What its config may be. */
  readonly schema: JsonSchema;
  readonly #options: HandlebarsTemplateOptions;

  /**
   * Constructs a template. Its texts are looked at when it is rendered.
   *
   * @param options What it is made from.
   */
  constructor(options: HandlebarsTemplateOptions) {
    this.#options = options;
    this.name = options.name;
    this.description = options.description;
    this.schema = options.schema;
  }

  /**
   * Renders all files.
   *
   * @param config The values to insert.
   * @returns The files.
   * @throws {TypeError} If the config is wrong; says all that is.
   * @throws {SandboxError} With code `template-failed` if a text is no template,
   * or what comes out is no file of its language.
   */
  async render(config: TemplateConfig): Promise<RenderedFiles> {
    const values = this.#valuesOf(config);
    const engine = await loadEngine();
    const files = new Map<string, string>();
    for (const [pattern, source] of Object.entries(this.#options.files)) {
      const path = this.#compile(engine, pattern, pattern, PATH)(values);
      if (!isSafePath(path)) throw this.#failed(path, UNSAFE_PATH);
      const text = await this.#renderFile(engine, path, source, values);
      if (text.trim() === "") continue;
      const other = clashIn([...files.keys(), path]);
      if (other !== undefined) throw this.#failed(path, other);
      files.set(path, text);
    }
    return files;
  }

  /**
   * What to do with the files.
   *
   * @param config The same values.
   * @returns The steps.
   */
  next(config: TemplateConfig): readonly string[] {
    return this.#options.next?.(this.#valuesOf(config)) ?? [];
  }

  #valuesOf(config: TemplateConfig): TemplateConfig {
    const { name, schema, derive } = this.#options;
    const problem = `Cannot render ${name}`;
    const own = plainConfig(problem, config);
    checkOptions(problem, own, schema);
    const values = withDefaults(own, schema);
    try {
      return { ...values, ...derive?.(values) };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(`${problem}: ${error.message}`, { cause: error });
    }
  }

  async #renderFile(
    engine: Engine,
    path: string,
    source: string,
    values: TemplateConfig,
  ): Promise<string> {
    const language = languageOf(path);
    const fill = this.#compile(engine, path, source, language);
    const text = fill(values);
    if (language === undefined || text.trim() === "") return text;
    const plain = fill(values, true);
    const shape = await this.#shapeOf(path, language, text);
    if (text === plain) return text;
    if (shape === await this.#shapeOf(path, language, plain)) return text;
    throw this.#failed(path, "a value would become more than a value");
  }

  async #shapeOf(
    path: string,
    { shape }: Language,
    text: string,
  ): Promise<string> {
    try {
      return await shape(text);
    } catch (cause) {
      throw this.#failed(path, `it cannot be read: ${reasonOf(cause)}`, cause);
    }
  }

  /** What renders a text, with its values or with plain ones in their place. */
  #compile(
    engine: Engine,
    path: string,
    source: string,
    language: Language | undefined,
  ): (values: TemplateConfig, isPlain?: boolean) => string {
    const render = this.#attempt(path, () => {
      checkText(source);
      const program = engine.parse(source);
      checkSource(program);
      return engine.compile(program, {
        noEscape: true,
        strict: true,
        knownHelpersOnly: true,
        knownHelpers: HELPERS,
      });
    });
    return (values, isPlain = false) =>
      this.#attempt(path, () => {
        const { helpers } = new Literals(language, isPlain);
        const text = render(values, { helpers });
        checkLength(text);
        return text;
      });
  }

  #attempt<V>(path: string, what: () => V): V {
    try {
      return what();
    } catch (cause) {
      throw cause instanceof TypeError
        ? new TypeError(
          `Cannot render ${this.name}: ${path}: ${cause.message}`,
          { cause },
        )
        : this.#failed(path, reasonOf(cause), cause);
    }
  }

  #failed(
    file: string,
    problem: string,
    cause?: unknown,
  ): SandboxError<"template-failed"> {
    return new SandboxError(
      "template-failed",
      `Cannot render ${this.name}: ${quote(file)}: ${problem}`,
      {
        details: { template: this.name, file, problem },
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }
}

/** Adds what was left out and has a default, at all levels. */
function withDefaults(
  config: TemplateConfig,
  schema: JsonSchema,
): Record<string, unknown> {
  const values: Record<string, unknown> = { ...config };
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(values, name) ? values[name] : undefined;
    const value = given ?? structuredClone(each.default);
    values[name] = each.type === "object" && each.properties !== undefined
      ? withDefaults((value ?? {}) as TemplateConfig, each)
      : value ?? null;
  }
  return values;
}
