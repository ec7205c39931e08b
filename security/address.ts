/**
 * Addresses of hosts: which of them anybody on the internet may have, and which
 * belong to a machine or a network of somebody's own.
 *
 * @module
 */

import { canonicalHost, isAddress } from "./_host.ts";

export { canonicalHost, defaultPort, isAddress } from "./_host.ts";

/** First and number of bits that count; all of them are special by RFC 6890. */
type Block = readonly [address: string, bits: number];

/** What no stranger's server has: private, local, reserved, for documents. */
const SPECIAL_V4: readonly Block[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/**
 * Global unicast is 2000::/3. The rest is refused as a whole, and with it what
 * carries an IPv4 address within: mapped, compatible, NAT64 (64:ff9b::/96).
 */
const GLOBAL_V6: Block = ["[2000::]", 3];

/** Within global unicast: protocols, Teredo, documents, 6to4. */
const SPECIAL_V6: readonly Block[] = [
  ["[2001::]", 23],
  ["[2001:db8::]", 32],
  ["[2002::]", 16],
  ["[3fff::]", 20],
];

/**
 * The one spelling of an address, as grants have it.
 *
 * @param text The text, such as `"::1"` or `"127.0.0.1"`.
 * @returns The spelling, IPv6 in brackets; undefined, if it is no address, or
 * one with a zone.
 */
export function canonicalAddress(text: string): string | undefined {
  const host = canonicalHost(text);
  return host !== undefined && isAddress(host) ? host : undefined;
}

/**
 * Whether an address is one of the public internet's. Private ones, those of
 * this machine, of its links and of the cloud it runs in are none.
 *
 * @param address The address, in the spelling of {@linkcode canonicalAddress}.
 * @returns Whether it is public; what is no address is not.
 */
export function isPublicAddress(address: string): boolean {
  const groups = groupsOf(address);
  if (groups === undefined) return false;
  if (groups.length === 2) {
    return !SPECIAL_V4.some((block) => isWithin(groups, block));
  }
  return isWithin(groups, GLOBAL_V6) &&
    !SPECIAL_V6.some((block) => isWithin(groups, block));
}

function isWithin(groups: readonly number[], [first, bits]: Block): boolean {
  const start = groupsOf(first) ?? [];
  return groups.every((group, index) => {
    const shift = 16 - Math.min(16, Math.max(0, bits - 16 * index));
    return group >> shift === (start[index] ?? -1) >> shift;
  });
}

/** An address as groups of 16 bits: two of IPv4, eight of IPv6. */
function groupsOf(address: string): readonly number[] | undefined {
  if (canonicalAddress(address) !== address) return undefined;
  if (!address.startsWith("[")) {
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    return [a << 8 | b, c << 8 | d];
  }
  const [before = "", after] = address.slice(1, -1).split("::");
  const head = hexGroups(before);
  const tail = hexGroups(after ?? "");
  return [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail];
}

function hexGroups(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}
