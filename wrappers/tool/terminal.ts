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

/**
 * Writes text to a stream that is somebody else's, and left open.
 *
 * @param stream The stream.
 * @returns What writes to it.
 */
export function writing(
  stream: WritableStream<Uint8Array>,
): (text: string) => Promise<void> {
  return async (text) => {
    const writer = stream.getWriter();
    try {
      await writer.write(new TextEncoder().encode(text));
    } finally {
      writer.releaseLock();
    }
  };
}
