/**
 * A guest that is an array of bytes, to call the functions of WASI by hand.
 *
 * @module
 */

import { type LimitName, resolveLimits } from "../../security/limits.ts";
import { SecurityAuditor } from "../../security/auditor.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import type { AuditEvent } from "../../security/types.ts";
import type { GuestAccess, HostModuleFunction } from "../../runtime/types.ts";
import { PREVIEW1 } from "../../runtime/wasi/abi.ts";
import { ERRNO, type ErrnoName } from "../../runtime/wasi/errno.ts";
import { HostTree } from "../../runtime/wasi/fs/host_tree.ts";
import type { WasiRun } from "../../runtime/wasi/types.ts";
import { Wasi } from "../../runtime/wasi/wasi.ts";

/** Everything that a program may need, with memory mounted as `/`. */
export const PROGRAM: readonly object[] = [
  { type: "filesystem", mounts: [{ guest: "/", memory: true }] },
  { type: "environment", variables: { NAME: "välue" } },
  { type: "clock", mode: "real" },
  { type: "random" },
  { type: "process" },
  { type: "stdio" },
];

/** Options of {@linkcode GuestHand}. */
export interface GuestHandOptions {
  /** What is granted. */
  readonly policy?: readonly object[];
  /** Limits other than the default ones. */
  readonly limits?: Partial<Record<LimitName, number>>;
  /** What it is run with. */
  readonly run?: Partial<WasiRun>;
  /** Name of the module. */
  readonly module?: string;
  /** Pages of memory; one, if left out. */
  readonly pages?: number;
}

/** Where the helpers put paths. */
const PATH_AT = 60_000;

/** Flags of `path_open`. */
export const OPEN = Object.freeze({
  CREAT: 1,
  DIRECTORY: 2,
  EXCL: 4,
  TRUNC: 8,
});

/** Rights to read and to write. */
export const READ = 2n;
/** Rights to read and to write. */
export const WRITE = 64n;

/** How {@linkcode GuestHand.open} opens. */
export interface HandOpen {
  readonly flags?: number;
  readonly rights?: bigint;
  readonly inheriting?: bigint;
  readonly fdflags?: number;
  readonly follow?: boolean;
  readonly directory?: number;
}

/** A guest's hand on WASI. */
export class GuestHand implements Disposable {
  /** The layer. */
  readonly wasi: Wasi;
  /** What the auditor recorded. */
  readonly events: AuditEvent[] = [];
  /** How long it slept, in milliseconds. */
  readonly slept: number[] = [];
  /** Fuel that was charged. */
  fuel = 0;
  /** What was written to the standard output. */
  stdout = "";
  /** The memory. */
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly #functions: Readonly<Record<string, HostModuleFunction>>;

  /** Constructs it. */
  constructor(options: GuestHandOptions = {}) {
    const { policy = PROGRAM, limits = {}, run, pages = 1 } = options;
    const granted = SecurityPolicy.from(policy);
    const auditor = new SecurityAuditor(granted, {
      sinks: [{ record: (event) => this.events.push(event) }],
    });
    this.memory = new Uint8Array(pages * 65_536);
    this.wasi = new Wasi({
      auditor,
      capabilities: granted.capabilities,
      limits: resolveLimits(limits),
      openHostTree: ({ host, symlinks }) =>
        new HostTree({ root: host, symlinks }),
    });
    const decoder = new TextDecoder();
    this.wasi.prepare({
      args: ["prog", "ärg"],
      env: {},
      files: {},
      stdout: {
        write: (chunk) =>
          void (this.stdout += decoder.decode(chunk, { stream: true })),
      },
      ...run,
    });
    const guest: GuestAccess = {
      memory: () => this.memory,
      sleep: (ms) => void this.slept.push(ms),
      charge: (units) => void (this.fuel += units),
    };
    const name = options.module ?? PREVIEW1.module;
    const module = this.wasi.modules.find((each) => each.name === name);
    if (module === undefined) throw new Error(`no module ${name}`);
    this.#functions = module.link(guest);
  }

