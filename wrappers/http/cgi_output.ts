/** The output of a CGI program while it runs. */

import { ByteCollector } from "../../_streams.ts";
import { HeadFinder, longestCgiHead, readCgiHead } from "./cgi_reply.ts";
import { type Exchange, LocalRedirect } from "./exchange.ts";
import type { HeadBounds } from "./head.ts";
import { badReply } from "./problem.ts";
import type { ReplyStream } from "./reply_body.ts";

/** Splits an output into head and body. */
export class CgiOutput {
  /** Where the program writes to. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #reply: ReplyStream;
  readonly #exchange: Exchange;
  readonly #bounds: HeadBounds;
  readonly #head = new ByteCollector();
  readonly #finder = new HeadFinder();
  #redirect: string | undefined;
  #problem: unknown;

  constructor(reply: ReplyStream, exchange: Exchange, bounds: HeadBounds) {
    this.#reply = reply;
    this.#exchange = exchange;
    this.#bounds = bounds;
    this.writable = new WritableStream({
      write: (piece) => this.#write(piece),
    });
  }

  /** What was wrong with what was written, if anything was. */
  get problem(): unknown {
    return this.#problem ?? this.#reply.problem;
  }

  /**
   * Tells that the program has ended as it should.
   *
   * @throws {HttpProblem} With status 502 if there is no head.
   * @throws {LocalRedirect} If the program wants another path.
   */
  end(): void {
    if (this.#redirect !== undefined) throw new LocalRedirect(this.#redirect);
    if (!this.#reply.hasBegun) throw badReply("it has no end of its head");
  }

  async #write(piece: Uint8Array): Promise<void> {
    try {
      if (this.#redirect !== undefined) return;
      if (this.#reply.hasBegun) return await this.#reply.write(piece);
      await this.#writeHead(piece);
    } catch (error) {
      this.#problem ??= error;
      throw error;
    }
  }

  async #writeHead(piece: Uint8Array): Promise<void> {
    const end = this.#finder.find(piece);
    this.#head.write(piece.subarray(0, end));
    if (this.#head.length > longestCgiHead(this.#bounds)) {
      throw badReply("its head is too long");
    }
    if (end === undefined) return;
    const head = readCgiHead(this.#head.take(), this.#bounds);
    if ("redirect" in head) {
      this.#redirect = head.redirect;
      return;
    }
    this.#reply.begin(this.#exchange, head);
    await this.#reply.write(piece.subarray(end));
  }
}
