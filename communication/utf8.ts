/**
 * Text in UTF-8, taken strictly.
 *
 * @module
 */

const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads UTF-8; a byte order mark is text like any other.
 *
 * @param bytes The bytes.
 * @returns The text; undefined if they are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array<ArrayBuffer>): string | undefined {
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
