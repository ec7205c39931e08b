/**
 * Folders in which files wait until all of them are there. A process that is
 * killed leaves its own; the next one that writes beside it removes it.
 */

const NAME = /^\.wasm-sandbox-[0-9a-f]{8}\.tmp$/;
/** Held by the process that owns the folder, and given up when it ends. */
const LOCK = "lock";
/** Without a lock a folder may be somebody's who has only begun. */
const MIN_AGE_MS = 60_000;

/** A folder that is gone when it is disposed. */
export class Staging implements AsyncDisposable {
  /** Where it is. */
  readonly path: string;
  readonly #lock: Deno.FsFile;
  #isKept = false;

  private constructor(path: string, lock: Deno.FsFile) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes one, and removes those that nobody owns any more.
   *
   * @param folder Where to make it.
   * @returns The folder.
   */
  static async make(folder: string): Promise<Staging> {
    await removeAbandoned(folder);
    const id = crypto.randomUUID().slice(0, 8);
    const path = `${folder}/.wasm-sandbox-${id}.tmp`;
    await Deno.mkdir(path);
    try {
      return new Staging(path, await lockOf(path));
    } catch (error) {
      await removed(path);
      throw error;
    }
  }

  /**
   * Leaves what is in it: somebody may want that.
   *
   * @returns Where it is to be found.
   */
  keep(): string {
    this.#isKept = true;
    return this.#keptPath;
  }

  /** A name that is not taken for that of an abandoned one. */
  get #keptPath(): string {
    return this.path.replace(/\.tmp$/, ".kept");
  }

  /** Removes it, with what is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // some systems remove no file that is open
    this.#lock.close();
    if (this.#isKept) await Deno.rename(this.path, this.#keptPath);
    else await removed(this.path);
  }
}

/** A lock has its name only once it is held. */
async function lockOf(path: string): Promise<Deno.FsFile> {
  const early = `${path}/${LOCK}.new`;
  const lock = await Deno.open(early, { write: true, createNew: true });
  try {
    await lock.lock(true);
    await Deno.rename(early, `${path}/${LOCK}`);
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** What cannot be removed stays; it is in nobody's way. */
async function removeAbandoned(folder: string): Promise<void> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory && NAME.test(name) && await isAbandoned(path)) {
        await removed(path);
      }
    }
  } catch {
    // a folder that cannot be read may well be written to
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const lock = await Deno.lstat(`${path}/${LOCK}`).catch(() => undefined);
  if (lock === undefined) {
    const { mtime } = await Deno.lstat(path);
    return Date.now() - (mtime?.getTime() ?? Date.now()) > MIN_AGE_MS;
  }
  // to open a pipe would wait for whoever is at its other end
  if (!lock.isFile) return false;
  using file = await Deno.open(`${path}/${LOCK}`, { write: true });
  return await file.tryLock(true);
}

async function removed(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(() => {});
}
