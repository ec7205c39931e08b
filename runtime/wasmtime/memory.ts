/**
 * Views of a guest's memory. Each is taken away from whoever holds it, as soon
 * as the memory is no longer what it shows.
 *
 * @module
 */

import type { Handle, Store } from "./store.ts";

/** A memory of a guest, until its store is let go. */
export class MemoryView implements Disposable {
  readonly #store: Store;
  readonly #memory: Handle;
  #buffer: ArrayBuffer = new ArrayBuffer(0);
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(this.#buffer);
  #isFresh = false;
  #isGone = false;

  /**
   * Constructs it.
   *
   * @param store Where the memory lives.
   * @param memory The memory.
   */
  constructor(store: Store, memory: Handle) {
    this.#store = store;
    this.#memory = memory;
  }

  /** The guest runs: the memory may grow. */
  touch(): void {
    this.#isFresh = false;
  }

  /** The memory as it is now. */
  get buffer(): ArrayBuffer {
    if (!this.#isFresh) this.#look();
    return this.#buffer;
  }

  /** The same, as bytes. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (!this.#isFresh) this.#look();
    return this.#bytes;
  }

  /** How large it is, in bytes. */
  get byteLength(): number {
    if (this.#isGone) return 0;
    const { symbols, context } = this.#store;
    return Number(symbols.wasmtime_memory_data_size(context, this.#memory));
  }

  /** Takes all views away, for good. */
  [Symbol.dispose](): void {
    this.#replace(new ArrayBuffer(0));
    this.#isGone = true;
    this.#isFresh = true;
  }

  #look(): void {
    if (this.#isGone) return;
    const length = this.byteLength;
    this.#isFresh = true;
    // it never moves, see the engine
    if (length === this.#buffer.byteLength) return;
    const { symbols, context } = this.#store;
    const at = symbols.wasmtime_memory_data(context, this.#memory);
    this.#replace(
      at === null || length === 0
        ? new ArrayBuffer(0)
        : Deno.UnsafePointerView.getArrayBuffer(at, length),
    );
  }

  #replace(buffer: ArrayBuffer): void {
    // what anybody holds of it is empty from now on
    if (!this.#buffer.detached) this.#buffer.transfer(0);
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
  }
}
