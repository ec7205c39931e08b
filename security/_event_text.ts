/** Text that is fit for an audit event. */

import { printable } from "../_text.ts";

/** Longest text in an event, in UTF-16 units. */
const MAX_TEXT = 1_024;

/** What needs no second look; most resources are. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Makes anything printable text of at most 1,024 UTF-16 units. */
export function eventText(value: unknown): string {
  if (typeof value !== "string") return typeof value;
  if (value.length <= MAX_TEXT && PLAIN.test(value)) return value;
  const text = printable(cut(value, MAX_TEXT));
  return text.length <= MAX_TEXT && value.length <= MAX_TEXT
    ? text
    : `${cut(text, MAX_TEXT - 1)}…`;
}

/** Cuts text, and not within a pair of surrogates. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
