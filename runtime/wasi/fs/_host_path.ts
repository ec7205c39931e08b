/**
 * Where a tree lies on the host, and whether it still does.
 *
 * @module
 */

import { WasiError } from "../errno.ts";
import { hostCall } from "./_host_error.ts";
import { identityOf } from "./_host_stat.ts";
import { checkHostName } from "./path.ts";
import type { TreePath } from "./types.ts";

/**
 * How long a directory is to lie untouched: longer than the clock of a file
 * system takes for a tick, so that the next change shows.
 */
const CALM_MS = 15;

/** How long to wait for that, and how often. */
const PAUSE_MS = 5;
const MAX_TRIES = 10;

/** The directory of the host that a tree shows. */
export class HostRoot {
  readonly #prefix: string;
  readonly #path: string;
  readonly #identity: string;
  readonly #wary: boolean;
  /** When this tree last changed a directory, by the host's clock. */
  readonly #changed = new Map<string, number>();

  /**
   * Constructs it.
   *
   * @param directory The host's directory; links on the way to it are followed
   * once, here.
   * @param wary Whether another process may swap directories meanwhile.
   * @throws {TypeError} If it is not there or no directory.
   */
  constructor(directory: string, wary: boolean) {
    this.#wary = wary;
    const { path, info } = openRoot(directory);
    this.#path = path;
    this.#prefix = /[\\/]$/.test(path) ? path : `${path}/`;
    this.#identity = identityOf(info);
  }

  /** The host's path. */
  absolute(path: TreePath): string {
    for (const name of path) checkHostName(name);
    return path.length === 0 ? this.#path : this.#prefix + path.join("/");
  }

  /** Facts of the host, not following a link at the end. */
  lstat(path: TreePath): Deno.FileInfo {
    const absolute = this.absolute(path);
    return hostCall(() => Deno.lstatSync(absolute));
  }

  /**
   * Looks at every directory on the way to a path. Who swaps one of them for a
   * link changes the directory that holds it: so nothing is done while one of
   * these was changed a moment ago, unless it was by this tree itself.
   *
   * @param path The path.
   * @returns What is to be the same afterwards.
   * @throws {WasiError} If one of them is no directory; BUSY if they are
   * changed all the time.
   */
  above(path: TreePath): Above {
    return this.#whenCalm(
      path,
      (seen) => new Above(seen, () => this.#look(path)),
    );
  }

  /**
   * As {@linkcode HostRoot.lstat}, and what it tells, be it that nothing is
   * there, is certain to be about what lies below the root: at once, where
   * nothing else can be reached.
   */
  verifiedLstat(path: TreePath): Deno.FileInfo {
    if (!this.#wary) return this.lstat(path);
    let found = this.#tryLstat(path);
    const certain = this.#whenCalm(path, () => found, () => {
      found = this.#tryLstat(path);
    });
    if (certain instanceof WasiError) throw certain;
    return certain;
  }

  #tryLstat(path: TreePath): Deno.FileInfo | WasiError {
    try {
      return this.lstat(path);
    } catch (error) {
      if (error instanceof WasiError) return error;
      throw error;
    }
  }

  #whenCalm<T>(
    path: TreePath,
    result: (seen: readonly Seen[]) => T,
    again?: () => void,
  ): T {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const seen = this.#look(path);
      if (!this.#wary || seen.slice(0, -1).every((at) => this.#isCalm(at))) {
        return result(seen);
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      again?.();
    }
    throw new WasiError("BUSY");
  }

  /** Notes that this tree has changed what lies right above a path. */
  changed(path: TreePath): void {
    const info = this.lstat(path.slice(0, -1));
    this.#changed.set(identityOf(info), info.mtime?.getTime() ?? 0);
  }

  #look(path: TreePath): readonly Seen[] {
    const seen: Seen[] = [];
    for (let depth = 0; depth < path.length; depth++) {
      const info = this.lstat(path.slice(0, depth));
      if (info.isSymlink) throw new WasiError("LOOP");
      if (!info.isDirectory) throw new WasiError("NOTDIR");
      const identity = identityOf(info);
      if (depth === 0 && identity !== this.#identity) {
        throw new WasiError("STALE");
      }
      seen.push({ identity, mtimeMs: info.mtime?.getTime() ?? 0 });
    }
    return seen;
  }

  #isCalm({ identity, mtimeMs }: Seen): boolean {
    return Math.abs(Date.now() - mtimeMs) > CALM_MS ||
      this.#changed.get(identity) === mtimeMs;
  }
}

/** A directory, as it was seen. */
interface Seen {
  readonly identity: string;
  readonly mtimeMs: number;
}

/** The directories on the way to a path, as they were. */
export class Above {
  readonly #seen: readonly Seen[];
  readonly #look: () => readonly Seen[];

  /** Constructs it. */
  constructor(seen: readonly Seen[], look: () => readonly Seen[]) {
    this.#seen = seen;
    this.#look = look;
  }

  /** The directory right above the path; none is above the root. */
  get parent(): string | undefined {
    return this.#seen.at(-1)?.identity;
  }

  /**
   * Throws STALE if any of them is no longer what it was.
   *
   * @param changed Directories that were changed on purpose.
   */
  check(changed: readonly (string | undefined)[] = []): void {
    let now: readonly Seen[] = [];
    try {
      now = this.#look();
    } catch (error) {
      // whatever it is now, it is another
      if (!(error instanceof WasiError)) throw error;
    }
    const same = now.length === this.#seen.length &&
      this.#seen.every(({ identity, mtimeMs }, i) =>
        now[i]?.identity === identity &&
        // the last holds no directory on the way, so it may change
        (i === now.length - 1 || now[i].mtimeMs === mtimeMs ||
          changed.includes(identity))
      );
    if (!same) throw new WasiError("STALE");
  }
}

function openRoot(
  directory: string,
): { readonly path: string; readonly info: Deno.FileInfo } {
  let cause: unknown;
  try {
    const path = Deno.realPathSync(directory);
    const info = Deno.lstatSync(path);
    if (info.isDirectory) return { path, info };
  } catch (error) {
    cause = error;
  }
  throw new TypeError(
    `Cannot mount "${directory}": ` +
      (cause instanceof Error ? cause.message : "it is not a directory"),
    { cause },
  );
}
