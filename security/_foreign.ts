/** What the code of others throws and answers. */

import { reasonOf } from "../_text.ts";

/** Longest part of an error's message that is passed on, in UTF-16 units. */
const MAX_REASON = 200;

/** What an error says, whatever it is: printable, and not for long. */
export function messageOf(error: unknown): string {
  return reasonOf(error).slice(0, MAX_REASON);
}

/** Keeps a promise that nobody waits for from ending the host's process. */
export function defuse(value: unknown, failed: () => void = () => {}): void {
  if (value instanceof Promise) value.catch(failed);
}
