/**
 * What the functions of WASI work on.
 *
 * @module
 */

import type { GuestAccess } from "../types.ts";
import type { Abi } from "./abi.ts";
import type { GuestClock } from "./clocks.ts";
import type { Decisions } from "./decisions.ts";
import type { Descriptor, Descriptors } from "./descriptors.ts";
import { WasiError } from "./errno.ts";
import type { GuestMemory } from "./memory.ts";
import { guestPath, type MountPoint } from "./mounts.ts";
import type { ProgramLists } from "./program.ts";
import type { RandomSource } from "./random.ts";
import { holds, isChange, type Right } from "./rights.ts";

/** The state of one instance, whichever of the modules it imports. */
export interface WasiState {
  /** Decides, and records. */
  readonly decisions: Decisions;
  /** What is open. */
  readonly descriptors: Descriptors;
  /** The mounts. */
  readonly mounts: readonly MountPoint[];
  /** Time. */
  readonly clock: GuestClock;
  /** Random bytes. */
  readonly random: RandomSource;
  /** Arguments and variables. */
  readonly lists: ProgramLists;
  /** Whether the policy has a capability of a type. */
  readonly isGranted: (type: string) => boolean;
}

/** What the functions of one module of one instance work on. */
export interface WasiContext extends WasiState {
  /** The guest. */
  readonly guest: GuestAccess;
  /** Its memory. */
  readonly memory: GuestMemory;
  /** Which draft of WASI it is. */
  readonly abi: Abi;
}

/**
 * Checks a right of a descriptor. Where the policy is what keeps it from being
 * held, that is recorded.
 *
 * @param context Where to ask.
 * @param descriptor The descriptor.
 * @param needs The right, and the function that needs it.
 * @throws {WasiError} NOTCAPABLE.
 */
export function demandRight(
  { decisions }: WasiState,
  descriptor: Descriptor,
  { right, via }: { readonly right: Right; readonly via: string },
): void {
  if (holds(descriptor.rights, right)) return;
  if (
    descriptor.kind !== "stream" && !descriptor.point.writable &&
    isChange(right)
  ) {
    const { point, path } = descriptor;
    decisions.permits({
      capability: "filesystem",
      action: "write",
      resource: guestPath(point, path),
      via,
    });
  }
  throw new WasiError("NOTCAPABLE");
}
