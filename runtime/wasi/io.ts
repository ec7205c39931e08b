/**
 * Reading and writing: `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`.
 *
 * What a call cannot do is found before it does anything, but for a disk that
 * fails or is full: then what the buffers before it held has been moved, and
 * the call says how much. Only if that is nothing it fails.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import { demandRight, type WasiContext } from "./context.ts";
import {
  asFile,
  type FileDescriptor,
  type StreamDescriptor,
} from "./descriptors.ts";
import { WasiError } from "./errno.ts";
import { byteLength, type Range } from "./memory.ts";

/** Flags of descriptors. */
export const FLAGS = Object.freeze({
  APPEND: 1,
  DSYNC: 2,
  NONBLOCK: 4,
  RSYNC: 8,
  SYNC: 16,
});

/** Functions of this file. */
type Names = "fd_pread" | "fd_pwrite" | "fd_read" | "fd_write";

/** What one call moves. */
interface Transfer {
  /** The function. */
  readonly via: Names;
  /** The guest's list of buffers. */
  readonly list: number;
  /** How many it has. */
  readonly count: number;
  /** Where to say how many bytes were moved. */
  readonly result: number;
}

/** The functions that move bytes. */
export function ioFunctions(context: WasiContext): WasiFunctions<Names> {
  const { descriptors } = context;
  return {
    fd_read(fd, list, count, result) {
      const transfer = { via: "fd_read", list, count, result } as const;
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "stream") {
        return readStream(context, descriptor, transfer);
      }
      const file = asFile(descriptor, "BADF");
      file.position += read(context, file, file.position, transfer);
    },
    fd_pread(fd, list, count, at, result) {
      const transfer = { via: "fd_pread", list, count, result } as const;
      const file = asFile(descriptors.get(fd), "SPIPE");
      demandRight(context, file, { right: "FD_SEEK", via: "fd_pread" });
      read(context, file, position(at), transfer);
    },
    fd_write(fd, list, count, result) {
      const transfer = { via: "fd_write", list, count, result } as const;
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "stream") {
        return writeStream(context, descriptor, transfer);
      }
      const file = asFile(descriptor, "BADF");
      if ((file.flags & FLAGS.APPEND) === 0) {
        file.position += write(context, file, file.position, transfer);
      } else {
        write(context, file, undefined, transfer);
        file.position = file.file.stat().size;
      }
    },
    fd_pwrite(fd, list, count, at, result) {
      const transfer = { via: "fd_pwrite", list, count, result } as const;
      const file = asFile(descriptors.get(fd), "SPIPE");
      demandRight(context, file, { right: "FD_SEEK", via: "fd_pwrite" });
      write(context, file, position(at), transfer);
    },
  };
}

/**
 * A position in a file.
 *
 * @param at The guest's number.
 * @returns The position.
 * @throws {WasiError} INVAL if it is beyond what can be counted exactly.
 */
export function position(at: bigint): number {
  if (at > BigInt(Number.MAX_SAFE_INTEGER)) throw new WasiError("INVAL");
  return Number(at);
}

function prepare(
  { memory }: WasiContext,
  { list, count, result }: Transfer,
): readonly Range[] {
  memory.check(result, 4);
  const buffers = memory.buffers(list, count);
  memory.charge(byteLength(buffers));
  return buffers;
}

function read(
  context: WasiContext,
  descriptor: FileDescriptor,
  start: number,
  transfer: Transfer,
): number {
  demandRight(context, descriptor, { right: "FD_READ", via: transfer.via });
  const { memory } = context;
  const done = each(prepare(context, transfer), ({ at, length }, before) => {
    const from = start + before;
    if (from + length > Number.MAX_SAFE_INTEGER) return 0;
    return descriptor.file.read(memory.bytes(at, length), from);
  });
  memory.setU32(transfer.result, done);
  return done;
}

function write(
  context: WasiContext,
  descriptor: FileDescriptor,
  start: number | undefined,
  transfer: Transfer,
): number {
  demandRight(context, descriptor, { right: "FD_WRITE", via: transfer.via });
  const { memory } = context;
  const { file, flags } = descriptor;
  const done = each(prepare(context, transfer), ({ at, length }, before) => {
    const to = start === undefined ? undefined : start + before;
    if (to !== undefined && to + length > Number.MAX_SAFE_INTEGER) {
      throw new WasiError("FBIG");
    }
    return file.write(memory.bytes(at, length), to);
  });
  if ((flags & (FLAGS.DSYNC | FLAGS.SYNC)) !== 0) file.sync();
  memory.setU32(transfer.result, done);
  return done;
}

/** Moves buffer by buffer, until one is not moved as a whole. */
function each(
  buffers: readonly Range[],
  move: (buffer: Range, before: number) => number,
): number {
  let done = 0;
  for (const buffer of buffers) {
    try {
      const moved = move(buffer, done);
      done += moved;
      if (moved < buffer.length) break;
    } catch (error) {
      if (done === 0 || !(error instanceof WasiError)) throw error;
      break;
    }
  }
  return done;
}

function readStream(
  context: WasiContext,
  descriptor: StreamDescriptor,
  transfer: Transfer,
): void {
  const { memory } = context;
  const { stream } = descriptor;
  if (stream.name !== "stdin") throw new WasiError("BADF");
  demandRight(context, descriptor, { right: "FD_READ", via: transfer.via });
  const buffers = prepare(context, transfer);
  stream.demand(transfer.via);
  const wanted = byteLength(buffers);
  const chunk = wanted === 0 ? new Uint8Array() : stream.read(wanted);
  let done = 0;
  for (const { at, length } of buffers) {
    const part = chunk.subarray(done, done + length);
    memory.bytes(at, part.length).set(part);
    done += part.length;
  }
  memory.setU32(transfer.result, done);
}

function writeStream(
  context: WasiContext,
  descriptor: StreamDescriptor,
  transfer: Transfer,
): void {
  const { memory } = context;
  const { stream } = descriptor;
  if (stream.name === "stdin") throw new WasiError("BADF");
  demandRight(context, descriptor, { right: "FD_WRITE", via: transfer.via });
  const buffers = prepare(context, transfer);
  stream.demand(transfer.via);
  const total = byteLength(buffers);
  const chunks = buffers.map(({ at, length }) => memory.bytes(at, length));
  stream.write(chunks, total);
  memory.setU32(transfer.result, total);
}
