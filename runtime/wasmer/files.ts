/**
 * The files that a program leaves behind: what they may be called, and how many
 * bytes they may hold. The child looks at them so that a guest is told, the host
 * so that nobody has to trust the child.
 *
 * @module
 */

import type { Capability } from "../../security/types.ts";
import { isBelow } from "../process/files.ts";
import { ProtocolError } from "../process/frames.ts";
import { memoryBytesOf } from "../process/grants.ts";
import { WORKSPACE } from "./wasi_imports.ts";

/** Longest path, in bytes: as long as elsewhere. */
const MAX_PATH_BYTES = 4_096;
const ENCODER = new TextEncoder();

/**
 * Whether a path leads to a file below the workspace, wherever it is written to.
 *
 * @param path The path, absolute.
 * @returns Whether it does.
 */
export function isInWorkspace(path: string): boolean {
  return isBelow(path, WORKSPACE) &&
    ENCODER.encode(path).length <= MAX_PATH_BYTES;
}

/**
 * Looks at the files that a child hands back.
 *
 * @param files The files by path.
 * @param capabilities What is granted.
 * @throws {ProtocolError} If an honest child cannot have handed them back.
 */
export function requireFiles(
  files: ReadonlyMap<string, Uint8Array>,
  capabilities: readonly Capability[],
): void {
  if (files.size === 0) return;
  if (!capabilities.some(({ type }) => type === "filesystem")) {
    throw new ProtocolError("files without a mount");
  }
  let left = memoryBytesOf(capabilities);
  for (const [path, { length }] of files) {
    if (!isInWorkspace(path)) {
      throw new ProtocolError("a file that is elsewhere");
    }
    left -= length;
    if (left < 0) throw new ProtocolError("files larger than their mount");
  }
}
