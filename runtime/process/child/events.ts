/**
 * Sends events of the audit to the host.
 *
 * @module
 */

import type { AuditEvent, AuditSink } from "../../../security/types.ts";
import { FRAME } from "../frames.ts";
import type { SentEvent } from "../messages.ts";
import type { Pipe } from "./pipe.ts";

/** Most bytes of events that are kept, by a rough count. */
const MAX_KEPT_BYTES = 64 * 2 ** 10;
/** Most events in a message. */
const MAX_EVENTS = 64;

/**
 * Keeps a few events and sends them together: at the latest when the guest's
 * call returns.
 */
export class EventSink implements AuditSink {
  readonly #pipe: Pick<Pipe, "sendPaced">;
  #events: SentEvent[] = [];
  #bytes = 0;

  /**
   * Constructs it.
   *
   * @param pipe The way to the host.
   */
  constructor(pipe: Pick<Pipe, "sendPaced">) {
    this.#pipe = pipe;
  }

  record({ sequence: _, sandbox: __, ...event }: AuditEvent): void {
    const { resource, reason = "", via = "" } = event;
    const bytes = 300 + 4 * (resource.length + reason.length + via.length);
    if (
      this.#bytes + bytes > MAX_KEPT_BYTES || this.#events.length === MAX_EVENTS
    ) this.flush();
    this.#events.push(event);
    this.#bytes += bytes;
  }

  /** Sends what is kept. */
  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    this.#pipe.sendPaced(FRAME.events, { events });
  }
}
