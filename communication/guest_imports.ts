/**
 * The functions of the guest ABI, module `wasm_sandbox`, that a guest imports
 * to reach its host. Described byte by byte in docs/guest-abi.md.
 *
 * @module
 */

import type { SandboxError } from "../errors.ts";
import type {
  GuestAccess,
  HostModule,
  HostModuleFunction,
} from "../runtime/types.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import { ABI_MODULE, ABI_VERSION } from "./abi_version.ts";
import { GuestFault } from "./fault.ts";
import { GuestAnswer } from "./guest_answer.ts";
import { failed, late, tooLong, wrongName } from "./guest_faults.ts";
import {
  type GuestFunctionName,
  LEVELS,
  MAX_LINE_BYTES,
  MAX_NAME_BYTES,
  MAX_PIECE_BYTES,
  MAX_WRITE_BYTES,
  SIGNATURES,
} from "./guest_functions.ts";
import { GuestRegion } from "./guest_region.ts";
import type { GuestServices, MaybePromise } from "./types.ts";

export { abiVersionOf, requireAbi, usesGuestImports } from "./abi_version.ts";

/** What the functions work on. */
export interface GuestImportsOptions {
  /** Who answers, in the call that runs now. */
  readonly services: () => GuestServices;
  /** The limits, of which `messageBytes` matters here. */
  readonly limits: Pick<ResolvedLimits, "messageBytes">;
}

/**
 * The functions of the guest ABI for one instance.
 *
 * A pointer outside of the memory is a lie, and ends the guest with
 * `guest-protocol`. What is wrong otherwise is a fault: the guest is told of it
 * as data, and lives on.
 */
export class GuestImports {
  /** What the instance is linked with. */
  readonly module: HostModule;
  readonly #services: () => GuestServices;
  readonly #messageBytes: number;
  /** The export that runs, for messages. */
  #export = "";
  /** Number of the call that runs: what comes late belongs to another. */
  #call = 0;
  /** What waits for `take`. */
  readonly #answer: GuestAnswer;
  readonly #refuse64 = (error: unknown) => this.#answer.refuse64(error);
  readonly #refuse32 = (error: unknown) => this.#answer.refuse32(error);
  #failure: SandboxError<"guest-error"> | undefined;

  /**
   * Constructs it.
   *
   * @param options Who answers, and the limits.
   */
  constructor({ services, limits }: GuestImportsOptions) {
    this.#services = services;
    this.#messageBytes = limits.messageBytes;
    this.#answer = new GuestAnswer(limits.messageBytes);
    this.module = Object.freeze({
      name: ABI_MODULE,
      signatures: SIGNATURES,
      suspending: ["call", "receive", "send", "read", "write", "log"],
      link: (guest: GuestAccess) => this.#link(guest),
    });
  }

  /**
   * Begins a call: what an earlier one has left is dropped.
   *
   * @param exportName The export that is called.
   */
  begin(exportName: string): void {
    this.#export = exportName;
    this.#call++;
    this.#answer.drop();
    this.#failure = undefined;
  }

  /**
   * Ends a call: says whether the guest said that it failed, and drops what it
   * left behind.
   *
   * @returns The error for the caller; undefined if the guest did not fail.
   */
  takeFailure(): SandboxError<"guest-error"> | undefined {
    const failure = this.#failure;
    this.#call++;
    this.#answer.drop();
    this.#failure = undefined;
    return failure;
  }

