/**
 * The part of JSON Schema (draft 2020-12) that policy files and the options of
 * wrappers are described in.
 *
 * @module
 */

/** A schema of one value. */
export interface JsonSchema {
  /** What it is, in a sentence. */
  readonly description?: string;
  /** Its type. */
  readonly type?:
    | "object"
    | "array"
    | "string"
    | "integer"
    | "number"
    | "boolean";
  /** The one value it may be. */
  readonly const?: string | number | boolean;
  /** The values it may be. */
  readonly enum?: readonly (string | number)[];
  /** Where one of several will do. */
  readonly oneOf?: readonly JsonSchema[];
  /** Schema of each item. */
  readonly items?: JsonSchema;
  /** Fewest items. */
  readonly minItems?: number;
  /** Schema of each property. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Schema of properties that are not named, or false to refuse them. */
  readonly additionalProperties?: JsonSchema | false;
  /** Properties that must be there. */
  readonly required?: readonly string[];
  /** Shortest text. */
  readonly minLength?: number;
  /** A regular expression that the text must match. */
  readonly pattern?: string;
  /** Smallest number. */
  readonly minimum?: number;
  /** Largest number. */
  readonly maximum?: number;
  /** What it is if left out. */
  readonly default?: unknown;
  /**
   * What it stands for, where a type does not say: a `module`, a `path`, a
   * `policy` or `limits`, read by whoever knows them; `code`, which a file cannot
   * hold; and `bytes` or `milliseconds`, integers that files also write as
   * `64MiB` or `2s`.
   */
  readonly format?:
    | "module"
    | "path"
    | "policy"
    | "limits"
    | "code"
    | "bytes"
    | "milliseconds";
}
