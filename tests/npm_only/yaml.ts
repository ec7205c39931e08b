/**
 * Stands in for `jsr:@std/yaml` where JSR does not answer: `parse` and
 * `stringify` over js-yaml 3, of which the original is a port.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- no dependency of the package
// @ts-types="npm:@types/js-yaml@3.12.10"
import yaml from "npm:js-yaml@3.14.2";

const SCHEMAS = {
  core: yaml.CORE_SCHEMA,
  default: yaml.DEFAULT_SAFE_SCHEMA,
};

/** Options of {@linkcode parse} and {@linkcode stringify}. */
export interface YamlOptions {
  /** Which tags are known. @default {"default"} */
  schema?: keyof typeof SCHEMAS;
}

/**
 * Reads one YAML document.
 *
 * @param content The text.
 * @param options How to read it.
 * @returns Its value, null where it is empty.
 * @throws {SyntaxError} If it is no YAML, or more than one document.
 */
export function parse(
  content: string,
  { schema = "default" }: YamlOptions = {},
): unknown {
  try {
    return yaml.safeLoad(content, { schema: SCHEMAS[schema] }) ?? null;
  } catch (cause) {
    if (!(cause instanceof yaml.YAMLException)) throw cause;
    throw new SyntaxError(cause.message, { cause });
  }
}

/**
 * Writes a value as a YAML document.
 *
 * @param data The value.
 * @param options How to write it.
 * @returns The text.
 */
export function stringify(
  data: unknown,
  { schema = "default" }: YamlOptions = {},
): string {
  return yaml.safeDump(data, { schema: SCHEMAS[schema] });
}
