/**
 * The way from guests to functions of the host: one callback for all of them.
 *
 * @module
 */

/** What runs when a guest calls a function of the host. Must not throw. */
export type Handler = () => void;

const DEFINITION = Object.freeze(
  { parameters: ["u32"], result: "pointer" } as const,
);

/**
 * Calls functions of the host by their numbers. Arguments and results lie in a
 * memory of the host's own, see `glue.ts`.
 *
 * It gives Wasmtime no trap but null, whatever happens: if the stack is too
 * short for the callback even to begin, Deno gives null too and goes on, and so
 * nothing may depend on what is given.
 */
export class Dispatcher implements Disposable {
  readonly #handlers: (Handler | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #callback: Deno.UnsafeCallback<typeof DEFINITION>;

  /** Constructs it, with no functions. */
  constructor() {
    const handlers = this.#handlers;
    this.#callback = new Deno.UnsafeCallback(DEFINITION, (id) => {
      try {
        handlers[id]?.();
      } catch {
        // the adapter sees that nothing was done, and traps
      }
      return null;
    });
  }

  /** What Wasmtime is to call, with the number as its first argument. */
  get pointer(): Deno.PointerObject {
    return this.#callback.pointer;
  }

  /** How many functions there are. */
  get size(): number {
    return this.#handlers.length - this.#free.length;
  }

  /**
   * Adds a function.
   *
   * @param handler The function.
   * @returns Its number.
   */
  add(handler: Handler): number {
    const id = this.#free.pop() ?? this.#handlers.length;
    this.#handlers[id] = handler;
    return id;
  }

  /**
   * Lets go of a function. Nothing may call it any more.
   *
   * @param id Its number.
   */
  delete(id: number): void {
    this.#handlers[id] = undefined;
    this.#free.push(id);
  }

  /** Lets go of the callback. No guest may run any more. */
  [Symbol.dispose](): void {
    this.#callback.close();
  }
}
