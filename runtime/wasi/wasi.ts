/**
 * WASI preview 1, every call checked against what is granted.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { GuestAccess, HostModule, HostUsage } from "../types.ts";
import {
  type Abi,
  PREVIEW1,
  signaturesOf,
  UNSTABLE,
  type WasiFunctions,
} from "./abi.ts";
import { clockFunctions, GuestClock } from "./clocks.ts";
import type { WasiContext, WasiState } from "./context.ts";
import { Decisions } from "./decisions.ts";
import { Descriptors } from "./descriptors.ts";
import { directoryFunctions } from "./directories.ts";
import { WasiError } from "./errno.ts";
import { fdFunctions } from "./fds.ts";
import { fileFunctions } from "./files.ts";
import type { MemoryTree } from "./fs/memory_tree.ts";
import { FileQuota } from "./fs/quota.ts";
import type { TreePath } from "./fs/types.ts";
import { guarded } from "./guard.ts";
import { ioFunctions } from "./io.ts";
import { GuestMemory } from "./memory.ts";
import {
  guestPath,
  mountOf,
  type MountPoint,
  names,
  openMounts,
} from "./mounts.ts";
import { pathFunctions } from "./path_functions.ts";
import { pathOpenFunctions } from "./path_open.ts";
import { pollFunctions } from "./poll.ts";
import { programFunctions, ProgramLists } from "./program.ts";
import { randomFunctions, randomSource } from "./random.ts";
import { mountRights, STREAM_RIGHTS } from "./rights.ts";
import { socketFunctions } from "./sockets.ts";
import { StandardStream, STREAMS } from "./stdio.ts";
import type { WasiOptions, WasiRun } from "./types.ts";

/**
 * The WASI of one instance. Both drafts of preview 1 work on the same state, so
 * a guest may import from either: {@linkcode Wasi.modules} has one module each.
 */
export class Wasi implements Disposable {
  /** What a guest may import: `wasi_snapshot_preview1` and `wasi_unstable`. */
  readonly modules: readonly HostModule[];
  readonly #state: WasiState;
  readonly #streams: readonly StandardStream[];
  readonly #quota: FileQuota;
  #disposed = false;