  #link(guest: GuestAccess): Readonly<Record<string, HostModuleFunction>> {
    const region = new GuestRegion(guest, () => this.#export);
    const functions: Record<GuestFunctionName, HostModuleFunction> = {
      version: () => ABI_VERSION,
      call: (name, nameLength, input, inputLength) =>
        this.#callHost(
          region.open(),
          name >>> 0,
          nameLength >>> 0,
          input >>> 0,
          inputLength >>> 0,
        ),
      receive: (timeoutMs) => this.#receive(region, timeoutMs),
      take: (at, length) => this.#take(region.open(), at >>> 0, length >>> 0),
      send: (at, length) => this.#send(region.open(), at >>> 0, length >>> 0),
      read: (at, length) => this.#read(region.open(), at >>> 0, length >>> 0),
      write: (at, length) => this.#write(region.open(), at >>> 0, length >>> 0),
      log: (level, at, length) =>
        this.#log(region.open(), level >>> 0, at >>> 0, length >>> 0),
      fail: (at, length) => this.#fail(region.open(), at >>> 0, length >>> 0),
    };
    return Object.freeze(functions);
  }

  #callHost(
    region: GuestRegion,
    nameAt: number,
    nameLength: number,
    inputAt: number,
    inputLength: number,
  ): MaybePromise<bigint> {
    try {
      region.check("name", nameAt, nameLength);
      region.check("input", inputAt, inputLength);
      const name = nameLength > MAX_NAME_BYTES
        ? undefined
        : region.text("name", nameAt, nameLength);
      if (name === undefined) throw wrongName();
      this.#checkMessage("input", inputLength);
      const input = region.copySmall("input", inputAt, inputLength);
      const answer = this.#services().call(name, input);
      return answer instanceof Promise
        ? this.#later(
          answer,
          (bytes) => this.#answer.keep(bytes),
          this.#refuse64,
        )
        : this.#answer.keep(answer);
    } catch (error) {
      return this.#answer.refuse64(error);
    }
  }

  #receive(region: GuestRegion, timeoutMs: number): MaybePromise<bigint> {
    try {
      region.charge(0);
      if (timeoutMs < -1) {
        throw new GuestFault("invalid", "the timeout is below -1");
      }
      const message = this.#services().receive(
        timeoutMs === -1 ? Infinity : timeoutMs,
      );
      return message instanceof Promise
        ? this.#later(message, (bytes) => this.#received(bytes), this.#refuse64)
        : this.#received(message);
    } catch (error) {
      return this.#answer.refuse64(error);
    }
  }

  #received(message: Uint8Array | undefined): bigint {
    if (message !== undefined) return this.#answer.keep(message);
    throw new GuestFault("timed-out", "no message came in time");
  }

  #take(region: GuestRegion, at: number, length: number): number {
    region.check("buffer", at, length);
    const answer = this.#answer.take();
    const taken = answer.length > length ? answer.subarray(0, length) : answer;
    region.write("buffer", at, taken);
    return taken.length;
  }

  #send(region: GuestRegion, at: number, length: number): MaybePromise<number> {
    try {
      region.check("message", at, length);
      this.#checkMessage("message", length);
      const message = region.copy("message", at, length);
      const sent = this.#services().send(message);
      return sent instanceof Promise
        ? this.#later(sent, () => 0, this.#refuse32)
        : 0;
    } catch (error) {
      return this.#answer.refuse32(error);
    }
  }

  #read(region: GuestRegion, at: number, length: number): MaybePromise<number> {
    try {
      region.check("buffer", at, length);
      if (length === 0) {
        throw new GuestFault("invalid", "the buffer has no room");
      }
      const maxBytes = Math.min(length, MAX_PIECE_BYTES);
      const put = (bytes: Uint8Array | undefined) => {
        if (bytes === undefined) return 0;
        // the memory may be another one, if the guest has waited
        region.open().write("buffer", at, bytes);
        return bytes.length;
      };
      const bytes = this.#services().read(maxBytes);
      return bytes instanceof Promise
        ? this.#later(bytes, put, this.#refuse32)
        : put(bytes);
    } catch (error) {
      return this.#answer.refuse32(error);
    }
  }

  #write(
    region: GuestRegion,
    at: number,
    length: number,
    done = 0,
  ): MaybePromise<number> {
    try {
      region.check("bytes", at, length);
      if (length > MAX_WRITE_BYTES) {
        throw new GuestFault("too-large", "more than 2 GiB at once");
      }
      let from = done;
      while (from < length) {
        const size = Math.min(length - from, MAX_PIECE_BYTES);
        const piece = region.copy("bytes", at + from, size);
        const written = this.#services().write(piece);
        from += size;
        if (!(written instanceof Promise)) continue;
        const next = from;
        return this.#later(
          written,
          () =>
            next < length
              ? this.#write(region.open(), at, length, next)
              : length,
          this.#refuse32,
        );
      }
      return length;
    } catch (error) {
      return this.#answer.refuse32(error);
    }
  }

  #log(
    region: GuestRegion,
    level: number,
    at: number,
    length: number,
  ): MaybePromise<void> {
    const line = region.clippedText("line", at, length, MAX_LINE_BYTES);
    // what is beyond the last level matters as much as that
    return this.#services().log(LEVELS[level] ?? "error", line);
  }

  /** The first reason counts: what follows may be its consequence. */
  #fail(region: GuestRegion, at: number, length: number): void {
    const reason = region.clippedText("reason", at, length, MAX_LINE_BYTES);
    this.#failure ??= failed(this.#export, reason);
  }

  /** Waits for what was asked for; the guest does not run meanwhile. */
  async #later<T, R>(
    promise: Promise<T>,
    use: (value: T) => MaybePromise<R>,
    refuse: (error: unknown) => R,
  ): Promise<R> {
    const call = this.#call;
    try {
      const value = await promise;
      if (call !== this.#call) throw late(this.#export);
      return await use(value);
    } catch (error) {
      if (call !== this.#call) throw error;
      return refuse(error);
    }
  }

  #checkMessage(what: string, length: number): void {
    if (length > this.#messageBytes) throw tooLong(what);
  }
}
