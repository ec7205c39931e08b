/** What the cases of the suite for templates are, and work on. */

import { SandboxError } from "../errors.ts";
import type { JsonSchema } from "../security/json_schema.ts";
import { languageOf } from "../templates/languages.ts";
import { UNSAFE_PATH } from "../templates/paths.ts";
import type {
  RenderedFiles,
  TemplateConfig,
  TemplateRenderer,
} from "../templates/types.ts";

/** A template under test. */
export interface TemplateSubject {
  readonly template: TemplateRenderer;
  /** Good configs, at least one. */
  readonly configs: readonly TemplateConfig[];
}

/** Something that every template does. */
export interface TemplateCase {
  readonly name: string;
  /** Fails if it does not hold. */
  run(subject: TemplateSubject): Promise<void>;
}

/** Fails unless it holds. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The template does not conform: ${what}`);
}

/** Renders: files, or nothing if the config is refused with a reason. */
export async function rendered(
  { template }: TemplateSubject,
  config: unknown,
  what: string,
): Promise<RenderedFiles | undefined> {
  try {
    return await template.render(config as TemplateConfig);
  } catch (error) {
    // whatever else is thrown is the template's fault, and not the config's
    const isReason = error instanceof TypeError && error.message !== "" ||
      SandboxError.is(error, "template-failed") &&
        error.details.problem === UNSAFE_PATH;
    check(isReason, `render threw ${error} for ${what}`);
    return undefined;
  }
}

/** What each file amounts to, whatever values are in it. */
export async function shapesOf(
  files: RenderedFiles,
): Promise<ReadonlyMap<string, string>> {
  const shapes = new Map<string, string>();
  for (const [path, text] of files) {
    const language = languageOf(path);
    try {
      shapes.set(path, await language?.shape(text) ?? "");
    } catch (error) {
      check(false, `${path} cannot be read: ${error}`);
    }
  }
  return shapes;
}

/** A text within a config, and where. */
export interface ConfigText {
  readonly path: string;
  /** Whether its schema lets it be any text. */
  readonly isFree: boolean;
  /** The config with another value there. */
  with(value: unknown): unknown;
}

/** The texts of a config. */
export function* textsOf(
  config: unknown,
  schema: JsonSchema | false | undefined,
  path = "config",
): Iterable<ConfigText> {
  if (!schema) return;
  if (typeof config === "string") {
    const { pattern, format, oneOf, enum: choices } = schema;
    const isFree = [pattern, format, oneOf, choices].every((each) =>
      each === undefined
    );
    yield { path, isFree, with: (value) => value };
  } else if (Array.isArray(config)) {
    for (const [index, item] of config.entries()) {
      const texts = textsOf(item, schema.items, `${path}[${index}]`);
      yield* within(texts, (value) => config.with(index, value));
    }
  } else if (typeof config === "object" && config !== null) {
    for (const [name, item] of Object.entries(config)) {
      const own = schema.properties?.[name] ?? schema.additionalProperties;
      const texts = textsOf(item, own, `${path}.${name}`);
      yield* within(texts, (value) => ({ ...config, [name]: value }));
    }
  }
}

function* within(
  texts: Iterable<ConfigText>,
  put: (value: unknown) => unknown,
): Iterable<ConfigText> {
  for (const text of texts) {
    yield { ...text, with: (value) => put(text.with(value)) };
  }
}

/** The config with another value in the place of all free texts. */
export function withFreeTexts(
  { template: { schema } }: TemplateSubject,
  config: TemplateConfig,
  value: string,
): TemplateConfig {
  let all: unknown = config;
  for (const { path } of textsOf(config, schema)) {
    // each step changes one of them, and leaves the others where they are
    for (const text of textsOf(all, schema)) {
      if (text.path === path && text.isFree) all = text.with(value);
    }
  }
  return all as TemplateConfig;
}
