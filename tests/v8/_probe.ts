/** Finds out which encodings of an instruction the engine accepts. */

import { body, build, type Bytes, flat, funcType, leb } from "../wasm.ts";

const FUNC_REF = 0x70;
const I32 = 0x7f;
const VARIABLE = 1;

/** What type 0 is; type 1 is a function. Instructions ask for one or another. */
const TYPES: readonly Bytes[] = [
  funcType(),
  [0x5f, 1, I32, VARIABLE],
  [0x5f, 1, 0x78, VARIABLE],
  [0x5e, 0x78, VARIABLE],
  [0x5e, FUNC_REF, VARIABLE],
];

/** Code around an instruction that it may need: before and behind it. */
const CONTEXTS: readonly (readonly [before: number[], behind: number[]])[] = [
  [[], []],
  [[], [0x0b]], // the instruction opens a block
  [[0x04, 0x40], [0x0b]], // if, for else
  [[0x06, 0x40], [0x0b]], // try, for catch and catch_all
  [[0x06, 0x40], []], // try, for delegate
  [[0x06, 0x40, 0x07, 0], [0x0b]], // a catch, for rethrow
  [[0x02, 0x63, 0, 0], [0x0b, 0x1a]], // a block whose label takes a reference
];

/** One way in which an instruction may be accepted. */
export interface Context {
  readonly type: Bytes;
  readonly before: readonly number[];
  readonly behind: readonly number[];
}

/** Every context, the simplest first; few of them depend on type 0. */
export const ALL_CONTEXTS: readonly Context[] = CONTEXTS.flatMap((
  [before, behind],
) => {
  const types = before.length === 0 ? TYPES : TYPES.slice(0, 1);
  return types.map((type) => ({ type, before, behind }));
});

/**
 * Ends a function on an empty stack, and no bytes but all of these do: empty
 * blocks within each other, so that an instruction which eats some of them as
 * its immediates leaves a module that is not valid.
 */
const CLOSE = [
  ...Array.from({ length: 24 }, (_, index) => index % 2 === 0 ? 0x02 : 0x40),
  ...Array.from({ length: 12 }, () => 0x0b),
  0x00,
];

/**
 * A module with one of everything, and a function of the given code behind an
 * `unreachable`, so that operands of any type are there.
 */
export function probe(
  { type, before, behind }: Context,
  instruction: readonly number[],
): Uint8Array<ArrayBuffer> {
  const code = flat(0x00, before, instruction, behind, CLOSE);
  return build({
    types: [type, funcType()],
    functions: [1],
    tables: [[FUNC_REF, 1, 1, 9]],
    memories: [[3, 1, 1]],
    tags: [[0, 1]],
    globals: [[I32, VARIABLE, 0x41, 0, 0x0b]],
    elements: [[5, FUNC_REF, 1, 0xd2, 0, 0x0b]],
    dataCount: 1,
    bodies: [body(code, [[1, I32]])],
    data: [[1, 1, 0]],
  });
}

/** Whether the engine accepts the instruction there. */
export function accepts(
  context: Context,
  instruction: readonly number[],
): boolean {
  return WebAssembly.validate(probe(context, instruction));
}

/** What immediates consist of: LEB128 numbers and single bytes. */
export type Item = { readonly leb: number } | { readonly byte: number };

/** Immediates as bytes; numbers with `padding` bytes more than they need. */
export function encode(items: readonly Item[], padding = 0): number[] {
  return items.flatMap((item) =>
    "byte" in item ? [item.byte] : leb(item.leb, 1 + padding)
  );
}
