/**
 * Instructions that take values and give one, by type. What takes immediates of
 * its own, works on memory or tables, or shapes the control flow, is written by
 * `_expressions.ts` and `_statements.ts`.
 *
 * Encodings: https://webassembly.github.io/spec/core/appendix/index-instructions.html
 *
 * @module
 */

import { leb } from "../wasm.ts";

/** A type of values. */
export type Type =
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "v128"
  | "funcref"
  | "externref";

/** Types that the host can pass, too. */
export const NUMBERS = ["i32", "i64", "f32", "f64"] as const;

/** A type that the host can pass, too. */
export type NumberType = typeof NUMBERS[number];

/** How types are encoded. */
export const TYPE_BYTES: Readonly<Record<Type, number>> = Object.freeze({
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
});

/** What an operand must be like, most of the time. */
export type Guard = "divisor" | "truncated";

/** An instruction. */
export interface Operator {
  /** Its encoding, without the lane. */
  readonly bytes: readonly number[];
  readonly params: readonly Type[];
  readonly result: Type;
  /** How many lanes there are, if it takes the number of one. */
  readonly lanes?: number;
  /** It traps for some values of its last operand. */
  readonly guard?: Guard;
  /** Lanes of its result may hold a NaN whose bits no engine promises. */
  readonly nan?: "f32x4" | "f64x2";
  /** Operand whose bits show in the result, a NaN's among them. */
  readonly exact?: number;
}

type Row = readonly [
  ranges: string,
  types: string,
  extra?: Omit<Operator, "bytes" | "params" | "result">,
];

const DIVISOR = { guard: "divisor" } as const;
const TRUNCATED = { guard: "truncated" } as const;
const F32X4 = { nan: "f32x4" } as const;
const F64X2 = { nan: "f64x2" } as const;

const CORE: readonly Row[] = [
  ["45 67-69 c0 c1", "i32 > i32"],
  ["46-4f 6a-6c 71-78", "i32 i32 > i32"],
  ["6d-70", "i32 i32 > i32", DIVISOR],
  ["50 a7", "i64 > i32"],
  ["51-5a", "i64 i64 > i32"],
  ["5b-60", "f32 f32 > i32"],
  ["61-66", "f64 f64 > i32"],
  ["79-7b c2-c4", "i64 > i64"],
  ["7c-7e 83-8a", "i64 i64 > i64"],
  ["7f-82", "i64 i64 > i64", DIVISOR],
  ["8b-91", "f32 > f32"],
  ["92-97", "f32 f32 > f32"],
  ["98", "f32 f32 > f32", { exact: 1 }],
  ["99-9f", "f64 > f64"],
  ["a0-a5", "f64 f64 > f64"],
  ["a6", "f64 f64 > f64", { exact: 1 }],
  ["a8 a9", "f32 > i32", TRUNCATED],
  ["aa ab", "f64 > i32", TRUNCATED],
  ["ac ad", "i32 > i64"],
  ["ae af", "f32 > i64", TRUNCATED],
  ["b0 b1", "f64 > i64", TRUNCATED],
  ["b2 b3", "i32 > f32"],
  ["b4 b5", "i64 > f32"],
  ["b6", "f64 > f32"],
  ["b7 b8", "i32 > f64"],
  ["b9 ba", "i64 > f64"],
  ["bb", "f32 > f64"],
  ["bc", "f32 > i32", { exact: 0 }],
  ["bd", "f64 > i64", { exact: 0 }],
  ["be", "i32 > f32"],
  ["bf", "i64 > f64"],
];

/** Behind 0xfc. */
const SATURATING: readonly Row[] = [
  ["0 1", "f32 > i32"],
  ["2 3", "f64 > i32"],
  ["4 5", "f32 > i64"],
  ["6 7", "f64 > i64"],
];

/** Behind 0xfd. */
const VECTORS: readonly Row[] = [
  ["e 23-4c 4e-51 65 66 6e-73 76-79 7b 82 85 86 8e-93 95-99", "v v > v"],
  ["9b-9f ae b1 b5-ba bc-bf ce d1 d5-df ea eb f6 f7", "v v > v"],
  ["4d 60-62 7c-81 87-8a a0 a1 a7-aa c0 c1 c7-ca e0 e1", "v > v"],
  ["ec ed f8-ff", "v > v"],
  ["52", "v v v > v"],
  ["53 63 64 83 84 a3 a4 c3 c4", "v > i32"],
  ["6b-6d 8b-8d ab-ad cb-cd", "v i32 > v"],
  ["f-11", "i32 > v"],
  ["12", "i64 > v"],
  ["13", "f32 > v", { exact: 0 }],
  ["14", "f64 > v", { exact: 0 }],
  ["15 16", "v > i32", { lanes: 16 }],
  ["17", "v i32 > v", { lanes: 16 }],
  ["18 19", "v > i32", { lanes: 8 }],
  ["1a", "v i32 > v", { lanes: 8 }],
  ["1b", "v > i32", { lanes: 4 }],
  ["1c", "v i32 > v", { lanes: 4 }],
  ["1d", "v > i64", { lanes: 2 }],
  ["1e", "v i64 > v", { lanes: 2 }],
  ["1f", "v > f32", { lanes: 4 }],
  ["20", "v f32 > v", { lanes: 4, exact: 1 }],
  ["21", "v > f64", { lanes: 2 }],
  ["22", "v f64 > v", { lanes: 2, exact: 1 }],
  ["5e 67-6a e3", "v > v", F32X4],
  ["e4-e9", "v v > v", F32X4],
  ["5f 74 75 7a 94 ef", "v > v", F64X2],
  ["f0-f5", "v v > v", F64X2],
];

/**
 * All operators.
 *
 * @param simd Whether those of vectors are among them.
 * @returns They, by the type of their result.
 */
export function operators(
  simd: boolean,
): ReadonlyMap<Type, readonly Operator[]> {
  return Map.groupBy([
    ...read(CORE, (opcode) => [opcode]),
    ...read(SATURATING, (opcode) => [0xfc, opcode]),
    ...simd ? read(VECTORS, (opcode) => [0xfd, ...leb(opcode)]) : [],
  ], ({ result }) => result);
}

function* read(
  rows: readonly Row[],
  encode: (opcode: number) => number[],
): Iterable<Operator> {
  for (const [ranges, types, extra] of rows) {
    const [params = [], [result = "i32"] = []] = types.split(" > ")
      .map((side) =>
        side.split(" ").map((type) => type === "v" ? "v128" : type as Type)
      );
    for (const range of ranges.split(" ")) {
      const [first = 0, last = first] = range.split("-")
        .map((digits) => parseInt(digits, 16));
      for (let opcode = first; opcode <= last; opcode++) {
        yield { bytes: encode(opcode), params, result, ...extra };
      }
    }
  }
}
