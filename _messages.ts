/** Counts the messages of one sandbox. */

import { SandboxError } from "./errors.ts";
import type { LimitUsage } from "./sandbox_options.ts";

/** Requests, replies and messages of the channel, each counted once. */
export class MessageCounter {
  readonly #allowed: number | undefined;
  #used = 0;

  constructor(allowed: number | undefined) {
    this.#allowed = allowed;
  }

  /** Counts one, unless it is one too many. */
  count(): void {
    if (this.#allowed === undefined) return;
    if (this.#used >= this.#allowed) throw tooMany(this.#allowed);
    this.#used++;
  }

  /** What was used of the limit, if there is one. */
  usage(): Readonly<{ messages?: LimitUsage }> {
    return this.#allowed === undefined
      ? {}
      : { messages: { allowed: this.#allowed, used: this.#used } };
  }
}

function tooMany(allowed: number): SandboxError<"limit-exceeded"> {
  const suggestion = "raise messages, or create another sandbox";
  return new SandboxError(
    "limit-exceeded",
    `Cannot pass another message: messages is ${allowed} (${suggestion})`,
    {
      details: { limit: "messages", allowed, used: allowed + 1, suggestion },
    },
  );
}
