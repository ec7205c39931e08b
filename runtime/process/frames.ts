/**
 * Messages between a host and the process of its guest: a header of plain data,
 * and bytes.
 *
 * ```text
 * message  type u8 · header u32 · body u32 · header (JSON) · body
 * ```
 *
 * All numbers are little-endian. Whoever reads trusts nothing: a length is
 * looked at before anything is kept.
 *
 * @module
 */

/** Types of messages. Those of the host are below 64. */
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
  ready: 64,
  done: 65,
  failed: 66,
  ask: 67,
  output: 68,
  events: 69,
  log: 70,
  write: 71,
});

/** Version of what is said; both ends come from the same copy of the package. */
export const PROTOCOL = 1;

/** Longest header. */
export const MAX_HEADER_BYTES = 8 * 2 ** 20;
/**
 * Bytes of output, events, lines and streams that a child may send without
 * being told that there is room for more.
 */
export const WINDOW_BYTES = 2 ** 20;
/** Longest piece of output in one message. */
export const OUTPUT_BYTES = 64 * 2 ** 10;
/** Longest piece of a call's stream in one message. */
export const STREAM_BYTES = 256 * 2 ** 10;
/** What a message costs its host beyond its bytes, if it is kept a while. */
const KEPT_BYTES = 4_096;
/** Type, and lengths of header and body. */
const HEAD_BYTES = 9;
/** What a pipe holds; what is longer is sent and received without a copy. */
export const PIPE_BYTES = 64 * 2 ** 10;

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
  /** What it counts against the window. */
  readonly cost: number;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array();

/**
 * Writes a message as chunks of bytes. The second, if there is one, is the body
 * itself.
 *
 * @param type One of {@linkcode FRAME}.
 * @param header Plain data.
 * @param body Bytes that belong to it.
 * @returns The chunks, in order.
 * @throws {RangeError} If the header is too long.
 */
export function encode(
  type: number,
  header: Header,
  body: Uint8Array = EMPTY,
): readonly Uint8Array[] {
  const text = ENCODER.encode(JSON.stringify(header));
  if (text.length > MAX_HEADER_BYTES) {
    throw new RangeError("Cannot send the message: its header is too long");
  }
  const headerEnd = HEAD_BYTES + text.length;
  // a long body is sent as it is: with a part of it before, it takes longer
  const copied = headerEnd + body.length <= PIPE_BYTES ? body : EMPTY;
  const first = new Uint8Array(headerEnd + copied.length);
  const view = new DataView(first.buffer);
  view.setUint8(0, type);
  view.setUint32(1, text.length, true);
  view.setUint32(5, body.length, true);
  first.set(text, HEAD_BYTES);
  first.set(copied, headerEnd);
  const isWhole = copied.length === body.length;
  return isWhole ? [first] : [first, body.subarray(copied.length)];
}

/**
 * The longest body of a question of a guest's: that of a plug-in, with its
 * variables and their names, is longer than a message.
 *
 * @param limits The limits of the guest.
 * @returns Bytes.
 */
export function longestBody(
  { messageBytes }: { readonly messageBytes: number },
): number {
  return messageBytes + 4 * 2 ** 20;
}

/**
 * What a message counts against the window.
 *
 * @param byteLength Its length, all in all.
 * @returns Bytes.
 */
export function costOf(byteLength: number): number {
  return KEPT_BYTES + byteLength;
}

/** For fewer bytes it is not worth while to read them apart. */
const LEAST_ROOM_BYTES = 16 * 2 ** 10;

/** A part of a message that is being read. */
type Part = "head" | "header" | "body";

/** Puts messages together out of a stream of bytes. */
export class MessageReader {
  readonly #maxBody: (type: number) => number;
  readonly #allocate: (size: number, type: number) => Uint8Array<ArrayBuffer>;
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #view = new DataView(this.#head.buffer);
  #part: Part = "head";
  /** What the part is read into, and how much of it has come. */
  #into: Uint8Array<ArrayBuffer> = this.#head;
  #filled = 0;
  /** Where the part stands in its buffer. */
  #offset = 0;
  #length = HEAD_BYTES;
  #chunk: Uint8Array = EMPTY;
  #type = 0;
  #bodyLength = 0;
  #headerLength = 0;
  #header: Header = {};

