/**
 * Text in UTF-8, taken strictly.
 *
 * @module
 */

/** Up to so many bytes, ASCII is read faster here than by the decoder. */
const MAX_SHORT_BYTES = 48;

const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads UTF-8; a byte order mark is text like any other.
 *
 * @param bytes The bytes.
 * @returns The text; undefined if they are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const short = shortAscii(bytes);
  if (short !== undefined) return short;
  // the lenient one is faster; what it replaces, the strict one refuses
  const text = LENIENT.decode(bytes);
  if (!text.includes("\ufffd")) return text;
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Reads what need not be UTF-8: what is wrong becomes U+FFFD.
 *
 * @param bytes The bytes.
 * @returns The text.
 */
export function decodeLeniently(bytes: Uint8Array<ArrayBuffer>): string {
  return LENIENT.decode(bytes);
}

/** Text of a few bytes, if all of it is ASCII. */
function shortAscii(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const { length } = bytes;
  if (length > MAX_SHORT_BYTES) return undefined;
  const units = new Array<number>(length);
  for (let at = 0; at < length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return undefined;
    units[at] = byte;
  }
  return String.fromCharCode.apply(undefined, units);
}
