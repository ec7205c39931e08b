/** Messages as lines of JSON on two streams. */

import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types";
import { ByteCollector } from "../../_streams.ts";
import type { Sdk } from "./sdk.ts";

/** What a transport is made from. */
export interface StdioTransportOptions {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly sdk: Sdk;
  /** Longest line. */
  readonly maxLineBytes: number;
  /** Most bytes that wait for the other side. */
  readonly maxUnreadBytes: number;
}

const NEWLINE = 0x0a;

/**
 * Speaks with one client over two streams. As long as the client does not read,
 * it is not read from. When it sends no more, what it has asked for is answered
 * first.
 */
export class StdioTransport implements Transport {
  /** Called when it is closed. */
  onclose?: () => void;
  /** Called with what is wrong with a line. */
  onerror?: (error: Error) => void;
  /** Called with each message. */
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #options: StdioTransportOptions;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pending = new Set<unknown>();
  #unread = 0;
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(options: StdioTransportOptions) {
    this.#options = options;
    this.#reader = options.readable.getReader();
    this.#writer = options.writable.getWriter();
  }

  /** Begins to read. */
  start(): Promise<void> {
    void this.#read();
    return Promise.resolve();
  }

  /** Sends a message. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (!("method" in message)) this.#pending.delete(message.id);
    await this.#write(message);
    this.#wake?.();
  }

  /** Forgets a request that is not answered. */
  forget(id: string | number): void {
    this.#pending.delete(id);
    this.#wake?.();
  }

  /** Ends it; the streams are left as they are. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake?.();
    this.onclose?.();
    await this.#reader.cancel().catch(() => {});
    this.#reader.releaseLock();
    this.#writer.releaseLock();
  }

  async #write(message: unknown): Promise<void> {
    if (this.#isClosed) return;
    const line = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    this.#unread += line.length;
    try {
      await this.#writer.write(line);
    } catch (error) {
      this.#report(error);
      await this.close();
    } finally {
      this.#unread -= line.length;
      this.#wake?.();
    }
  }

  async #read(): Promise<void> {
    try {
      await this.#readLines();
      await this.#until(() => this.#pending.size === 0);
    } catch (error) {
      if (!this.#isClosed) this.#report(error);
    } finally {
      await this.close();
    }
  }

  async #readLines(): Promise<void> {
    const { maxLineBytes, maxUnreadBytes } = this.#options;
    const line = new Line(maxLineBytes);
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      let start = 0;
      for (
        let end = value.indexOf(NEWLINE);
        end >= 0;
        end = value.indexOf(NEWLINE, start)
      ) {
        line.add(value.subarray(start, end));
        this.#take(line.take());
        start = end + 1;
      }
      line.add(value.subarray(start));
      await this.#until(() => this.#unread <= maxUnreadBytes);
    }
  }

  #take(line: Uint8Array | undefined): void {
    if (line === undefined) {
      const { maxLineBytes } = this.#options;
      return this.#refuse(
        -32600,
        `a message is longer than ${maxLineBytes} bytes`,
      );
    }
    let message: unknown;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(line);
      if (text.trim() === "") return;
      message = JSON.parse(text);
    } catch {
      return this.#refuse(-32700, "a message is not JSON");
    }
    const parsed = this.#options.sdk.types.JSONRPCMessageSchema
      .safeParse(message);
    if (!parsed.success) {
      return this.#refuse(-32600, "a message is not of JSON-RPC 2.0");
    }
    if ("method" in parsed.data && "id" in parsed.data) {
      this.#pending.add(parsed.data.id);
    }
    this.onmessage?.(parsed.data);
  }

  #refuse(code: number, message: string): void {
    this.#report(new Error(message));
    const error = { code, message: `Invalid request: ${message}` };
    void this.#write({ jsonrpc: "2.0", id: null, error });
  }

  #report(error: unknown): void {
    this.onerror?.(error instanceof Error ? error : new Error(String(error)));
  }

  /** Waits until something is so, or it is closed. */
  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && !this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}

/** A line that is being read, in however small pieces. */
class Line {
  readonly #maxBytes: number;
  readonly #bytes = new ByteCollector();
  #isTooLong = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: Uint8Array): void {
    this.#isTooLong ||= this.#bytes.length + part.length > this.#maxBytes;
    if (this.#isTooLong) this.#bytes.take();
    else if (part.length > 0) this.#bytes.write(part);
  }

  /** The line, which is then empty; undefined, if it was too long. */
  take(): Uint8Array | undefined {
    const isTooLong = this.#isTooLong;
    this.#isTooLong = false;
    const bytes = this.#bytes.take();
    return isTooLong ? undefined : bytes;
  }
}
