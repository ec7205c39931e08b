/**
 * Variables of a plug-in: what it keeps from call to call.
 *
 * @module
 */

/** Most bytes of the names of all variables. */
const MAX_NAME_BYTES = 2 ** 20;
/** Most variables. */
const MAX_VARS = 10_000;

/** What the values of all variables may take, unless it is told otherwise. */
export const DEFAULT_VAR_BYTES: number = 2 ** 20;

/** The variables of one plug-in. */
export class ExtismVars {
  /** Most bytes of all values. */
  readonly maxBytes: number;
  readonly #values = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #changed = new Set<string>();
  #bytes = 0;
  #nameBytes = 0;

  /**
   * Constructs it.
   *
   * @param maxBytes Most bytes of all values; 0 for no variables at all.
   */
  constructor(maxBytes: number = DEFAULT_VAR_BYTES) {
    this.maxBytes = maxBytes;
  }

  /**
   * Looks a variable up.
   *
   * @param name Its name.
   * @returns Its value, which nobody changes; undefined if there is none.
   */
  get(name: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#values.get(name);
  }

  /**
   * Sets a variable.
   *
   * @param name Its name.
   * @param value Its value, which nobody may change from now on.
   * @throws {RangeError} If there is no room for it.
   */
  set(name: string, value: Uint8Array<ArrayBuffer>): void {
    if (this.maxBytes === 0) {
      throw new RangeError("Vars are disabled by this host (maxVarBytes is 0)");
    }
    const before = this.#values.get(name);
    const bytes = this.#bytes + value.length - (before?.length ?? 0);
    if (bytes > this.maxBytes) {
      throw new RangeError(
        `var memory limit exceeded: ${bytes} bytes requested, ` +
          `${this.maxBytes} allowed (Variable store is full; raise maxVarBytes)`,
      );
    }
    if (before === undefined) this.#addName(name);
    this.#bytes = bytes;
    this.#values.set(name, value);
    this.#changed.add(name);
  }

  /**
   * Removes a variable, if it is there.
   *
   * @param name Its name.
   */
  delete(name: string): void {
    const value = this.#values.get(name);
    if (value === undefined) return;
    this.#values.delete(name);
    this.#bytes -= value.length;
    this.#nameBytes -= name.length;
    this.#changed.add(name);
  }

  /** All of them. */
  entries(): IterableIterator<[string, Uint8Array<ArrayBuffer>]> {
    return this.#values.entries();
  }

  /** Names of those that were changed since the last time. */
  takeChanged(): string[] {
    const names = [...this.#changed];
    this.#changed.clear();
    return names;
  }

  #addName(name: string): void {
    if (
      this.#values.size >= MAX_VARS ||
      this.#nameBytes + name.length > MAX_NAME_BYTES
    ) {
      throw new RangeError(
        `Variable store is full: ${MAX_VARS} variables, or ${MAX_NAME_BYTES} ` +
          "characters of names (delete some)",
      );
    }
    this.#nameBytes += name.length;
  }
}
