/**
 * Open files of the host.
 *
 * @module
 */

import { WasiError } from "../errno.ts";
import { hostCall } from "./_host_error.ts";
import type { HostStats } from "./_host_stat.ts";
import type { FileStat, FileTimes, OpenFile, OpenOptions } from "./types.ts";

/** An open and verified file of the host. */
export class HostFile implements OpenFile {
  readonly #file: Deno.FsFile;
  readonly #stats: HostStats;
  readonly #mode: Pick<OpenOptions, "read" | "write">;
  readonly #closed: (file: HostFile) => void;
  /** Where the host's cursor is; NaN if that is not known. */
  #cursor = 0;
  #open = true;

  /** Takes over an open file; `closed` is called once. */
  constructor(
    file: Deno.FsFile,
    stats: HostStats,
    mode: Pick<OpenOptions, "read" | "write">,
    closed: (file: HostFile) => void,
  ) {
    this.#file = file;
    this.#stats = stats;
    this.#mode = mode;
    this.#closed = closed;
  }

  read(into: Uint8Array, position: number): number {
    this.#use("read");
    if (into.length === 0) return 0;
    return hostCall(() => {
      this.#seek(position);
      this.#cursor = NaN;
      const count = this.#file.readSync(into) ?? 0;
      this.#cursor = position + count;
      return count;
    });
  }

  write(from: Uint8Array, position: number | undefined): number {
    this.#use("write");
    if (from.length === 0) return 0;
    return hostCall(() => {
      const start = position === undefined
        ? this.#file.seekSync(0, Deno.SeekMode.End)
        : this.#seek(position);
      this.#cursor = NaN;
      let done = this.#file.writeSync(from);
      while (done < from.length) {
        done += this.#file.writeSync(from.subarray(done));
      }
      this.#cursor = start + done;
      return done;
    });
  }

  truncate(size: number): void {
    this.#use("write");
    checkOffset(size);
    hostCall(() => this.#file.truncateSync(size));
  }

  sync(): void {
    this.#use();
    hostCall(() => this.#file.syncSync());
  }

  stat(): FileStat {
    this.#use();
    return hostCall(() => this.#stats.stat(this.#file.statSync()));
  }

  setTimes(times: FileTimes): void {
    this.#use();
    hostCall(() =>
      this.#stats.setTimes(
        this.#file.statSync(),
        times,
        (atime, mtime) => this.#file.utimeSync(atime, mtime),
      )
    );
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed(this);
    hostCall(() => this.#file.close());
  }

  #seek(position: number): number {
    checkOffset(position);
    if (this.#cursor !== position) {
      this.#cursor = NaN;
      this.#cursor = this.#file.seekSync(position, Deno.SeekMode.Start);
    }
    return position;
  }

  #use(how?: "read" | "write"): void {
    if (!this.#open || (how !== undefined && !this.#mode[how])) {
      throw new WasiError("BADF");
    }
  }
}

/** Beyond this a number is no longer exact, nor are files that long. */
function checkOffset(offset: number): void {
  if (offset > Number.MAX_SAFE_INTEGER) throw new WasiError("FBIG");
}
