/** Watches directories, and tells when they have been left alone again. */

import { basename } from "node:path";

/** Most names that are noted; beyond that everything may have changed. */
const MAX_NAMES = 1_000;

/** How long changes are collected at the most, as a multiple of the quiet time. */
const MAX_WAIT = 10;

/** Options of {@linkcode Watch}. */
export interface WatchOptions {
  /** How long nothing must have happened, in milliseconds. */
  readonly quietMs: number;
  /**
   * Told of the names of files that have changed, without their directories;
   * undefined if it is not known which.
   */
  readonly onChange: (files: ReadonlySet<string> | undefined) => void;
  /** Told if watching ends by itself. */
  readonly onEnd: (error: Error) => void;
}

/** Watches directories; what is below them is not looked at. */
export class Watch implements AsyncDisposable {
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, Deno.FsWatcher>();
  readonly #runs: Promise<void>[] = [];
  #files: Set<string> | undefined = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the first of the changes that are collected came. */
  #since: number | undefined;
  #disposed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /**
   * Begins to watch a directory, unless it is watched.
   *
   * @throws {Deno.errors.NotFound} If there is none.
   */
  add(directory: string): void {
    if (this.#disposed || this.#watchers.has(directory)) return;
    const watcher = Deno.watchFs(directory, { recursive: false });
    this.#watchers.set(directory, watcher);
    this.#runs.push(this.#run(watcher));
  }

  /** Ends it; nothing is told from here on. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = true;
      clearTimeout(this.#timer);
      for (const watcher of this.#watchers.values()) watcher.close();
    }
    await Promise.all(this.#runs);
  }

  async #run(watcher: Deno.FsWatcher): Promise<void> {
    try {
      for await (const event of watcher) this.#note(event);
      if (!this.#disposed) throw new Error("the system has ended it");
    } catch (error) {
      if (this.#disposed) return;
      this.#options.onEnd(
        error instanceof Error ? error : new Error(String(error)),
      );
    }
  }

  #note({ kind, paths, flag }: Deno.FsEvent): void {
    // reading a file is no change, and the host itself does
    if (kind === "access" || this.#disposed) return;
    if (flag === "rescan") this.#files = undefined;
    for (const path of paths) this.#files?.add(basename(path));
    if (this.#files !== undefined && this.#files.size > MAX_NAMES) {
      this.#files = undefined;
    }
    this.#schedule();
  }

  /** Waits for quiet, but not for ever: one file must not keep the others. */
  #schedule(): void {
    const { quietMs } = this.#options;
    const now = performance.now();
    this.#since ??= now;
    const left = this.#since + MAX_WAIT * quietMs - now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#tell(),
      Math.max(0, Math.min(quietMs, left)),
    );
  }

  #tell(): void {
    const files = this.#files;
    this.#files = new Set();
    this.#since = undefined;
    this.#options.onChange(files);
  }
}
