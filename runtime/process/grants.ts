/**
 * What a policy means for the process of a guest.
 *
 * @module
 */

import type { CapabilityKinds } from "../../security/kinds.ts";
import type {
  Capability,
  FilesystemCapability,
  MemoryMount,
} from "../../security/types.ts";

/** Types that the WASI layer in the child asks for; all others are the host's. */
export const OF_CHILD: readonly string[] = [
  "filesystem",
  "network",
  "environment",
  "clock",
  "random",
  "process",
  "stdio",
];

/**
 * What of a policy a child must know.
 *
 * @param capabilities What is granted.
 * @returns What its own functions decide by.
 */
export function childCapabilities(
  capabilities: readonly Capability[],
): readonly Capability[] {
  return capabilities.filter(({ type }) => OF_CHILD.includes(type));
}

/**
 * The paths that a child may reach. It never has any other permission: what
 * else the host grants, the host does.
 *
 * @param capabilities What is granted.
 * @param kinds Kinds that translate it.
 * @returns Absolute paths, in a fixed order.
 */
export function permissionsOf(
  capabilities: readonly Capability[],
  kinds: CapabilityKinds,
): { readonly read: readonly string[]; readonly write: readonly string[] } {
  const all = childCapabilities(capabilities).map((capability) =>
    kinds.get(capability.type).denoPermissions(capability)
  );
  const paths = (name: "read" | "write") =>
    [...new Set(all.flatMap((each) => each[name] ?? []))].sort();
  return { read: paths("read"), write: paths("write") };
}

/**
 * Where a guest can keep files in memory.
 *
 * @param capabilities What is granted.
 * @returns Its mounts in memory.
 */
export function memoryMountsOf(
  capabilities: readonly Capability[],
): readonly Required<Pick<MemoryMount, "guest" | "maxBytes">>[] {
  return capabilities
    .filter(({ type }) => type === "filesystem")
    .flatMap((each) => (each as FilesystemCapability).mounts)
    .filter((mount) => "memory" in mount);
}

/**
 * Most bytes of all files that a guest can keep in memory.
 *
 * @param capabilities What is granted.
 * @returns The sum over its mounts.
 */
export function memoryBytesOf(capabilities: readonly Capability[]): number {
  return memoryMountsOf(capabilities)
    .reduce((bytes, { maxBytes }) => bytes + maxBytes, 0);
}
