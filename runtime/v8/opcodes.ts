/**
 * Tables of every instruction that V8 15 accepts without a flag: how its
 * immediates are read, which proposal it belongs to, and what it costs.
 * A test probes the engine opcode by opcode and fails when they differ.
 *
 * Encodings: https://webassembly.github.io/spec/core/appendix/index-instructions.html
 *
 * @module
 */

import { FEATURE_BITS as F } from "./features.ts";
import { CORE_HEIGHT } from "./height.ts";

/** How the scanner treats an instruction. Dense, so that a switch is a jump. */
export const Act = Object.freeze({
  plain: 0,
  leb: 1,
  leb2: 2,
  memarg: 3,
  i32Const: 4,
  f32Const: 5,
  f64Const: 6,
  block: 7,
  loop: 8,
  if: 9,
  else: 10,
  end: 11,
  br: 12,
  brIf: 13,
  brTable: 14,
  return: 15,
  call: 16,
  callIndirect: 17,
  returnCall: 18,
  returnCallIndirect: 19,
  unreachable: 20,
  try: 21,
  catch: 22,
  catchAll: 23,
  delegate: 24,
  throw: 25,
  throwRef: 26,
  tryTable: 27,
  selectTyped: 28,
  grow: 29,
  prefixGc: 30,
  prefixMisc: 31,
  prefixSimd: 32,
  prefixAtomic: 33,
  reference: 34,
  unknown: 35,
});

/** How the immediates behind a prefix byte are read. */
export const Sub = Object.freeze({
  none: 0,
  leb: 1,
  leb2: 2,
  memarg: 3,
  memargLane: 4,
  lane: 5,
  bytes16: 6,
  castBranch: 7,
  unknown: 8,
});

interface Table {
  /** {@linkcode Act} or {@linkcode Sub} by opcode. */
  readonly act: Uint8Array;
  /** Bit of the feature by opcode, 0 for WebAssembly 1.0. */
  readonly feature: Uint16Array;
}

type Row = readonly [first: number, last: number, act: number, feature: number];

function table(size: number, unknown: number, rows: readonly Row[]): Table {
  const act = new Uint8Array(size).fill(unknown);
  const feature = new Uint16Array(size);
  for (const [first, last, kind, bit] of rows) {
    act.fill(kind, first, last + 1);
    feature.fill(bit, first, last + 1);
  }
  return { act, feature };
}

const REF = F.referenceTypes;
const FUNC = F.functionReferences;

/** Instructions of one byte. */
export const CORE: Table = table(256, Act.unknown, [
  [0x00, 0x00, Act.unreachable, 0],
  [0x01, 0x01, Act.plain, 0], // nop
  [0x02, 0x02, Act.block, 0],
  [0x03, 0x03, Act.loop, 0],
  [0x04, 0x04, Act.if, 0],
  [0x05, 0x05, Act.else, 0],
  [0x06, 0x06, Act.try, F.legacyExceptions],
  [0x07, 0x07, Act.catch, F.legacyExceptions],
  [0x08, 0x08, Act.throw, F.exceptions],
  [0x09, 0x09, Act.throw, F.legacyExceptions], // rethrow
  [0x0a, 0x0a, Act.throwRef, F.exceptions],
  [0x0b, 0x0b, Act.end, 0],
  [0x0c, 0x0c, Act.br, 0],
  [0x0d, 0x0d, Act.brIf, 0],
  [0x0e, 0x0e, Act.brTable, 0],
  [0x0f, 0x0f, Act.return, 0],
  [0x10, 0x10, Act.call, 0],
  [0x11, 0x11, Act.callIndirect, 0],
  [0x12, 0x12, Act.returnCall, F.tailCall],
  [0x13, 0x13, Act.returnCallIndirect, F.tailCall],
  [0x14, 0x14, Act.call, FUNC], // call_ref
  [0x15, 0x15, Act.returnCall, FUNC | F.tailCall], // return_call_ref
  [0x18, 0x18, Act.delegate, F.legacyExceptions],
  [0x19, 0x19, Act.catchAll, F.legacyExceptions],
  [0x1a, 0x1b, Act.plain, 0], // drop, select
  [0x1c, 0x1c, Act.selectTyped, REF],
  [0x1f, 0x1f, Act.tryTable, F.exceptions],
  [0x20, 0x24, Act.leb, 0], // local.*, global.*
  [0x25, 0x26, Act.reference, REF], // table.get, table.set
  [0x28, 0x3e, Act.memarg, 0],
  [0x3f, 0x3f, Act.leb, 0], // memory.size
  [0x40, 0x40, Act.grow, 0],
  [0x41, 0x41, Act.i32Const, 0],
  [0x42, 0x42, Act.leb, 0], // i64.const
  [0x43, 0x43, Act.f32Const, 0],
  [0x44, 0x44, Act.f64Const, 0],
  [0x45, 0xc4, Act.plain, 0],
  [0xd0, 0xd0, Act.leb, REF], // ref.null
  [0xd1, 0xd1, Act.plain, REF], // ref.is_null
  [0xd2, 0xd2, Act.reference, REF], // ref.func
  [0xd3, 0xd3, Act.plain, F.gc], // ref.eq
  [0xd4, 0xd4, Act.plain, FUNC], // ref.as_non_null
  [0xd5, 0xd6, Act.brIf, FUNC], // br_on_null, br_on_non_null
  [0xfb, 0xfb, Act.prefixGc, F.gc],
  [0xfc, 0xfc, Act.prefixMisc, 0],
  [0xfd, 0xfd, Act.prefixSimd, F.simd],
  [0xfe, 0xfe, Act.prefixAtomic, F.threads],
]);