  /** Names of all functions. */
  get names(): readonly string[] {
    return Object.keys(this.#functions);
  }

  /** Calls a function; gives the name of its error. */
  call(name: string, ...args: readonly (number | bigint)[]): ErrnoName {
    const number = this.#functions[name]?.(...args);
    return errnoName(Number(number));
  }

  /** Puts text into the memory; gives where, and how many bytes it has. */
  text(text: string | Uint8Array, at = PATH_AT): [at: number, length: number] {
    const bytes = typeof text === "string"
      ? new TextEncoder().encode(text)
      : text;
    this.memory.set(bytes, at);
    return [at, bytes.length];
  }

  /** Calls a function that takes a directory and a path, and what follows. */
  path(
    name: string,
    path: string | Uint8Array,
    ...rest: readonly (number | bigint)[]
  ): ErrnoName {
    return this.call(name, 3, ...this.text(path), ...rest);
  }

  /** Opens a path; gives the descriptor, or the name of the error. */
  open(path: string | Uint8Array, options: HandOpen = {}): number | ErrnoName {
    const { flags = 0, rights = READ, inheriting = 0n, fdflags = 0 } = options;
    const errno = this.call(
      "path_open",
      options.directory ?? 3,
      options.follow ? 1 : 0,
      ...this.text(path),
      flags,
      rights,
      inheriting,
      fdflags,
      8,
    );
    return errno === "SUCCESS" ? this.u32(8) : errno;
  }

  /** As {@linkcode GuestHand.open}, and it must work. */
  opened(path: string, options: HandOpen = {}): number {
    const fd = this.open(path, options);
    if (typeof fd === "number") return fd;
    throw new Error(`Cannot open ${path}: ${fd}`);
  }

  /** Writes text through `fd_write`. */
  write(fd: number, text: string): ErrnoName {
    const [at, length] = this.text(text, 40_000);
    return this.call("fd_write", fd, this.buffers([at, length]), 1, 16);
  }

  /** Reads through `fd_read`; gives the text, or the name of the error. */
  read(fd: number, length = 100): string {
    const errno = this.call(
      "fd_read",
      fd,
      this.buffers([30_000, length]),
      1,
      16,
    );
    if (errno !== "SUCCESS") return errno;
    return this.string(30_000, this.u32(16));
  }

  /** Puts a list of buffers into the memory; gives where. */
  buffers(...list: readonly (readonly [at: number, length: number])[]): number {
    const at = 20_000;
    list.flat().forEach((word, index) => this.setU32(at + index * 4, word));
    return at;
  }

  /** Text in the memory. */
  string(at: number, length: number): string {
    return new TextDecoder().decode(this.memory.slice(at, at + length));
  }

  /** A u16 in the memory. */
  u16(at: number): number {
    return new DataView(this.memory.buffer).getUint16(at, true);
  }

  /** A u32 in the memory. */
  u32(at: number): number {
    return new DataView(this.memory.buffer).getUint32(at, true);
  }

  /** A u64 in the memory. */
  u64(at: number): bigint {
    return new DataView(this.memory.buffer).getBigUint64(at, true);
  }

  /** Sets a u32 in the memory. */
  setU32(at: number, value: number): void {
    new DataView(this.memory.buffer).setUint32(at, value, true);
  }

  /** Sets a u64 in the memory. */
  setU64(at: number, value: bigint): void {
    new DataView(this.memory.buffer).setBigUint64(at, value, true);
  }

  /** What was denied since the last time, as `operation resource`. */
  denied(): readonly string[] {
    return this.events.splice(0).filter(({ decision }) => decision === "denied")
      .map(({ operation, resource }) => `${operation} ${resource}`.trim());
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.wasi[Symbol.dispose]();
  }
}

/** Name of an error by its number. */
export function errnoName(number: number): ErrnoName {
  const names = Object.keys(ERRNO) as ErrnoName[];
  const name = names.find((each) => ERRNO[each] === number);
  if (name === undefined) throw new Error(`no errno ${number}`);
  return name;
}
