/**
 * Carries a module's names over, so that stack traces can be read, with every
 * byte that could forge a line of a log replaced.
 *
 * Format: https://webassembly.github.io/spec/core/appendix/custom.html#name-section
 *
 * @module
 */

import type { ModuleLayout } from "./layout.ts";
import { ByteReader } from "./reader.ts";
import type { ByteWriter } from "./writer.ts";

const MODULE_NAME = 0;
const FUNCTION_NAMES = 1;
/** Longest name that is kept: a trace repeats it in each of its lines. */
const MAX_NAME_BYTES = 512;
const SPACE = 0x20;
const TILDE = 0x7e;
const QUESTION_MARK = 0x3f;

/**
 * Writes the names of the module and its functions. Writes nothing where the
 * section is not well formed or a name very long: names are a comfort, not a
 * promise.
 *
 * @param out Where to.
 * @param layout The module.
 */
export function writeNames(
  out: ByteWriter,
  { bytes, names }: ModuleLayout,
): void {
  if (names === undefined) return;
  const copy = bytes.slice(names.start, names.end);
  const kept: [start: number, end: number][] = [];
  try {
    const reader = new ByteReader(copy);
    while (reader.pos < copy.length) {
      const start = reader.pos;
      const id = reader.u8();
      const size = reader.count();
      const end = reader.pos + size;
      if (id === MODULE_NAME) clean(reader, copy);
      else if (id === FUNCTION_NAMES) cleanMap(reader, copy);
      if (id <= FUNCTION_NAMES) {
        if (reader.pos !== end) return;
        kept.push([start, end]);
      }
      reader.pos = end;
    }
  } catch {
    return;
  }
  out.byte(0).sized(() => {
    out.name("name");
    for (const [start, end] of kept) out.copy(copy, start, end);
  });
}

function cleanMap(reader: ByteReader, bytes: Uint8Array): void {
  const count = reader.count(2);
  for (let index = 0; index < count; index++) {
    reader.u32();
    clean(reader, bytes);
  }
}

/** Replaces all but printable ASCII in the name that comes next. */
function clean(reader: ByteReader, bytes: Uint8Array): void {
  const length = reader.count();
  if (length > MAX_NAME_BYTES) reader.fail("a name is too long");
  for (let index = 0; index < length; index++) {
    const byte = reader.u8();
    if (byte < SPACE || byte > TILDE) bytes[reader.pos - 1] = QUESTION_MARK;
  }
}
