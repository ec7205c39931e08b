/**
 * What each resource limit is, and what it may be set to.
 *
 * @module
 */

/** In what a limit is measured. */
export type LimitUnit = "bytes" | "milliseconds" | "count";

/** One limit. */
export interface LimitEntry {
  /** What it limits, in a sentence. */
  readonly description: string;
  /** In what it is measured. */
  readonly unit: LimitUnit;
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
}

/** Counts that have no bound of their own. */
const ANY = Number.MAX_SAFE_INTEGER;
/** Timers of more than 2³¹ ms fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Every limit. */
export const LIMIT_TABLE = Object.freeze({
  memoryBytes: bytes(
    "Linear memory of one instance, all its memories together.",
    0,
    4 * 2 ** 30,
  ),
  tableElements: count(
    "Elements of all tables of one instance together.",
    0,
    10_000_000,
  ),
  timeoutMs: milliseconds(
    "Wall-clock time of one call or run, host functions included.",
  ),
  fuel: count("Fuel of all calls together, about one for each instruction."),
  messageBytes: bytes(
    "Longest request and longest reply of a call by JSON or bytes.",
    0,
    512 * 2 ** 20,
  ),
  moduleBytes: bytes("Longest module.", 8, 2 ** 30),
  functionBytes: bytes("Longest function of a module.", 1, 7_000_000),
  cpuMs: milliseconds(
    "CPU time of the guest's process, rounded up to whole seconds.",
  ),
  stackBytes: bytes(
    "The guest's stack, in a process of its own.",
    256 * 2 ** 10,
    984 * 2 ** 10,
  ),
  openFiles: count(
    "Files and directories held open at a time, mounts and streams included.",
    3,
    65_536,
  ),
  writtenBytes: bytes("Bytes written to files in one run."),
  fileEntries: count("Files, directories and links made in one run."),
  stdinBytes: bytes("Standard input of one run.", 0, 2 ** 31),
  stdoutBytes: bytes("Standard output of one run.", 0, 2 ** 31),
  stderrBytes: bytes("Standard error of one run.", 0, 2 ** 31),
  streamBytes: bytes(
    "Bytes that one call reads and writes through its streams.",
  ),
  hostCalls: count("Calls of the host's functions, WASI's included."),
  messages: count(
    "Messages of one sandbox: requests, replies, and those of its channel.",
  ),
  instances: count("Instances that a sandbox makes, one after the other.", 1),
  networkRequests: count("Requests over the network, redirects included."),
  networkBytes: bytes("Bytes over the network, both ways."),
});

function bytes(description: string, min = 0, max = ANY): LimitEntry {
  return Object.freeze({ description, unit: "bytes", min, max });
}

function count(description: string, min = 0, max = ANY): LimitEntry {
  return Object.freeze({ description, unit: "count", min, max });
}

function milliseconds(description: string): LimitEntry {
  const unit = "milliseconds";
  return Object.freeze({ description, unit, min: 1, max: LONGEST_MS });
}
