/**
 * Hostile modules that the assembler has no text for, byte by byte.
 *
 * @module
 */

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** The header of a component, whose version is 13 and whose layer is 1. */
export const COMPONENT: Uint8Array<ArrayBuffer> = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00],
);

/** A module in the text format, which nobody has assembled. */
export const TEXT: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  '(module (func (export "run")))',
);

/**
 * Makes arrays of 100 million 64-bit numbers that the collector has to find
 * room for, outside of every linear memory.
 *
 * @returns The module.
 */
export function gcBomb(): Uint8Array<ArrayBuffer> {
  return moduleOf(
    // (type (array (mut i64))) (type (func))
    [0x02, 0x5e, 0x7e, 0x01, 0x60, 0x00, 0x00],
    0x01,
    // (loop (drop (array.new_default 0 (i32.const 100_000_000))) (br 0))
    [0x00, 0x03, 0x40, 0x41, ...leb(100_000_000), 0xfb, 0x07, 0x00, 0x1a],
    [0x0c, 0x00, 0x0b, 0x0b],
  );
}

/**
 * Has 40,000 locals and 1,000 branches, few bytes of which the engine makes
 * gigabytes while it compiles them: it notes every local at every branch.
 *
 * @returns The module.
 */
export function localsBomb(): Uint8Array<ArrayBuffer> {
  return moduleOf(
    [0x01, 0x60, 0x00, 0x00],
    0x00,
    [0x01, ...leb(40_000), 0x7f],
    // (if (local.get 0) (then))
    Array.from({ length: 1_000 }, () => [0x20, 0x00, 0x04, 0x40, 0x0b]).flat(),
    [0x0b],
  );
}

/** A module with one function, which is exported as `run`. */
function moduleOf(
  types: readonly number[],
  type: number,
  ...body: readonly (readonly number[])[]
): Uint8Array<ArrayBuffer> {
  const code = body.flat();
  return Uint8Array.from([
    ...HEADER,
    ...section(1, types),
    ...section(3, [0x01, type]),
    ...section(7, [0x01, 0x03, 0x72, 0x75, 0x6e, 0x00, 0x00]),
    ...section(10, [0x01, ...leb(code.length), ...code]),
  ]);
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...leb(content.length), ...content];
}

/** Unsigned LEB128; what is encoded here reads the same signed. */
function leb(value: number): readonly number[] {
  return value < 0x80
    ? [value]
    : [(value & 0x7f) | 0x80, ...leb(Math.floor(value / 0x80))];
}
