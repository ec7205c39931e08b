/**
 * The standard streams, and what may go through them.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type { Decisions } from "./decisions.ts";
import type { StdinSource, StdioSink, WasiRun } from "./types.ts";

/** Names of the streams, by their number. */
export const STREAMS = Object.freeze(["stdin", "stdout", "stderr"] as const);

/** Name of a stream. */
export type StreamName = (typeof STREAMS)[number];

/** Most bytes that are taken from the standard input at a time. */
const CHUNK_BYTES = 65_536;

/** A standard stream of one instance. */
export class StandardStream {
  /** Which. */
  readonly name: StreamName;
  readonly #allowedBytes: number;
  readonly #decisions: Decisions;
  #source: StdinSource | undefined;
  #sink: StdioSink | undefined;
  #ended = false;
  #usedBytes = 0;

  /**
   * Constructs it.
   *
   * @param name Which.
   * @param limits How much may go through it.
   * @param decisions Whether it may be used at all.
   */
  constructor(name: StreamName, limits: ResolvedLimits, decisions: Decisions) {
    this.name = name;
    this.#allowedBytes = limits[`${name}Bytes`];
    this.#decisions = decisions;
  }

  /** Bytes that went through it. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Connects it for a run. */
  connect({ stdin, stdout, stderr }: WasiRun): void {
    if (this.name === "stdin") this.#source = stdin;
    else this.#sink = this.name === "stdout" ? stdout : stderr;
  }

  /**
   * Asks whether it may be used.
   *
   * @param via By which function.
   * @throws {WasiError} NOTCAPABLE.
   */
  demand(via: string): void {
    this.#decisions.demand({
      capability: "stdio",
      action: this.name,
      resource: "",
      via,
    });
  }

  /**
   * Reads what there is; waits until there is something.
   *
   * @param maxBytes At the most so much, and at least one byte.
   * @returns The bytes; none at the end.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  read(maxBytes: number): Uint8Array {
    if (this.#ended) return new Uint8Array();
    // with nothing left, one byte more tells the end from too much
    const room = Math.max(1, this.#allowedBytes - this.#usedBytes);
    const want = Math.min(maxBytes, room, CHUNK_BYTES);
    const chunk = this.#source?.read(want);
    if (chunk === undefined) {
      this.#ended = true;
      return new Uint8Array();
    }
    if (chunk.length > want) {
      throw new TypeError("Cannot read stdin: the source gave too much");
    }
    this.#count(chunk.length);
    return chunk;
  }

  /**
   * Writes.
   *
   * @param chunks The bytes; nothing is written if they are too many.
   * @param byteLength How many they are.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  write(chunks: Iterable<Uint8Array>, byteLength: number): void {
    this.#count(byteLength);
    for (const chunk of chunks) this.#sink?.write(chunk);
  }

  /** Lets go of what it was connected to. */
  disconnect(): void {
    this.#source = undefined;
    this.#sink = undefined;
  }

  #count(bytes: number): void {
    const used = this.#usedBytes + bytes;
    const limit = `${this.name}Bytes` as const;
    const allowed = this.#allowedBytes;
    if (used > allowed) {
      const suggestion = `raise ${limit}, or let the guest ${
        this.name === "stdin" ? "read" : "write"
      } less`;
      throw new SandboxError(
        "limit-exceeded",
        `Cannot go on: the guest's ${this.name} has more than the ${allowed} ` +
          `bytes of ${limit} (${suggestion})`,
        { details: { limit, allowed, used, suggestion } },
      );
    }
    this.#usedBytes = used;
  }
}
