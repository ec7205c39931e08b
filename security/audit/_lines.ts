/** How events become lines: ASCII, one JSON object each, of bounded length. */

import type { AuditEvent } from "../types.ts";

/**
 * Longest line, its end included. Nothing is cut to it: the bounds of the
 * fields keep every line below.
 */
export const MAX_LINE_BYTES = 65_536;

/** Longest text of each field, in UTF-16 units, each of which is 6 at most. */
const MAX_RESOURCE = 8192;
const MAX_REASON = 1024;
const MAX_NAME = 128;

/** Everything that is not a printable character of ASCII. */
const ESCAPED = /[^\x20-\x7e]/g;

/** A field's name and its value, as JSON can hold it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Writes plain data as JSON in printable ASCII, without a line end. */
export function asciiJson(fields: Fields): string {
  return JSON.stringify(fields).replace(
    ESCAPED,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The fields of an event's line. Other fields than its own are left out. */
export function eventFields(event: AuditEvent): Fields {
  const cut: string[] = [];
  const text = (name: keyof AuditEvent, max: number) => {
    const value = event[name];
    if (value === undefined) return undefined;
    const whole = String(value);
    if (whole.length <= max) return whole;
    cut.push(name);
    return whole.slice(0, max);
  };
  return {
    type: "event",
    sequence: Number(event.sequence),
    time: text("time", MAX_NAME),
    sandbox: text("sandbox", MAX_NAME),
    decision: text("decision", MAX_NAME),
    operation: text("operation", MAX_NAME),
    capability: text("capability", MAX_NAME),
    resource: text("resource", MAX_RESOURCE),
    via: text("via", MAX_NAME),
    reason: text("reason", MAX_REASON),
    cut: cut.length > 0 ? cut : undefined,
  };
}