  /**
   * Constructs it.
   *
   * @param maxBody The longest body of a message, by its type; below 0 for a
   * type that may not come.
   * @param allocate Makes room for a body.
   */
  constructor(
    maxBody: (type: number) => number,
    allocate: (size: number, type: number) => Uint8Array<ArrayBuffer> = (
      size,
    ) => new Uint8Array(size),
  ) {
    this.#maxBody = maxBody;
    this.#allocate = allocate;
  }

  /** Whether nothing has come that was not taken out. */
  get isEmpty(): boolean {
    return this.#chunk.length === 0 && this.#part === "head" &&
      this.#filled === 0;
  }

  /**
   * Takes bytes; all messages before them must have been taken out.
   *
   * @param chunk The bytes; they may be overwritten once all messages were
   * taken out.
   */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  /**
   * Where the next bytes belong, if they are many: they may be put there, with
   * no copy in between. Then say so with {@linkcode MessageReader.fill}.
   */
  get room(): Uint8Array<ArrayBuffer> | undefined {
    const isLong = this.#into.length - this.#filled > LEAST_ROOM_BYTES;
    return isLong && this.#part === "body" && this.#chunk.length === 0
      ? this.#into.subarray(this.#filled)
      : undefined;
  }

  /**
   * Takes bytes that were put into the room.
   *
   * @param count How many.
   * @param buffer The buffer, which may be another one if it was transferred.
   */
  fill(count: number, buffer: ArrayBuffer): void {
    // the old one has no length any more, if it was transferred
    this.#into = new Uint8Array(buffer, this.#offset, this.#length);
    this.#filled += count;
  }

  /**
   * Takes the next message out.
   *
   * @returns The message; undefined if it is not whole yet.
   * @throws {ProtocolError} If what came is no message.
   */
  next(): Message | undefined {
    for (;;) {
      this.#take();
      if (this.#filled < this.#into.length) return undefined;
      switch (this.#part) {
        case "head":
          this.#endHead();
          break;
        case "header":
          this.#header = parseHeader(this.#into);
          this.#begin("body", this.#allocate(this.#bodyLength, this.#type));
          break;
        case "body":
          return this.#endBody();
      }
    }
  }

  #take(): void {
    const part = this.#chunk.subarray(0, this.#into.length - this.#filled);
    this.#into.set(part, this.#filled);
    this.#filled += part.length;
    this.#chunk = this.#chunk.subarray(part.length);
  }

  #begin(part: Part, into: Uint8Array<ArrayBuffer>): void {
    this.#part = part;
    this.#into = into;
    this.#offset = into.byteOffset;
    this.#length = into.length;
    this.#filled = 0;
  }

  #endHead(): void {
    const view = this.#view;
    const type = view.getUint8(0);
    const headerLength = view.getUint32(1, true);
    const bodyLength = view.getUint32(5, true);
    const max = this.#maxBody(type);
    if (max < 0) throw new ProtocolError(`a message of type ${type}`);
    if (headerLength > MAX_HEADER_BYTES) {
      throw new ProtocolError(`a header of ${headerLength} bytes`);
    }
    if (bodyLength > max) {
      throw new ProtocolError(`a body of ${bodyLength} bytes`);
    }
    this.#type = type;
    this.#headerLength = headerLength;
    this.#bodyLength = bodyLength;
    this.#begin("header", new Uint8Array(headerLength));
  }

  #endBody(): Message {
    const message = {
      type: this.#type,
      header: this.#header,
      body: this.#into,
      cost: costOf(HEAD_BYTES + this.#headerLength + this.#into.length),
    };
    this.#begin("head", this.#head);
    return message;
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
