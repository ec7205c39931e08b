/** Events that wait to be written, and where some of them are missing. */

import type { AuditEvent } from "../types.ts";

/** Most text that waits, in UTF-16 units, for events whose text is long. */
const MAX_UNITS = 16_777_216;

/** Events that were dropped here, between those that were not. */
export class Gap {
  /** How many. */
  count = 0;
}

/** What waits: an event, or how many are missing. */
export type Pending = AuditEvent | Gap;

/** A queue that never grows beyond its bounds: what is too much is a gap. */
export class PendingQueue {
  readonly #maxEvents: number;
  #items: Pending[] = [];
  #gaps = 0;
  #units = 0;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  /** Events that wait. */
  get events(): number {
    return this.#items.length - this.#gaps;
  }

  /** Whether there is nothing to write, not even that something is missing. */
  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Adds an event, or tells that there is no room, and notes that one is missing. */
  push(event: AuditEvent): boolean {
    const units = unitsOf(event);
    if (this.events >= this.#maxEvents || this.#units + units > MAX_UNITS) {
      this.#gap(this.#items.at(-1), (gap) => this.#items.push(gap)).count++;
      return false;
    }
    this.#items.push(event);
    this.#units += units;
    return true;
  }

  /** Takes the first ones out. */
  take(count: number): Pending[] {
    const taken = this.#items.splice(0, count);
    for (const item of taken) {
      if (item instanceof Gap) this.#gaps--;
      else this.#units -= unitsOf(item);
    }
    return taken;
  }

  /** Notes that events before the first one are missing. */
  putGap(count: number): void {
    if (count === 0) return;
    this.#gap(this.#items[0], (gap) => this.#items.unshift(gap)).count += count;
  }

  /** Forgets all; tells how many events that were. */
  clear(): number {
    const { events } = this;
    this.#items = [];
    this.#gaps = 0;
    this.#units = 0;
    return events;
  }

  #gap(there: Pending | undefined, add: (gap: Gap) => void): Gap {
    if (there instanceof Gap) return there;
    const gap = new Gap();
    add(gap);
    this.#gaps++;
    return gap;
  }
}

function unitsOf(event: AuditEvent): number {
  try {
    return String(event.resource).length;
  } catch {
    // no event: it becomes a gap when it is written
    return 0;
  }
}
