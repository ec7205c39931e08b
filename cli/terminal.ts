/**
 * What a program writes, fit for a terminal.
 *
 * @module
 */

/** What moves a cursor, gives a command, or cannot be seen. */
const UNFIT = /(?!\r?\n|[\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes what a terminal would obey. Lines, tabs and the joiners that some
 * scripts need are left as they are.
 *
 * @param write Writes to the terminal.
 * @returns A stream for the program. Half a character at its end is not shown.
 */
export function terminalStream(
  write: (text: string) => Promise<void>,
): WritableStream<Uint8Array> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return new WritableStream({
    write: (chunk) =>
      write(
        decoder.decode(chunk, { stream: true }).replace(
          UNFIT,
          (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
        ),
      ),
  });
}