/** Behind 0xfb: structures, arrays, casts. */
export const GC: Table = table(0x1f, Sub.unknown, [
  [0x00, 0x01, Sub.leb, F.gc], // struct.new*
  [0x02, 0x05, Sub.leb2, F.gc], // struct.get*, struct.set
  [0x06, 0x07, Sub.leb, F.gc], // array.new, array.new_default
  [0x08, 0x0a, Sub.leb2, F.gc], // array.new_fixed, _data, _elem
  [0x0b, 0x0e, Sub.leb, F.gc], // array.get*, array.set
  [0x0f, 0x0f, Sub.none, F.gc], // array.len
  [0x10, 0x10, Sub.leb, F.gc], // array.fill
  [0x11, 0x13, Sub.leb2, F.gc], // array.copy, array.init_*
  [0x14, 0x17, Sub.leb, F.gc], // ref.test*, ref.cast*
  [0x18, 0x19, Sub.castBranch, F.gc], // br_on_cast, br_on_cast_fail
  [0x1a, 0x1e, Sub.none, F.gc], // conversions, i31
]);

const BULK = F.bulkMemory;

/** Behind 0xfc: saturating conversions and bulk operations. */
export const MISC: Table = table(0x12, Sub.unknown, [
  [0x00, 0x07, Sub.none, 0],
  [0x08, 0x08, Sub.leb2, BULK], // memory.init
  [0x09, 0x09, Sub.leb, BULK], // data.drop
  [0x0a, 0x0a, Sub.leb2, BULK], // memory.copy
  [0x0b, 0x0b, Sub.leb, BULK], // memory.fill
  [0x0c, 0x0c, Sub.leb2, BULK], // table.init
  [0x0d, 0x0d, Sub.leb, BULK], // elem.drop
  [0x0e, 0x0e, Sub.leb2, BULK], // table.copy
  [0x0f, 0x11, Sub.leb, REF], // table.grow, table.size, table.fill
]);

const RELAXED = F.simd | F.relaxedSimd;

/** Behind 0xfd: vectors. */
export const SIMD: Table = table(0x114, Sub.unknown, [
  [0x00, 0x0b, Sub.memarg, F.simd],
  [0x0c, 0x0d, Sub.bytes16, F.simd], // v128.const, i8x16.shuffle
  [0x0e, 0x14, Sub.none, F.simd],
  [0x15, 0x22, Sub.lane, F.simd],
  [0x23, 0x53, Sub.none, F.simd],
  [0x54, 0x5b, Sub.memargLane, F.simd],
  [0x5c, 0x5d, Sub.memarg, F.simd],
  [0x5e, 0xff, Sub.none, F.simd],
  ...[
    [0x9a, 0x9a],
    [0xa2, 0xa2],
    [0xa5, 0xa6],
    [0xaf, 0xb0],
    [0xb2, 0xb4],
    [0xbb, 0xbb],
    [0xc2, 0xc2],
    [0xc5, 0xc6],
    [0xcf, 0xd0],
    [0xd2, 0xd4],
    [0xe2, 0xe2],
    [0xee, 0xee],
  ].map(([first = 0, last = 0]): Row => [first, last, Sub.unknown, F.simd]),
  [0x100, 0x113, Sub.none, RELAXED],
]);

/** Behind 0xfe: atomics. */
export const ATOMIC: Table = table(0x4f, Sub.unknown, [
  [0x00, 0x02, Sub.memarg, F.threads], // notify, wait32, wait64
  [0x03, 0x03, Sub.lane, F.threads], // fence
  [0x10, 0x4e, Sub.memarg, F.threads],
]);

/** Instructions that only shape the control flow cost no fuel, as in Wasmtime. */
// unreachable, nop, block, loop, else, try, catch, end, return, delegate,
// catch_all, drop, try_table
const FREE = [0, 1, 2, 3, 5, 6, 7, 0xb, 0xf, 0x18, 0x19, 0x1a, 0x1f];

/** Where the fuel of an instruction stands in {@linkcode INFO}. */
export const COST_SHIFT = 6;
/** Where the features of an instruction stand in {@linkcode INFO}. */
export const FEATURE_SHIFT = 7;
/** The bits of the features in {@linkcode INFO}, once shifted. */
export const FEATURE_MASK = 4095;
/** Where the change of the stack's height stands in {@linkcode INFO}, signed. */
export const HEIGHT_SHIFT = 20;
/** The bits of {@linkcode Act} in {@linkcode INFO}. */
export const ACT_MASK = 63;

/**
 * All of {@linkcode CORE} in one number for each opcode, with the fuel that
 * the instruction costs, 0 or 1, and how it changes the stack's height.
 */
export const INFO: Int32Array = Int32Array.from(CORE.act, (act, opcode) => {
  const cost = FREE.includes(opcode) ? 0 : 1;
  const feature = CORE.feature[opcode] ?? 0;
  const height = CORE_HEIGHT[opcode] ?? 0;
  return act | cost << COST_SHIFT | feature << FEATURE_SHIFT |
    height << HEIGHT_SHIFT;
});

/** Fuel of memory.grow and table.grow, whose work is not one instruction's. */
export const GROW_COST = 256;
/** Bytes that a bulk operation on memory moves for one unit of fuel. */
export const BYTES_PER_FUEL = 64;
/** Bytes that a bulk operation on memory moves between two checks. */
export const PIECE_BYTES: number = 1 << 20;
/** Elements that a bulk operation on a table moves between two checks. */
export const PIECE_ELEMENTS: number = 1 << 17;
