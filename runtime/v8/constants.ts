/**
 * Constant expressions: what globals, segments and tables begin with.
 *
 * @module
 */

import { Act, CORE, GC, SIMD, Sub } from "./opcodes.ts";
import type { ByteReader } from "./reader.ts";

const END = 0x0b;

/**
 * Passes over a constant expression; the engine checks what is in it.
 *
 * @param reader Where it begins; stands behind it afterwards.
 * @returns The features that it uses.
 * @throws {SandboxError} With code `invalid-module` if it holds an instruction
 * that no constant has.
 */
export function skipConstant(reader: ByteReader): number {
  let features = 0;
  for (;;) {
    const opcode = reader.u8();
    if (opcode === END) return features;
    features |= CORE.feature[opcode] ?? 0;
    const act = CORE.act[opcode];
    if (
      act === Act.leb || act === Act.i32Const || act === Act.reference
    ) reader.skipLeb();
    else if (act === Act.f32Const) reader.skip(4);
    else if (act === Act.f64Const) reader.skip(8);
    else if (act === Act.prefixGc) skipGc(reader);
    else if (act === Act.prefixSimd) skipSimd(reader);
    else if (act !== Act.plain) notConstant(reader);
  }
}

function skipGc(reader: ByteReader): void {
  const sub = GC.act[reader.u32()];
  if (sub === Sub.leb || sub === Sub.leb2) reader.skipLeb();
  if (sub === Sub.leb2) reader.skipLeb();
  if (sub === undefined || sub > Sub.leb2) notConstant(reader);
}

function skipSimd(reader: ByteReader): void {
  if (SIMD.act[reader.u32()] !== Sub.bytes16) notConstant(reader);
  reader.skip(16);
}

function notConstant(reader: ByteReader): never {
  return reader.fail("a constant expression holds another instruction");
}
