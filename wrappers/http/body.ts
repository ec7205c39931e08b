/** Bodies of requests: within bounds of length and of time. */

import { ByteCollector } from "../../_streams.ts";
import { BodyStream, brokenBody, late, tooLarge } from "./body_stream.ts";
import type { Exchange } from "./exchange.ts";
import { Lateness, type Pending } from "./lateness.ts";
import { HttpProblem } from "./problem.ts";

/** What bodies are bounded by. */
export interface BodyBounds {
  readonly maxRequestBytes: number;
  readonly bodyTimeoutMs: number;
}

const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array();

/** Bodies up to this length are read in one piece, which is faster. */
const SHORT_BYTES = 65_536;

/** Reads the bodies of one server's requests. */
export class Bodies implements Disposable {
  readonly #maxBytes: number;
  readonly #lateness: Lateness;

  constructor({ maxRequestBytes, bodyTimeoutMs }: BodyBounds) {
    this.#maxBytes = maxRequestBytes;
    this.#lateness = new Lateness(bodyTimeoutMs);
  }

  /**
   * The length that a request says its body has.
   *
   * @param exchange The request.
   * @returns The length; undefined if it does not say.
   * @throws {HttpProblem} With status 413, or 400 if it is no length.
   */
  declaredLength({ request, mayHaveBody }: Exchange): number | undefined {
    if (!mayHaveBody) return undefined;
    const text = request.headers.get("content-length");
    if (text === null) return undefined;
    if (!/^\d+$/.test(text)) {
      throw new HttpProblem(400, "the content length is no number");
    }
    const length = Number(text);
    if (length > this.#maxBytes) throw tooLarge();
    return length;
  }

  /**
   * Reads a body to its end.
   *
   * @param exchange The request; told how much was read.
   * @returns Its bytes; none if there is no body.
   * @throws {HttpProblem} With status 408, 413 or 400.
   */
  async read(exchange: Exchange): Promise<Uint8Array> {
    if (!exchange.mayHaveBody) return NOTHING;
    const declared = this.declaredLength(exchange);
    if (declared === 0) {
      exchange.isBodyRead = true;
      return NOTHING;
    }
    // to ask for the stream would make one
    const bytes = declared !== undefined && declared <= SHORT_BYTES
      ? await this.#readShort(exchange)
      : await this.#readPieces(exchange);
    exchange.bodyBytes = bytes.length;
    exchange.isBodyRead = true;
    return bytes;
  }

  /**
   * Passes a body on as it comes.
   *
   * @param exchange The request; told how much was read.
   * @returns The body; dispose it when done.
   */
  stream(exchange: Exchange): BodyStream {
    return new BodyStream(exchange, this.#lateness, this.#maxBytes);
  }

  /** Lets go of the timer. */
  [Symbol.dispose](): void {
    this.#lateness[Symbol.dispose]();
  }

  async #readShort({ request }: Exchange): Promise<Uint8Array> {
    let pending: Pending | undefined;
    try {
      const bytes = await new Promise<Uint8Array>((resolve, reject) => {
        pending = this.#lateness.add(() => reject(late()));
        request.bytes().then(resolve, reject);
      });
      // a request that came over no socket may be longer than it says
      if (bytes.length > this.#maxBytes) throw tooLarge();
      return bytes;
    } catch (error) {
      throw brokenBody(error);
    } finally {
      if (pending !== undefined) this.#lateness.delete(pending);
    }
  }

  async #readPieces(exchange: Exchange): Promise<Uint8Array> {
    if (exchange.body === null) return NOTHING;
    using body = this.stream(exchange);
    const bytes = new ByteCollector();
    for (;;) {
      const piece = await body.read();
      if (piece === undefined) return bytes.take();
      bytes.write(piece);
    }
  }
}
