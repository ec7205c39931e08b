/** What the code of others throws and answers. */

import { printable } from "../_text.ts";

/** Longest part of an error's message that is passed on, in UTF-16 units. */
const MAX_REASON = 200;

/** What an error says, whatever it is: printable, and not for long. */
export function messageOf(error: unknown): string {
  try {
    const text = error instanceof Error ? error.message : String(error);
    return printable(String(text).slice(0, MAX_REASON));
  } catch {
    return "it cannot be told";
  }
}

/** Keeps a promise that nobody waits for from ending the host's process. */
export function defuse(value: unknown, failed: () => void = () => {}): void {
  if (value instanceof Promise) value.catch(failed);
}