  /**
   * Constructs it. The standard streams are the descriptors 0, 1 and 2, and the
   * mounts follow in the policy's order.
   *
   * @param options What it is made from.
   * @throws {SandboxError} If the mounts are too many to be open, or one of
   * them cannot be opened.
   */
  constructor(options: WasiOptions) {
    const { capabilities, limits } = options;
    this.#quota = new FileQuota(limits);
    const decisions = new Decisions(options.auditor);
    const clock = new GuestClock(capabilities);
    this.#streams = STREAMS.map((name) =>
      new StandardStream(name, limits, decisions)
    );
    const types = new Set(capabilities.map(({ type }) => type));
    const lists = new ProgramLists(capabilities);
    // from here on something is open
    const mounts = openMounts(capabilities, {
      openHostTree: options.openHostTree,
      quota: this.#quota,
      clock,
    });
    this.#state = {
      decisions,
      clock,
      mounts,
      descriptors: this.#open(mounts, limits.openFiles),
      random: randomSource(capabilities),
      lists,
      isGranted: (type) => types.has(type),
    };
    this.modules = Object.freeze([PREVIEW1, UNSTABLE].map((abi) => ({
      name: abi.module,
      signatures: signaturesOf(abi),
      link: (guest: GuestAccess) => this.#link(guest, abi),
    })));
  }

  /**
   * Gives what one run is given; at most once, before the guest runs.
   *
   * @param run The run.
   * @throws {TypeError} If an argument, a variable or a file is not right.
   * @throws {RangeError} If the files have no room in their mounts.
   */
  prepare(run: WasiRun): void {
    const files = Object.entries(run.files).map(([path, content]) =>
      this.#place(path, content)
    );
    this.#state.lists.set(run);
    for (const file of files) addFile(file);
    for (const stream of this.#streams) stream.connect(run);
  }

  /**
   * Takes all files out of all memory mounts.
   *
   * @returns Copies, by the guest's absolute path.
   */
  files(): Map<string, Uint8Array<ArrayBuffer>> {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const point of this.#state.mounts) {
      for (const [path, content] of point.memory?.files() ?? []) {
        files.set(
          guestPath(point, [path]),
          content as Uint8Array<ArrayBuffer>,
        );
      }
    }
    return files;
  }

  /** What was used so far. */
  usage(): HostUsage {
    const [stdin, stdout, stderr] = this.#streams;
    return {
      openFiles: this.#state.descriptors.size,
      ...this.#quota.used,
      stdinBytes: stdin?.usedBytes ?? 0,
      stdoutBytes: stdout?.usedBytes ?? 0,
      stderrBytes: stderr?.usedBytes ?? 0,
    };
  }

  /** Closes everything; {@linkcode Wasi.usage} goes on to work. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    using stack = new DisposableStack();
    for (const { tree } of this.#state.mounts) stack.use(tree);
    stack.use(this.#state.descriptors);
    for (const stream of this.#streams) stream.disconnect();
  }

  #open(mounts: readonly MountPoint[], openFiles: number): Descriptors {
    const needed = this.#streams.length + mounts.length;
    if (needed > openFiles) {
      for (const { tree } of mounts) tree[Symbol.dispose]();
      throw tooManyMounts(openFiles, needed);
    }
    const descriptors = new Descriptors(openFiles);
    for (const stream of this.#streams) {
      const rights =
        STREAM_RIGHTS[stream.name === "stdin" ? "input" : "output"];
      descriptors.add({ kind: "stream", stream, rights, flags: 0 });
    }
    for (const point of mounts) {
      descriptors.add({
        kind: "directory",
        point,
        path: [],
        isPreopen: true,
        rights: mountRights(point.writable),
        flags: 0,
      });
    }
    return descriptors;
  }

  #link(guest: GuestAccess, abi: Abi): ReturnType<HostModule["link"]> {
    const memory = new GuestMemory(guest);
    const context: WasiContext = { ...this.#state, abi, guest, memory };
    const functions: WasiFunctions = {
      ...clockFunctions(context),
      ...directoryFunctions(context),
      ...fdFunctions(context),
      ...fileFunctions(context),
      ...ioFunctions(context),
      ...pathFunctions(context),
      ...pathOpenFunctions(context),
      ...pollFunctions(context),
      ...programFunctions(context),
      ...randomFunctions(context),
      ...socketFunctions(context),
    };
    return guarded(functions, context);
  }

  /** Where a file of a run goes; nothing is put in before all are known. */
  #place(path: string, content: Uint8Array): GivenFile {
    const refuse = (why: string): never => {
      throw new TypeError(`Cannot put in the file ${quote(path)}: ${why}`);
    };
    const parts = names(path);
    const point = mountOf(this.#state.mounts, parts);
    if (!path.startsWith("/") || point?.memory === undefined) {
      return refuse(
        "it lies in no memory mount (grant filesystem with a memory mount " +
          "above it)",
      );
    }
    if (!(content instanceof Uint8Array)) refuse("its content is no bytes");
    if (parts.some((name) => /^\.\.?$/.test(name))) {
      refuse("it is no path of a file");
    }
    return { path, tree: point.memory, parts, point, content };
  }
}

/** A file of a run, and where it goes. */
interface GivenFile {
  readonly path: string;
  readonly parts: TreePath;
  readonly point: MountPoint;
  readonly tree: MemoryTree;
  readonly content: Uint8Array;
}

function addFile({ path, parts, point, tree, content }: GivenFile): void {
  const relative = parts.slice(point.names.length).join("/");
  try {
    // a slash at the end asks for a directory
    tree.addFile(path.endsWith("/") ? `${relative}/` : relative, content);
  } catch (cause) {
    if (!(cause instanceof WasiError)) throw cause;
    const [Failure, reason] = cause.errno === "NOSPC"
      ? [RangeError, `the mount ${quote(point.guest)} has no room for it`]
      : [TypeError, `it is no path of a file (${cause.errno})`];
    throw new Failure(`Cannot put in the file ${quote(path)}: ${reason}`, {
      cause,
    });
  }
}

function tooManyMounts(
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "raise openFiles, or mount less";
  return new SandboxError(
    "limit-exceeded",
    `Cannot open the mounts: with the standard streams they are ${used}, and ` +
      `openFiles is ${allowed} (${suggestion})`,
    { details: { limit: "openFiles", allowed, used, suggestion } },
  );
}
