/** Tells what happens to plugins: to a callback, and to whoever listens. */

import { printable } from "../../_text.ts";
import type { PluginEvent, PluginEventDetails } from "./types.ts";

/** Most events that wait for one listener; the oldest are dropped. */
const MAX_WAITING = 1_000;

/** One `for await`. */
interface Listener {
  readonly waiting: PluginEvent[];
  dropped: number;
  wake: (() => void) | undefined;
}

/** Tells what happens. */
export class PluginEvents implements AsyncIterable<PluginEvent>, Disposable {
  readonly #onEvent: ((event: PluginEvent) => unknown) | undefined;
  readonly #listeners = new Set<Listener>();
  #ended = false;

  constructor(onEvent: ((event: PluginEvent) => unknown) | undefined) {
    this.#onEvent = onEvent;
  }

  /** Tells everybody. */
  emit<T extends keyof PluginEventDetails>(
    type: T,
    plugin: string,
    details: PluginEventDetails[T],
  ): void {
    if (this.#ended) return;
    const event = makeEvent(type, plugin, details);
    for (const listener of this.#listeners) push(listener, event);
    this.#call(event);
  }

  /** Everything that happens from now on, until the host is disposed. */
  [Symbol.asyncIterator](): AsyncGenerator<PluginEvent, void, void> {
    const listener: Listener = { waiting: [], dropped: 0, wake: undefined };
    this.#listeners.add(listener);
    return this.#listen(listener);
  }

  async *#listen(
    listener: Listener,
  ): AsyncGenerator<PluginEvent, void, void> {
    try {
      while (true) {
        const event = take(listener);
        if (event !== undefined) yield event;
        else if (this.#ended) return;
        else await new Promise<void>((wake) => listener.wake = wake);
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Ends all listening, when what has happened is told. */
  [Symbol.dispose](): void {
    this.#ended = true;
    for (const { wake } of this.#listeners) wake?.();
  }

  /** What a callback throws, or rejects with, hurts nobody. */
  #call(event: PluginEvent): void {
    try {
      const result = this.#onEvent?.(event);
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // it is the callback's own
    }
  }
}

function makeEvent<T extends keyof PluginEventDetails>(
  type: T,
  plugin: string,
  details: PluginEventDetails[T],
): PluginEvent {
  return Object.freeze({
    ...details,
    type,
    plugin: printable(plugin),
    time: new Date().toISOString(),
  }) as PluginEvent;
}

function push(listener: Listener, event: PluginEvent): void {
  listener.waiting.push(event);
  if (listener.waiting.length > MAX_WAITING) {
    listener.waiting.shift();
    listener.dropped++;
  }
  listener.wake?.();
  listener.wake = undefined;
}

function take(listener: Listener): PluginEvent | undefined {
  if (listener.dropped === 0) return listener.waiting.shift();
  const count = listener.dropped;
  listener.dropped = 0;
  return makeEvent("dropped", "", { count });
}
