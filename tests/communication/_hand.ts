/**
 * A guest that is an array of bytes, to call the functions of the guest ABI by
 * hand.
 *
 * @module
 */

import {
  GuestImports,
  usesGuestImports,
} from "../../communication/guest_imports.ts";
import type { GuestServices, LogLevel } from "../../communication/types.ts";
import type { HostModuleFunction } from "../../runtime/types.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";

/** Where the helpers put what a function is given, a third of the memory each. */
const NAME_AT = 1_000;
/** Where a second argument goes. */
const INPUT_AT = 100_000;
/** Where answers are taken to. */
const BUFFER_AT = 1_300_000;

/** Bytes, or text in UTF-8. */
export type Given = string | Uint8Array<ArrayBuffer>;

/** Services that refuse everything, for tests to replace one at a time. */
export function services(
  given: Partial<GuestServices> = {},
): GuestServices & { readonly lines: [LogLevel, string][] } {
  const lines: [LogLevel, string][] = [];
  const unexpected = () => {
    throw new Error("nobody expected this");
  };
  return {
    call: unexpected,
    receive: unexpected,
    send: unexpected,
    read: unexpected,
    write: unexpected,
    log: (level, line) => void lines.push([level, line]),
    lines,
    ...given,
  };
}

/** A guest's hand on the guest ABI. */
export class Hand {
  /** The functions. */
  readonly imports: GuestImports;
  /** The memory; may be replaced, as `memory.grow` does. */
  memory: Uint8Array<ArrayBuffer>;
  /** Fuel that was charged. */
  fuel = 0;
  readonly #functions: Readonly<Record<string, HostModuleFunction>>;

  /** Constructs it. */
  constructor(
    given: Partial<GuestServices> = {},
    { pages = 40, ...limits }: ResourceLimits & { pages?: number } = {},
  ) {
    const all = services(given);
    this.memory = new Uint8Array(pages * 65_536);
    this.imports = new GuestImports({
      services: () => all,
      limits: resolveLimits(limits),
    });
    this.#functions = this.imports.module.link({
      memory: () => this.memory,
      sleep: () => {},
      charge: (units) => void (this.fuel += units),
    });
    this.imports.begin("run");
  }

  /** Calls a function with numbers as they are. */
  raw(name: string, ...args: readonly number[]): unknown {
    return this.#functions[name]?.(...args);
  }

  /** Puts text or bytes into the memory; gives where and how many. */
  put(given: Given, at = NAME_AT): [at: number, length: number] {
    const bytes = bytesOf(given);
    this.memory.set(bytes, at);
    return [at, bytes.length];
  }

  /** Calls a function of the host; gives status and answer. */
  call(name: Given, input: Given = "null"): [status: number, answer: string] {
    const result = this.raw(
      "call",
      ...this.put(name),
      ...this.put(input, INPUT_AT),
    );
    return this.result(result);
  }

  /** As {@linkcode Hand.call}, for answers that take their time. */
  async callLater(
    name: Given,
    input: Given = "null",
  ): Promise<[status: number, answer: string]> {
    const result = await this.raw(
      "call",
      ...this.put(name),
      ...this.put(input, INPUT_AT),
    );
    return this.result(result);
  }

  /** Splits a result of 64 bits, and takes the answer. */
  result(result: unknown): [status: number, answer: string] {
    if (typeof result !== "bigint") throw new Error(`not at once: ${result}`);
    const status = Number(result >> 32n);
    const answer = this.take(Number(result & 0xffff_ffffn));
    return [status, answer];
  }

  /** Takes the answer that waits. */
  take(length = 4_096): string {
    const taken = Number(this.raw("take", BUFFER_AT, length));
    return new TextDecoder().decode(
      this.memory.subarray(BUFFER_AT, BUFFER_AT + taken),
    );
  }

  /** Reads from the stream; gives the bytes, or the status of a fault. */
  async read(length = 65_536): Promise<Uint8Array | number> {
    const got = Number(await this.raw("read", BUFFER_AT, length));
    return got < 0 ? -got : this.memory.slice(BUFFER_AT, BUFFER_AT + got);
  }
}

/** Text as UTF-8. */
export function bytesOf(given: Given): Uint8Array<ArrayBuffer> {
  return typeof given === "string" ? new TextEncoder().encode(given) : given;
}

export { usesGuestImports };
