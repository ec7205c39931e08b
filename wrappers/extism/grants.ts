/**
 * What the hosts and paths of a manifest stand for in a policy.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { absolutePath } from "../../security/_host_path.ts";
import { Capabilities } from "../../security/capabilities.ts";
import type { Capability, NetworkHost } from "../../security/types.ts";
import { SandboxError } from "../../errors.ts";
import type { AllowedPath } from "./manifest.ts";

/** Names of this machine: what serves there has any port. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1"]);

const WEB_PORTS: readonly number[] = Object.freeze([80, 443]);

/**
 * Ports of servers of a user's own: those that systems choose, and those that
 * people do. A capability cannot say "all", and holds no more values.
 */
const LOCAL_PORTS: readonly (readonly [first: number, last: number])[] = [
  [1_024, 5_119],
  [5_120, 9_215],
  [9_216, 9_999],
  [32_768, 36_863],
  [36_864, 40_959],
  [40_960, 45_055],
  [45_056, 49_151],
  [49_152, 53_247],
  [53_248, 57_343],
  [57_344, 61_439],
  [61_440, 65_535],
];

/**
 * Grants what a plug-in may reach.
 *
 * @param hosts Names and patterns of hosts.
 * @returns One capability for all of them, if there are any.
 * @throws {TypeError} If a pattern cannot be granted.
 */
export function grantHosts(hosts: readonly string[]): readonly Capability[] {
  if (hosts.length === 0) return [];
  const names = new Set(hosts);
  // the address that this name stands for has to be named, too
  for (const name of hosts) {
    if (/^localhost(?::|$)/i.test(name)) {
      names.add(`127.0.0.1${name.slice("localhost".length)}`);
    }
  }
  return [Capabilities.networkAccess([...names].flatMap(hostsOf))];
}

function hostsOf(pattern: string): readonly NetworkHost[] {
  const [, name = pattern, port] = /^(.*[^:]|\[.*\]):([0-9]{1,5})$/.exec(
    pattern,
  ) ?? [];
  const bare = name.startsWith("*.") ? name.slice(2) : name;
  if (/[*?[\]!{}/]/.test(bare) && !/^\[[0-9a-f:.]+\]$/i.test(bare)) {
    throw refused(pattern, 'of patterns only "*." before a domain is possible');
  }
  const ranges = port === undefined ? rangesOf(name) : [[Number(port)]];
  const host = { host: name, schemes: ["http", "https"], methods: ["*"] };
  const all = ranges.map((ports) => ({ ...host, ports }));
  try {
    Capabilities.networkAccess(all);
    return all;
  } catch (error) {
    if (!SandboxError.is(error, "invalid-capability")) throw error;
    throw refused(pattern, error.details.problem, error);
  }
}

/** The ports of a host, in lists that are short enough for a capability. */
function rangesOf(name: string): readonly (readonly number[])[] {
  if (!LOOPBACK.has(name.toLowerCase())) return [WEB_PORTS];
  const ranges = LOCAL_PORTS.map(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index)
  );
  return [WEB_PORTS, ...ranges];
}

function refused(pattern: string, problem: string, cause?: unknown): TypeError {
  return new TypeError(
    `Cannot allow the host ${quote(pattern)}: ${problem} (name each host, or ` +
      'grant network in "policy")',
    { cause },
  );
}

/**
 * Grants directories.
 *
 * @param paths The directories; relative ones are below the current one.
 * @returns One capability for all of them, if there are any.
 * @throws {SandboxError} With code `invalid-capability`.
 */
export function grantPaths(
  paths: readonly AllowedPath[],
): readonly Capability[] {
  if (paths.length === 0) return [];
  return [Capabilities.filesystem({
    mounts: paths.map(({ guest, host, isReadOnly }) => ({
      guest: guest.replace(/(?<=.)\/+$/, ""),
      host: absolutePath(host),
      access: isReadOnly ? "read" : "read-write",
    })),
  })];
}
