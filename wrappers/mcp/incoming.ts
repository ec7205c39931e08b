/** Bodies of requests: bounded each, in time, and all together. */

import { ByteCollector } from "../../_streams.ts";
import { Refused } from "./body.ts";
import { BUSY_CODE } from "./failures.ts";
import { isObject, type JsonObject } from "./names.ts";

/** So many of the longest bodies may be on their way at a time. */
const LONGEST_AT_A_TIME = 16;

/** What a body takes that nothing has come of. */
const OVERHEAD_BYTES = 16_384;

/** Bounds of one body. */
export interface BodyBounds {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** A body that is being read. */
interface Body {
  /** Bytes that it takes. */
  size: number;
  /** Why it is not read to its end. */
  refusal: Refused | undefined;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}

/**
 * Reads messages. When all that are on their way take too much, the one that
 * takes the most gives way: so whoever keeps long ones waiting keeps nobody out.
 */
export class Incoming implements Disposable {
  readonly #maxBytes: number;
  readonly #bodies = new Set<Body>();
  #size = 0;

  /**
   * Constructs it.
   *
   * @param maxBodyBytes Longest body.
   */
  constructor(maxBodyBytes: number) {
    this.#maxBytes = LONGEST_AT_A_TIME * (maxBodyBytes + OVERHEAD_BYTES);
  }

  /** Reads a message. */
  async read(request: Request, bounds: BodyBounds): Promise<JsonObject> {
    const bytes = await this.#bytesOf(request, bounds);
    let message: unknown;
    try {
      message = JSON.parse(
        new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      );
    } catch {
      throw new Refused(400, -32700, "Parse error: the body is not JSON");
    }
    if (isObject(message)) return message;
    throw new Refused(
      400,
      -32600,
      "Invalid request: send one message at a time, as an object",
    );
  }

  /** Reads none to its end any more. */
  [Symbol.dispose](): void {
    for (const body of this.#bodies) refuse(body, ending());
  }

  async #bytesOf(
    { body: stream, headers }: Request,
    { maxBytes, timeoutMs }: BodyBounds,
  ): Promise<Uint8Array> {
    if (stream === null) return new Uint8Array();
    if (Number(headers.get("content-length")) > maxBytes) {
      await stream.cancel();
      throw tooLarge(maxBytes);
    }
    const body: Body = {
      size: 0,
      refusal: undefined,
      reader: stream.getReader(),
    };
    this.#bodies.add(body);
    this.#grow(body, OVERHEAD_BYTES);
    const timer = setTimeout(() => refuse(body, tooSlow()), timeoutMs);
    try {
      return await this.#collect(body, maxBytes);
    } finally {
      clearTimeout(timer);
      this.#bodies.delete(body);
      this.#size -= body.size;
    }
  }

  async #collect(body: Body, maxBytes: number): Promise<Uint8Array> {
    // pieces may be of one byte each
    const bytes = new ByteCollector();
    try {
      for (;;) {
        const { done, value } = await body.reader.read();
        if (body.refusal !== undefined) throw body.refusal;
        if (done) return bytes.take();
        this.#grow(body, value.length);
        bytes.write(value);
        if (bytes.length > maxBytes) refuse(body, tooLarge(maxBytes));
      }
    } catch {
      // one who sends on for ever is not listened to
      body.reader.cancel().catch(() => {});
      throw body.refusal ??
        new Refused(400, -32700, "The body could not be read");
    }
  }

  #grow(body: Body, bytes: number): void {
    body.size += bytes;
    this.#size += bytes;
    if (this.#size <= this.#maxBytes) return;
    const [largest] = [...this.#bodies].filter((each) => !each.refusal)
      .sort((a, b) => b.size - a.size);
    if (largest !== undefined) refuse(largest, tooMany());
  }
}

/** Ends the reading of a body, with what its sender is told. */
function refuse(body: Body, refusal: Refused): void {
  body.refusal ??= refusal;
  // whoever waits for the next piece wakes up
  body.reader.cancel().catch(() => {});
}

function tooLarge(maxBytes: number): Refused {
  return new Refused(
    413,
    -32000,
    `The request is longer than ${maxBytes} bytes`,
  );
}

function tooSlow(): Refused {
  return new Refused(408, -32000, "The request took too long");
}

function tooMany(): Refused {
  return new Refused(503, BUSY_CODE, "Too many requests are on their way");
}

function ending(): Refused {
  return new Refused(503, BUSY_CODE, "The server ends");
}
