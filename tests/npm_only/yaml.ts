/**
 * Stands in for `jsr:@std/yaml` where JSR does not answer. It sits on js-yaml
 * 3, of which the original is a port, so that both read a text alike.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- no dependency of the package
// @ts-types="npm:@types/js-yaml@3.12.10"
import yaml from "npm:js-yaml@3.14.2";

/** Which tags are read. */
export type SchemaType = "failsafe" | "json" | "core" | "default";

/** Options of {@linkcode parse}. */
export interface ParseOptions {
  /** Which tags are read. @default {"default"} */
  schema?: SchemaType;
  /** Whether the last of equal keys wins. @default {false} */
  allowDuplicateKeys?: boolean;
}

/** Options of {@linkcode stringify}. */
export interface StringifyOptions {
  /** Spaces a level. @default {2} */
  indent?: number;
  /** Whether what has no YAML form is left out. @default {false} */
  skipInvalid?: boolean;
  /** Which tags are written. @default {"default"} */
  schema?: SchemaType;
  /** Whether keys are sorted. @default {false} */
  sortKeys?: boolean;
  /** Longest line. @default {80} */
  lineWidth?: number;
}

/** A place in a text. */
export interface YamlPosition {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  /** Offset in UTF-16 units, from 0. */
  readonly offset: number;
}

/** A text is no YAML. */
export class YamlSyntaxError extends SyntaxError implements YamlPosition {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  /** Offset in UTF-16 units, from 0. */
  readonly offset: number;

  /**
   * Constructs a new instance.
   *
   * @param message What is wrong.
   * @param position Where.
   */
  constructor(message: string, { line, column, offset }: YamlPosition) {
    super(`${message} at line ${line}, column ${column}`);
    this.name = "YamlSyntaxError";
    this.line = line;
    this.column = column;
    this.offset = offset;
  }
}

const SCHEMAS: Readonly<Record<SchemaType, yaml.Schema>> = {
  failsafe: yaml.FAILSAFE_SCHEMA,
  json: yaml.JSON_SCHEMA,
  core: yaml.CORE_SCHEMA,
  default: yaml.DEFAULT_SAFE_SCHEMA,
};

/**
 * Reads one YAML document.
 *
 * @param content The text.
 * @param options How to read it.
 * @returns Its value, null where it is empty.
 * @throws {YamlSyntaxError} If it is no YAML, or more than one document.
 */
export function parse(
  content: string,
  { schema = "default", allowDuplicateKeys = false }: ParseOptions = {},
): unknown {
  try {
    return yaml.safeLoad(content, {
      schema: SCHEMAS[schema],
      json: allowDuplicateKeys,
    }) ?? null;
  } catch (error) {
    throw error instanceof yaml.YAMLException ? positioned(error) : error;
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
  { schema = "default", ...options }: StringifyOptions = {},
): string {
  return yaml.safeDump(data, { schema: SCHEMAS[schema], ...options });
}

/** The mark is there whenever a text is at fault; it counts from 0. */
interface Marked {
  readonly reason?: string;
  readonly mark?: {
    readonly line: number;
    readonly column: number;
    readonly position: number;
  };
}

function positioned(error: Error): Error {
  const { reason = error.message, mark }: Error & Marked = error;
  const { line = 0, column = 0, position = 0 } = mark ?? {};
  return new YamlSyntaxError(reason, {
    line: line + 1,
    column: column + 1,
    offset: position,
  });
}
