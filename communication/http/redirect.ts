/**
 * Redirects: each is a request of its own, and checked like one.
 *
 * @module
 */

import { GuestFault } from "../fault.ts";
import type { DialResponse } from "./dial.ts";
import { acrossOrigins, withoutBody } from "./headers.ts";
import { type Hop, originOf, readTarget, type Target } from "./request.ts";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const EMPTY = new Uint8Array();

/**
 * Finds out where a response leads to.
 *
 * @param hop What was asked.
 * @param response What came.
 * @returns What to ask next; undefined if it is no redirect. The policy has not
 * been asked about it.
 * @throws {GuestFault} If it leads where nothing can be asked.
 */
export function nextHop(
  hop: Hop,
  { status, headers }: Pick<DialResponse, "status" | "headers">,
): Hop | undefined {
  if (!REDIRECTS.has(status)) return undefined;
  const location = headers.find(([name]) => name === "location")?.[1];
  if (location === undefined) return undefined;
  const target = leadsTo(location, hop.target);
  const isSame = originOf(target) === originOf(hop.target);
  const headersThere = isSame ? hop.headers : acrossOrigins(hop.headers);
  if (!becomesGet(status, hop.method)) {
    return { ...hop, target, headers: headersThere };
  }
  return {
    target,
    method: "GET",
    headers: withoutBody(headersThere),
    body: EMPTY,
  };
}

function leadsTo(location: string, base: Target): Target {
  try {
    return readTarget(location, base);
  } catch (cause) {
    throw new GuestFault(
      "failed",
      "the host redirects to where no request can go",
      { cause },
    );
  }
}

/** As fetch has it. */
function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}
