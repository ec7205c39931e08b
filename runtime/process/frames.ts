/**
 * Frames between a host and the process of its guest: a length, a type, and a
 * payload. A message is a frame with a JSON header and bytes; bytes that are
 * too many for one frame follow in frames of their own.
 *
 * ```text
 * frame    length u32 (of what follows) · type u8 · payload
 * message  header u32 · body u32 · header (JSON) · body, unless it follows
 * ```
 *
 * All numbers are little-endian. Whoever reads trusts nothing: a length is
 * looked at before anything is kept.
 *
 * @module
 */

/** Types of frames. Those of the host are below 64. */
export const FRAME = Object.freeze({
  open: 1,
  instantiate: 2,
  call: 3,
  exchange: 4,
  execute: 5,
  fuel: 6,
  release: 7,
  reply: 8,
  credit: 9,
  data: 10,
  ready: 64,
  done: 65,
  failed: 66,
  ask: 67,
  output: 68,
  events: 69,
});

/** Version of what is said; both ends come from the same copy of the package. */
export const PROTOCOL = 1;

/** Longest frame, without its length. */
export const MAX_FRAME_BYTES = 8 * 2 ** 20;
/** Longest body within a frame; longer ones follow in pieces of this length. */
export const PIECE_BYTES = 2 ** 20;
/**
 * Bytes of output and events that a child may send without being told that
 * there is room for more.
 */
export const WINDOW_BYTES = 256 * 2 ** 10;
/** Longest piece of output in one message. */
export const OUTPUT_BYTES = 64 * 2 ** 10;
/** Length and type. */
const HEAD_BYTES = 5;
/** Lengths of header and body. */
const LENGTHS_BYTES = 8;

/** What was said breaks the rules. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** A header: plain data. */
export type Header = Readonly<Record<string, unknown>>;

/** A message, whole. */
export interface Message {
  /** One of {@linkcode FRAME}. */
  readonly type: number;
  /** Any object; its fields are for the reader to check. */
  readonly header: Header;
  /** Bytes that belong to it. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Length of its first frame, which is what counts against the window. */
  readonly frameBytes: number;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array();

/**
 * Writes a message as chunks of bytes.
 *
 * @param type One of {@linkcode FRAME}.
 * @param header Plain data.
 * @param body Bytes that belong to it.
 * @returns The chunks, in order.
 * @throws {RangeError} If the header is too long for a frame.
 */
export function* encode(
  type: number,
  header: Header,
  body: Uint8Array = EMPTY,
): Generator<Uint8Array<ArrayBuffer>> {
  const text = ENCODER.encode(JSON.stringify(header));
  const isWhole = body.length <= PIECE_BYTES;
  const within = LENGTHS_BYTES + text.length + (isWhole ? body.length : 0);
  if (within + 1 > MAX_FRAME_BYTES) {
    throw new RangeError("Cannot send the message: its header is too long");
  }
  const frame = frameOf(type, within);
  const view = new DataView(frame.buffer);
  view.setUint32(HEAD_BYTES, text.length, true);
  view.setUint32(HEAD_BYTES + 4, body.length, true);
  frame.set(text, HEAD_BYTES + LENGTHS_BYTES);
  if (isWhole) frame.set(body, HEAD_BYTES + LENGTHS_BYTES + text.length);
  yield frame;
  if (isWhole) return;
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    const piece = body.subarray(at, at + PIECE_BYTES);
    const data = frameOf(FRAME.data, piece.length);
    data.set(piece, HEAD_BYTES);
    yield data;
  }
}

function frameOf(type: number, payload: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEAD_BYTES + payload);
  new DataView(frame.buffer).setUint32(0, payload + 1, true);
  frame[4] = type;
  return frame;
}

