/** What a module is to a web server, by what it exports. */

import { ByteReader } from "../../runtime/v8/reader.ts";

const HEADER_BYTES = 8;
const EXPORT_SECTION = 7;
const FUNCTION = 0;

/**
 * Whether a module is a program. Nothing of it is compiled; what is no module is
 * none, and refused by whoever opens it.
 *
 * @param bytes The module.
 * @returns Whether it exports a function `_start`.
 */
export function isProgram(bytes: Uint8Array): boolean {
  try {
    return exportsStart(new ByteReader(bytes, HEADER_BYTES));
  } catch {
    return false;
  }
}

function exportsStart(reader: ByteReader): boolean {
  while (reader.pos < reader.bytes.length) {
    const id = reader.u8();
    const length = reader.u32();
    if (id !== EXPORT_SECTION) {
      reader.skip(length);
      continue;
    }
    for (let left = reader.count(); left > 0; left--) {
      const name = reader.name();
      const kind = reader.u8();
      reader.u32();
      if (name === "_start" && kind === FUNCTION) return true;
    }
    return false;
  }
  return false;
}
