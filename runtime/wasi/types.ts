/**
 * What the WASI layer is made from, and what one run of a program is.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import type { Auditor, Capability, HostMount } from "../../security/types.ts";
import type { FileTree } from "./fs/types.ts";

/** Where a guest's standard input comes from; in the guest's thread. */
export interface StdinSource {
  /**
   * Reads; waits until there is something.
   *
   * @param maxBytes At the most so much, and at least one byte.
   * @returns The bytes; undefined at the end.
   */
  read(maxBytes: number): Uint8Array | undefined;
}

/** Where a guest's standard output goes to; in the guest's thread. */
export interface StdioSink {
  /**
   * Takes a copy of the bytes; may wait until there is room.
   *
   * @param chunk The bytes; valid only during the call.
   */
  write(chunk: Uint8Array): void;
}

/** What one run of a program is given, in the guest's thread. */
export interface WasiRun {
  /** The arguments, the program's name first. */
  readonly args: readonly string[];
  /** Variables, beyond those that the capability holds values for. */
  readonly env: Readonly<Record<string, string>>;
  /** Files to put into memory mounts, by the guest's absolute path. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The standard input; none is an empty one. */
  readonly stdin?: StdinSource;
  /** The standard output; without it what is written is counted and lost. */
  readonly stdout?: StdioSink;
  /** The standard error. */
  readonly stderr?: StdioSink;
}

/** Makes the tree of a directory of the host. */
export type OpenHostTree = (mount: Required<HostMount>) => FileTree;

/** What the WASI layer is made from. */
export interface WasiOptions {
  /** Decides, and records. */
  readonly auditor: Auditor;
  /** What is granted; read for mounts, variables, the clock's mode, a seed. */
  readonly capabilities: readonly Capability[];
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** Makes the trees of host directories. */
  readonly openHostTree: OpenHostTree;
}