interface Frame {
  readonly type: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Cuts a stream of bytes into frames. */
class FrameReader {
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headFilled = 0;
  #payload: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #chunk: Uint8Array = EMPTY;

  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  next(): Frame | undefined {
    if (this.#payload === undefined) {
      this.#headFilled += this.#take(this.#head, this.#headFilled);
      if (this.#headFilled < HEAD_BYTES) return undefined;
      const length = new DataView(this.#head.buffer).getUint32(0, true);
      if (length < 1 || length > MAX_FRAME_BYTES) {
        throw new ProtocolError(`a frame of ${length} bytes`);
      }
      this.#payload = new Uint8Array(length - 1);
      this.#filled = 0;
    }
    const payload = this.#payload;
    this.#filled += this.#take(payload, this.#filled);
    if (this.#filled < payload.length) return undefined;
    this.#payload = undefined;
    this.#headFilled = 0;
    return { type: this.#head[4] ?? 0, payload };
  }

  #take(into: Uint8Array, filled: number): number {
    const part = this.#chunk.subarray(0, into.length - filled);
    into.set(part, filled);
    this.#chunk = this.#chunk.subarray(part.length);
    return part.length;
  }
}

interface Unfinished extends Message {
  filled: number;
}

/** Puts messages together out of a stream of bytes. */
export class MessageReader {
  readonly #frames = new FrameReader();
  readonly #maxBody: (type: number) => number;
  #partial: Unfinished | undefined;

  /**
   * Constructs it.
   *
   * @param maxBody The longest body of a message, by its type; below 0 for a
   * type that may not come.
   */
  constructor(maxBody: (type: number) => number) {
    this.#maxBody = maxBody;
  }

  /**
   * Takes bytes; all messages before them must have been taken out.
   *
   * @param chunk The bytes.
   */
  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  /**
   * Takes the next message out.
   *
   * @returns The message; undefined if it is not whole yet.
   * @throws {ProtocolError} If what came is no message.
   */
  next(): Message | undefined {
    for (;;) {
      const frame = this.#frames.next();
      if (frame === undefined) return undefined;
      const message = this.#partial === undefined
        ? this.#begin(frame)
        : this.#goOn(this.#partial, frame);
      if (message !== undefined) return message;
    }
  }

  #begin({ type, payload }: Frame): Message | undefined {
    const max = this.#maxBody(type);
    if (max < 0) throw new ProtocolError(`a frame of type ${type}`);
    if (payload.length < LENGTHS_BYTES) throw new ProtocolError("half a frame");
    const view = new DataView(payload.buffer);
    const headerEnd = LENGTHS_BYTES + view.getUint32(0, true);
    const size = view.getUint32(4, true);
    if (size > max) throw new ProtocolError(`a body of ${size} bytes`);
    const isWhole = size <= PIECE_BYTES;
    if (headerEnd + (isWhole ? size : 0) !== payload.length) {
      throw new ProtocolError("lengths that do not add up");
    }
    const header = parseHeader(payload.subarray(LENGTHS_BYTES, headerEnd));
    const frameBytes = HEAD_BYTES + payload.length;
    if (isWhole) {
      return { type, header, body: payload.subarray(headerEnd), frameBytes };
    }
    const body = new Uint8Array(size);
    this.#partial = { type, header, body, frameBytes, filled: 0 };
    return undefined;
  }

  #goOn(partial: Unfinished, { type, payload }: Frame): Message | undefined {
    const { body } = partial;
    const rest = body.length - partial.filled;
    if (type !== FRAME.data || payload.length !== Math.min(rest, PIECE_BYTES)) {
      throw new ProtocolError("another frame amid a body");
    }
    body.set(payload, partial.filled);
    partial.filled += payload.length;
    if (partial.filled < body.length) return undefined;
    this.#partial = undefined;
    return partial;
  }
}

function parseHeader(bytes: Uint8Array): Header {
  let header: unknown;
  try {
    header = JSON.parse(DECODER.decode(bytes));
  } catch (cause) {
    throw new ProtocolError("a header that is no JSON", { cause });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new ProtocolError("a header that is no object");
  }
  return header as Header;
}
