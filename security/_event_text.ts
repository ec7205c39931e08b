/** Text that is fit for an audit event. */

import { printable } from "../_text.ts";

/** Longest text in an event, in UTF-16 units. */
const MAX_TEXT = 1_024;

/** How much is made printable at a time, in UTF-16 units. */
const PART = 128;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** What needs no second look; most resources are. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Makes anything printable text of at most 1,024 UTF-16 units. */
export function eventText(value: unknown): string {
  if (typeof value !== "string") return typeof value;
  if (value.length <= MAX_TEXT && PLAIN.test(value)) return value;
  const text = beginningOf(value);
  return text.length <= MAX_TEXT && value.length <= MAX_TEXT
    ? text
    : own(`${cut(text, MAX_TEXT - 1)}…`);
}

/** Printable text of the beginning, of a little more than is kept. */
function beginningOf(value: string): string {
  let text = "";
  let rest = cut(value, MAX_TEXT);
  // escapes are longer than what they stand for, and most would be cut off
  while (rest !== "" && text.length <= MAX_TEXT) {
    const part = cut(rest, PART);
    text += printable(part);
    rest = rest.slice(part.length);
  }
  return text;
}

/** A copy: a part of a text would hold on to all of it. */
function own(text: string): string {
  return DECODER.decode(ENCODER.encode(text));
}

/** Cuts text, and not within a pair of surrogates. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
