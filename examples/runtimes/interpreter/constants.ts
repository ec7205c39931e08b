/**
 * Constant expressions: checked when a module is compiled, calculated when it
 * is instantiated.
 *
 * @module
 */

import type { Proposals } from "./proposals.ts";
import type { Reader } from "./reader.ts";
import {
  type Constant,
  type ConstantStep,
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  type ModuleParts,
} from "./types.ts";
import { readReferenceType } from "./value_types.ts";

/** Longest constant expression, in steps. */
const MAX_STEPS = 1_000;

/**
 * Reads a constant expression.
 *
 * @param reader Stands where it begins.
 * @param type What it must give.
 * @param parts What the module has declared before it.
 * @param proposals What the module may use.
 * @returns Its steps.
 * @throws {SandboxError} If it is not valid.
 */
export function readConstant(
  reader: Reader,
  type: number,
  parts: ModuleParts,
  proposals: Proposals,
): Constant {
  const start = reader.at;
  const steps: ConstantStep[] = [];
  const types: number[] = [];
  for (;;) {
    const op = reader.u8();
    if (op === 0x0b) break;
    if (steps.length === MAX_STEPS) {
      throw reader.tooMuch(`a constant of more than ${MAX_STEPS} steps`);
    }
    steps.push([op, readStep(reader, op, types, parts, proposals)]);
  }
  if (types.length !== 1 || types[0] !== type) {
    throw reader.fault("a constant expression is of another type", start);
  }
  return steps;
}

/** Reads the operand of a step, and does to the types what the step does. */
function readStep(
  reader: Reader,
  op: number,
  types: number[],
  parts: ModuleParts,
  proposals: Proposals,
): bigint {
  const at = reader.at - 1;
  switch (op) {
    case 0x41:
      types.push(I32);
      return BigInt(reader.s32());
    case 0x42:
      types.push(I64);
      return reader.s64();
    case 0x43:
      types.push(F32);
      return reader.bits(4);
    case 0x44:
      types.push(F64);
      return reader.bits(8);
    case 0x23: {
      const index = reader.u32();
      const global = parts.globals[index];
      if (global === undefined || global.mutable) {
        throw reader.fault("no constant global", at);
      }
      types.push(global.type);
      return BigInt(index);
    }
    case 0xd0: {
      proposals.use("referenceTypes", at);
      types.push(readReferenceType(reader, proposals));
      return 0n;
    }
    case 0xd2: {
      const index = reader.u32();
      if (index >= parts.functions.length) {
        throw reader.fault("no such function", at);
      }
      proposals.use("referenceTypes", at);
      parts.referable.add(index);
      types.push(FUNCREF);
      return BigInt(index + 1);
    }
    case 0x6a:
    case 0x6b:
    case 0x6c:
    case 0x7c:
    case 0x7d:
    case 0x7e: {
      const type = op < 0x70 ? I32 : I64;
      if (types.pop() !== type || types.pop() !== type) {
        throw reader.fault("a constant expression is of another type", at);
      }
      types.push(type);
      return 0n;
    }
    default:
      proposals.refuse(op, at);
      throw reader.fault("no instruction of a constant expression", at);
  }
}

/**
 * Calculates a constant expression that was checked.
 *
 * @param steps Its steps.
 * @param globalBits Gives the bits of a global.
 * @returns The bits of its value, at most 64.
 */
export function evaluate(
  steps: Constant,
  globalBits: (index: number) => bigint,
): bigint {
  const values: bigint[] = [];
  for (const [op, operand] of steps) {
    if (op === 0x23) values.push(globalBits(Number(operand)));
    else if (op < 0x60 || op > 0x7e) values.push(operand);
    else {
      const second = values.pop() ?? 0n;
      const first = values.pop() ?? 0n;
      values.push(BigInt.asUintN(op < 0x70 ? 32 : 64, fold(op, first, second)));
    }
  }
  return BigInt.asUintN(64, values.pop() ?? 0n);
}

function fold(op: number, first: bigint, second: bigint): bigint {
  if (op === 0x6a || op === 0x7c) return first + second;
  if (op === 0x6b || op === 0x7d) return first - second;
  return first * second;
}
