/**
 * Codecs: how messages become bytes, and bytes messages.
 *
 * @module
 */

import { reasonOf } from "../_text.ts";
import { stringifyJson } from "./json.ts";
import {
  checkSchema,
  describeIssues,
  type StandardSchemaV1,
} from "./standard_schema.ts";
import type { Codec } from "./types.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * How deep arrays and objects of a JSON message may nest. Whatever looks into
 * a message, a schema or a handler, may recurse this far on any stack.
 */
export const MAX_JSON_DEPTH = 512;

const ENCODER = new TextEncoder();

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** The bit in which the brackets of arrays and of objects differ. */
const OBJECT_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * JSON in UTF-8.
 *
 * Writing refuses what JSON cannot hold: NaN, infinities, bigints, cycles,
 * functions. Undefined is written as null. Reading refuses what is no UTF-8, no
 * JSON, or nests deeper than {@linkcode MAX_JSON_DEPTH}. A key `__proto__` is a
 * key like any other; merge what a guest sent into nothing of yours.
 *
 * @example Usage
 * ```ts
 * import { json } from "@wasm-sandbox/core/communication";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(json.decode(json.encode({ a: [1, null] })), { a: [1, null] });
 * assertThrows(() => json.encode(NaN), TypeError);
 * assertThrows(() => json.decode(Uint8Array.of(0xff)), TypeError);
 * ```
 */
export const json: Codec<unknown> = Object.freeze({
  name: "json",
  encode: encodeJson,
  decode: decodeJson,
});

/**
 * Bytes as they are; each message is a copy.
 *
 * @example Usage
 * ```ts
 * import { bytes } from "@wasm-sandbox/core/communication";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(bytes.decode(Uint8Array.of(1, 2)), Uint8Array.of(1, 2));
 * assertThrows(() => bytes.encode([1, 2] as never), TypeError);
 * ```
 */
export const bytes: Codec<Uint8Array<ArrayBuffer>> = Object.freeze({
  name: "bytes",
  encode: copyBytes,
  decode: copyBytes,
});

/**
 * JSON of one type, as a Standard Schema describes it.
 *
 * What is written is looked at too, so that a wrong message is refused where it
 * is sent. A schema that changes values must take what it gave, written as
 * JSON: a string that becomes a `Date` does, as a `Date` is written as that
 * string.
 *
 * @example Usage
 * ```ts
 * import {
 *   jsonOf,
 *   type StandardSchemaV1,
 * } from "@wasm-sandbox/core/communication";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const text: StandardSchemaV1<string> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate: (value) =>
 *       typeof value === "string"
 *         ? { value }
 *         : { issues: [{ message: "must be a string" }] },
 *   },
 * };
 * const codec = jsonOf(text);
 * assertEquals(codec.decode(codec.encode("hello")), "hello");
 * assertThrows(() => codec.encode(5 as never), TypeError, "must be a string");
 * ```
 *
 * @typeParam T What the schema gives.
 * @param schema A synchronous schema.
 * @returns The codec.
 * @throws {TypeError} If `schema` is none.
 */
export function jsonOf<T>(schema: StandardSchemaV1<unknown, T>): Codec<T> {
  checkSchema(schema);
  return Object.freeze({
    name: "json",
    encode(message: T): Uint8Array<ArrayBuffer> {
      const encoded = encodeJson(message);
      conform(schema, decodeJson(encoded), "write");
      return encoded;
    },
    decode: (encoded: Uint8Array): T =>
      conform(schema, decodeJson(encoded), "read"),
  });
}

function encodeJson(message: unknown): Uint8Array<ArrayBuffer> {
  let text: string;
  try {
    text = stringifyJson(message, "the message");
  } catch (cause) {
    if (cause instanceof TypeError) throw cause;
    // its getters run twice, and may throw the second time
    throw new TypeError(`Cannot write the message: ${reasonOf(cause)}`, {
      cause,
    });
  }
  const encoded = ENCODER.encode(text);
  checkDepth(encoded, "write");
  return encoded;
}

function decodeJson(encoded: Uint8Array): unknown {
  checkDepth(encoded, "read");
  const text = decodeUtf8(encoded as Uint8Array<ArrayBuffer>);
  if (text === undefined) {
    throw new TypeError("Cannot read the message: it is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch {
    // the parser's own words would quote the message
    throw new TypeError("Cannot read the message: it is not JSON");
  }
}

/** Follows brackets, without knowing anything else of JSON. */
function checkDepth(encoded: Uint8Array, doing: "read" | "write"): void {
  const { length } = encoded;
  if (length <= MAX_JSON_DEPTH) return;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    const byte = encoded[at] ?? 0;
    if (byte === QUOTE) at = endOfText(encoded, at);
    else if ((byte | OBJECT_BIT) === CLOSING) depth--;
    else if ((byte | OBJECT_BIT) === OPENING && ++depth > MAX_JSON_DEPTH) {
      throw new TypeError(
        `Cannot ${doing} the message: it nests deeper than ${MAX_JSON_DEPTH}`,
      );
    }
  }
}

/** Where the text that begins at a quotation mark ends. */
function endOfText(encoded: Uint8Array, start: number): number {
  for (let at = start + 1; at < encoded.length; at++) {
    if (encoded[at] === BACKSLASH) at++;
    else if (encoded[at] === QUOTE) return at;
  }
  return encoded.length;
}

function conform<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
  doing: "read" | "write",
): T {
  const result = schema["~standard"].validate(value);
  if ("then" in result) {
    // nobody waits for it
    Promise.resolve(result).catch(() => {});
    throw new TypeError(
      `Cannot ${doing} the message: its schema is asynchronous, and codecs ` +
        "are not (use a synchronous schema)",
    );
  }
  if (result.issues === undefined) return result.value;
  throw new TypeError(
    `Cannot ${doing} the message: ${describeIssues(result.issues)}`,
  );
}

function copyBytes(message: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!(ArrayBuffer.isView(message) && message instanceof Uint8Array)) {
    throw new TypeError("Cannot take the message: it is no Uint8Array");
  }
  return new Uint8Array(message);
}
