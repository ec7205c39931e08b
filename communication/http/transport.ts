/**
 * Who finds hosts and connects to them: this process, or others for it.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { dial, type DialOutcome, type DialRequest } from "./dial.ts";
import { lookup } from "./lookup.ts";
import { abortable } from "./signals.ts";

/** Finds hosts and connects to them. It decides on nothing. */
export interface Transport extends AsyncDisposable {
  /**
   * Finds the addresses of a host.
   *
   * @param host The host's name.
   * @param signal Cancellation.
   * @returns The addresses; none, if there are none.
   */
  resolve(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Makes a request of one address.
   *
   * @param request The request.
   * @param signal Cancellation.
   * @returns How it went.
   */
  dial(request: DialRequest, signal: AbortSignal): Promise<DialOutcome>;
  /** Closes what is open. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Does it in this process, by this process's own permissions. */
export class DirectTransport implements Transport {
  /** As {@linkcode Transport.resolve}. */
  async resolve(
    host: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    await requireNet(host);
    return await abortable(lookup(host), signal);
  }

  /** As {@linkcode Transport.dial}. */
  async dial(
    request: DialRequest,
    signal: AbortSignal,
  ): Promise<DialOutcome> {
    await requireNet(grantOf(request));
    return await dial(request, signal);
  }

  /** Nothing is kept open. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * The permission that a connection needs.
 *
 * @param request Address and port.
 * @returns What `--allow-net` takes.
 */
export function grantOf(
  { address, port }: Pick<DialRequest, "address" | "port">,
): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** Asked before, so that nobody is prompted. */
async function requireNet(host: string): Promise<void> {
  const { state } = await Deno.permissions.query({ name: "net", host });
  if (state === "granted") return;
  throw new SandboxError(
    "unsupported",
    `Cannot connect to ${host} for the guest: this program may not (pass ` +
      `--allow-net=${host}, or choose isolation "process")`,
    { details: { runtime: "http", feature: `connections to ${host}` } },
  );
}
