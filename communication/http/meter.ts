/**
 * Counts a guest's requests and their bytes.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";

/** Limits of what a guest may send and receive over the network. */
export type NetworkLimits = Pick<
  ResolvedLimits,
  "networkRequests" | "networkBytes"
>;

/** What was used of each limit that is set. */
export interface NetworkUsage {
  /** Requests, each redirect being one. */
  readonly networkRequests?: {
    readonly allowed: number;
    readonly used: number;
  };
  /** Bytes both ways. */
  readonly networkBytes?: { readonly allowed: number; readonly used: number };
}

/** Counts; what exceeds a limit is thrown, and ends the guest. */
export class NetworkMeter {
  readonly #limits: NetworkLimits;
  #requests = 0;
  #bytes = 0;

  /**
   * Constructs it.
   *
   * @param limits The limits.
   */
  constructor(limits: NetworkLimits) {
    this.#limits = limits;
  }

  /** How many bytes may still come. */
  get bytesLeft(): number {
    const { networkBytes = Infinity } = this.#limits;
    return Math.max(0, networkBytes - this.#bytes);
  }

  /**
   * Counts a request.
   *
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  countRequest(): void {
    const { networkRequests } = this.#limits;
    this.#requests++;
    check("networkRequests", networkRequests, this.#requests);
  }

  /**
   * Counts bytes.
   *
   * @param bytes How many.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  countBytes(bytes: number): void {
    this.#bytes += bytes;
    check("networkBytes", this.#limits.networkBytes, this.#bytes);
  }

  /**
   * What was used of each limit that is set.
   *
   * @returns What is allowed and what was used, by name.
   */
  usage(): NetworkUsage {
    const { networkRequests, networkBytes } = this.#limits;
    return {
      ...row("networkRequests", networkRequests, this.#requests),
      ...row("networkBytes", networkBytes, this.#bytes),
    };
  }
}

function row(
  name: string,
  allowed: number | undefined,
  used: number,
): NetworkUsage {
  return allowed === undefined
    ? {}
    : { [name]: { allowed, used: Math.min(used, allowed) } };
}

function check(
  name: string,
  allowed: number | undefined,
  used: number,
): void {
  if (allowed === undefined || used <= allowed) return;
  const suggestion = `raise ${name}`;
  throw new SandboxError(
    "limit-exceeded",
    `Cannot go on: ${name} of ${allowed} is used up (${suggestion})`,
    { details: { limit: name, allowed, used, suggestion } },
  );
}
