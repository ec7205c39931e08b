/**
 * Modules for tests: from text, from hexadecimal bytes, and from sections
 * where the assembler does not know an instruction.
 *
 * The assembler knows SIMD, exceptions of both kinds, tail calls, threads,
 * several memories, 64-bit memories and tables. It does not know typed
 * function references (`call_ref`, `br_on_null`) and garbage collection.
 *
 * @module
 */

import loadWabt from "wabt";

/** Proposals, by the assembler's own names for them. */
const ALL: Readonly<Record<string, boolean>> = Object.freeze({
  "exceptions": true,
  "simd": true,
  "threads": true,
  "tail_call": true,
  "bulk_memory": true,
  "reference_types": true,
  "memory64": true,
  "multi_memory": true,
  "extended_const": true,
  "relaxed_simd": true,
});

/**
 * Assembles a module, with a name section for the names in the text.
 *
 * @param text The module in the text format.
 * @param features What to switch off, by the assembler's names, such as
 * `tail_call`; all that it knows is on.
 * @returns The module.
 * @throws {Error} If the text is not right.
 */
export async function wat(
  text: string,
  features: Readonly<Record<string, boolean>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const wabt = await loadWabt();
  const module = wabt.parseWat("test.wat", text, { ...ALL, ...features });
  try {
    return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
  } finally {
    module.destroy();
  }
}

/** Bytes in any nesting, put one after the other. */
export type Bytes = number | Iterable<Bytes>;

/**
 * Reads hexadecimal bytes. White space is for the reader, and so is what
 * stands between `;` and the end of a line.
 *
 * @param hex Such as `"00 61 73 6d"`.
 * @returns The bytes.
 * @throws {TypeError} If something else stands there.
 */
export function bytes(hex: string): Uint8Array<ArrayBuffer> {
  const digits = hex.replace(/;.*$/gm, "").replace(/\s+/g, "");
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) {
    throw new TypeError(`Cannot read bytes: ${hex}`);
  }
  return Uint8Array.from(
    digits.match(/../g) ?? [],
    (digit) => parseInt(digit, 16),
  );
}

/**
 * Puts bytes one after the other.
 *
 * @param parts Bytes in any nesting.
 * @returns One array.
 */
export function flat(...parts: readonly Bytes[]): number[] {
  const out: number[] = [];
  const visit = (part: Bytes) => {
    if (typeof part === "number") out.push(part);
    else for (const item of part) visit(item);
  };
  parts.forEach(visit);
  return out;
}

/**
 * Encodes an unsigned LEB128.
 *
 * @param value The number.
 * @param length Bytes to pad to; as few as possible, if left out.
 * @returns The bytes.
 */
export function leb(value: number | bigint, length = 1): number[] {
  const out: number[] = [];
  let rest = BigInt(value);
  while (rest > 127n || out.length < length - 1) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}

/** Encodes a name: UTF-8 with its length before it. */
export function name(text: string): number[] {
  const encoded = new TextEncoder().encode(text);
  return flat(leb(encoded.length), encoded);
}

/** Encodes a vector: the count, then the items. */
export function vec(items: readonly Bytes[]): number[] {
  return flat(leb(items.length), items);
}

/** Encodes a section: number, length, payload. */
export function section(id: number, ...payload: readonly Bytes[]): number[] {
  const content = flat(payload);
  return flat(id, leb(content.length), content);
}

/** Encodes a custom section. */
export function custom(title: string, ...payload: readonly Bytes[]): number[] {
  return section(0, name(title), payload);
}

/**
 * Encodes a function's body.
 *
 * @param code Its instructions, without the last `end`.
 * @param locals Groups of locals: how many, and their type.
 * @returns The body, with its length before it.
 */
export function body(
  code: Bytes,
  locals: readonly (readonly [count: number, type: Bytes])[] = [],
): number[] {
  const content = flat(
    vec(locals.map(([count, type]) => flat(leb(count), type))),
    code,
    0x0b,
  );
  return flat(leb(content.length), content);
}

/** Encodes a function type. */
export function funcType(
  params: readonly Bytes[] = [],
  results: readonly Bytes[] = [],
): number[] {
  return flat(0x60, vec(params), vec(results));
}

/** `\0asm` and version 1. */
export const HEADER: readonly number[] = Object.freeze(
  [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
);

/**
 * Puts a header before sections.
 *
 * @param sections The sections, as {@linkcode section} gives them.
 * @returns The module.
 */
export function wasm(...sections: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(flat(HEADER, sections));
}

/** Sections of a module, each as its entries. */
export interface Sections {
  /** Section 1, as {@linkcode funcType} gives them. */
  types?: readonly Bytes[];
  /** Section 2. */
  imports?: readonly Bytes[];
  /** Section 3: a type for each function. */
  functions?: readonly number[];
  /** Section 4. */
  tables?: readonly Bytes[];
  /** Section 5. */
  memories?: readonly Bytes[];
  /** Section 13: attribute 0 and a type for each tag. */
  tags?: readonly Bytes[];
  /** Section 6. */
  globals?: readonly Bytes[];
  /** Section 7. */
  exports?: readonly Bytes[];
  /** Section 8: a function. */
  start?: number;
  /** Section 9. */
  elements?: readonly Bytes[];
  /** Section 12: how many data segments there are. */
  dataCount?: number;
  /** Section 10, as {@linkcode body} gives them. */
  bodies?: readonly Bytes[];
  /** Section 11. */
  data?: readonly Bytes[];
  /** What follows, as {@linkcode custom} gives it. */
  customs?: readonly Bytes[];
}

/**
 * Puts a module together, sections in their order.
 *
 * @param sections Those that the module has.
 * @returns The module.
 */
export function build(sections: Sections): Uint8Array<ArrayBuffer> {
  const { start, dataCount, customs = [] } = sections;
  const list = (id: number, entries?: readonly Bytes[]) =>
    entries === undefined ? [] : section(id, vec(entries));
  return wasm(
    list(1, sections.types),
    list(2, sections.imports),
    list(3, sections.functions?.map((type) => leb(type))),
    list(4, sections.tables),
    list(5, sections.memories),
    list(13, sections.tags),
    list(6, sections.globals),
    list(7, sections.exports),
    start === undefined ? [] : section(8, leb(start)),
    list(9, sections.elements),
    dataCount === undefined ? [] : section(12, leb(dataCount)),
    list(10, sections.bodies),
    list(11, sections.data),
    customs,
  );
}
