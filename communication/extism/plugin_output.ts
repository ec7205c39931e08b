/**
 * Bytes that came from a plug-in.
 *
 * @module
 */

const DECODER = new TextDecoder();

/**
 * A view of bytes that came from a plug-in, which is the reading side of
 * `DataView`, with text and JSON. Nothing of it is trusted, or checked.
 */
export class PluginOutput extends DataView<ArrayBuffer> {
  /**
   * Constructs it.
   *
   * @param bytes The bytes; nobody else has them.
   */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    // `buffer` holds these bytes and no others
    super(
      bytes.byteLength === bytes.buffer.byteLength
        ? bytes.buffer
        : bytes.slice().buffer,
    );
  }

  /**
   * Reads JSON.
   *
   * @typeParam T What the caller knows it to be.
   * @returns The value.
   * @throws {SyntaxError} If it is none.
   */
  json<T = unknown>(): T {
    return JSON.parse(this.string());
  }

  /**
   * Reads text in UTF-8; what is wrong in it becomes U+FFFD.
   *
   * @returns The text.
   */
  string(): string {
    return DECODER.decode(this.buffer);
  }

  /** As {@linkcode PluginOutput.string}. */
  text(): string {
    return this.string();
  }

  /**
   * The bytes themselves.
   *
   * @returns A view of them.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer);
  }

  /**
   * The bytes as a buffer of their own length.
   *
   * @returns The buffer.
   */
  arrayBuffer(): ArrayBuffer {
    return this.buffer;
  }
}
