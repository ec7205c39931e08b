/**
 * Which addresses of a host may be dialled.
 *
 * @module
 */

import {
  canonicalAddress,
  isAddress,
  isPublicAddress,
} from "../../security/address.ts";
import type { Auditor } from "../../security/types.ts";
import { GuestFault } from "../fault.ts";
import { type Hop, originOf } from "./request.ts";

/** How many addresses of one host are tried. */
const MAX_TRIED = 3;
/** How many of one host that are not public the policy is asked about. */
const MAX_ASKED = 8;

/**
 * Asks the policy for a request; the decision is recorded.
 *
 * @param auditor Who decides.
 * @param hop The request.
 * @throws {GuestFault} If it is denied.
 */
export function audit(auditor: Auditor, hop: Hop): void {
  if (!permits(auditor, hop)) throw denied();
}

/**
 * Finds the addresses to dial. What is not public is dialled only if the policy
 * names the very address, with this scheme, port and method: names may stand
 * for anything, and whoever owns them may change what they stand for.
 *
 * Of a host that has both, only the public ones are dialled: the connection
 * goes to an address of this list, and no name is looked up again.
 *
 * @param auditor Who decides.
 * @param hop The request; the policy permits it.
 * @param resolve Finds addresses; asked once at most.
 * @returns Addresses in their one spelling, at least one.
 * @throws {GuestFault} If there is none, or none that may be dialled.
 */
export async function vet(
  auditor: Auditor,
  hop: Hop,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const { host } = hop.target;
  if (isAddress(host)) return [host];
  const found = new Set<string>();
  for (const text of await resolve(host)) {
    const address = canonicalAddress(text);
    if (address !== undefined) found.add(address);
  }
  if (found.size === 0) throw new GuestFault("failed", "the host is unknown");
  const open = [...found].filter(isPublicAddress);
  if (open.length > 0) return open.slice(0, MAX_TRIED);
  const named = [...found].slice(0, MAX_ASKED)
    .filter((address) => permits(auditor, hop, address));
  // as if the name were not granted: what it stands for is not told
  if (named.length === 0) throw denied();
  return named.slice(0, MAX_TRIED);
}

function permits(
  auditor: Auditor,
  { target, method }: Hop,
  address?: string,
): boolean {
  return auditor.permits({
    capability: "network",
    action: "connect",
    resource: originOf(target, address),
    via: method,
  });
}

function denied(): GuestFault {
  return new GuestFault("denied", "the policy does not permit it");
}
