/**
 * A bounded cache of compiled modules: the least recently used goes first.
 *
 * @module
 */

/** What may be cached. */
export interface Sized {
  /** What it counts towards the bound, in bytes. */
  readonly cacheBytes: number;
}

/** Bounds of a {@linkcode ModuleCache}. */
export interface ModuleCacheOptions {
  /** Most entries. */
  maxEntries: number;
  /** Most bytes, all entries together. */
  maxBytes: number;
  /** Most bytes of one entry. */
  maxEntryBytes: number;
}

/** Keeps values by key, within bounds. */
export class ModuleCache<T extends Sized> {
  readonly #entries = new Map<string, T>();
  readonly #options: ModuleCacheOptions;
  #bytes = 0;

  /**
   * Constructs an empty cache.
   *
   * @param options The bounds.
   */
  constructor(options: ModuleCacheOptions) {
    this.#options = options;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of all entries together. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Looks up a value.
   *
   * @param key Its key.
   * @returns The value, now the most recently used, or undefined.
   */
  get(key: string): T | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /**
   * Keeps a value, and lets go of the least recently used beyond the bounds.
   *
   * @param key Its key.
   * @param value The value; not kept if it is too large.
   */
  set(key: string, value: T): void {
    this.#remove(key);
    if (value.cacheBytes > this.#options.maxEntryBytes) return;
    this.#entries.set(key, value);
    this.#bytes += value.cacheBytes;
    for (const oldest of this.#entries.keys()) {
      if (
        this.#bytes <= this.#options.maxBytes &&
        this.#entries.size <= this.#options.maxEntries
      ) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= value.cacheBytes;
  }
}

/**
 * What names a module in a cache.
 *
 * @param bytes The module.
 * @param maxBytes Up to this length it is its own name: a hash needs another
 * thread.
 * @returns The same for the same bytes.
 */
export async function contentOf(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<string> {
  if (bytes.length <= maxBytes) return bytes.toBase64();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
