/**
 * Sends events of the audit to the host.
 *
 * @module
 */

import type { AuditEvent, AuditSink } from "../../../security/types.ts";
import { FRAME } from "../frames.ts";
import type { SentEvent } from "../messages.ts";
import type { Pipe } from "./pipe.ts";

/** Most events in a message. */
const MAX_EVENTS = 64;
/** Longest resource that is sent; with it 64 events fit the window. */
const MAX_RESOURCE = 300;

/**
 * Keeps a few events and sends them together: at the latest when the guest's
 * call returns, or once there are {@linkcode MAX_EVENTS}.
 */
export class EventSink implements AuditSink {
  readonly #pipe: Pick<Pipe, "sendPaced">;
  #events: SentEvent[] = [];

  /**
   * Constructs it.
   *
   * @param pipe The way to the host.
   */
  constructor(pipe: Pick<Pipe, "sendPaced">) {
    this.#pipe = pipe;
  }

  record({ sequence: _, sandbox: __, ...event }: AuditEvent): void {
    const { resource } = event;
    this.#events.push({
      ...event,
      resource: resource.length > MAX_RESOURCE
        ? `${resource.slice(0, MAX_RESOURCE)}…`
        : resource,
    });
    if (this.#events.length >= MAX_EVENTS) this.flush();
  }

  /** Sends what is kept. */
  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#pipe.sendPaced(FRAME.events, { events });
  }
}
