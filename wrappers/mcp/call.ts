/** One call of a guest, as far as the guest may speak with the client. */

import { GuestFault } from "../../communication/fault.ts";
import { reasonOf } from "../../_text.ts";
import type { McpClientRequest } from "./types.ts";

/** Levels of the log, the least first: RFC 5424. */
export const LOG_LEVELS = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const;

/** How much a line of the log matters. */
export type LogLevel = typeof LOG_LEVELS[number];

/** A notification, as the protocol has it. */
export interface Notification {
  readonly method:
    | "notifications/progress"
    | "notifications/message";
  readonly params: Record<string, unknown>;
}

/** How a call reaches its client. */
export interface CallTies {
  /** Aborted when the client does not want it any more. */
  readonly signal: AbortSignal;
  /** By what the client wants to be told of progress, if it does. */
  readonly progressToken: string | number | undefined;
  /** What the guest may ask the client for. */
  readonly clientRequests: ReadonlySet<McpClientRequest>;
  /** Most notifications. */
  readonly maxNotifications: number;
  /** The least level that the client wants to hear of. */
  readonly logLevel: () => LogLevel;
  /** Tells the client. */
  readonly notify: (notification: Notification) => Promise<void>;
  /** Asks the client. */
  readonly ask: (
    request: McpClientRequest,
    params: Record<string, unknown>,
    signal: AbortSignal,
  ) => Promise<unknown>;
  /** Tells those who subscribed to a resource; false, if there is none. */
  readonly updated: (uri: string) => boolean;
}

/** A call that runs. */
export class McpCall {
  readonly #ties: CallTies;
  #notifications = 0;
  #progress = -Infinity;

  constructor(ties: CallTies) {
    this.#ties = ties;
  }

  /** Tells of progress; to nobody, if the client did not ask for it. */
  async progress(
    params: { readonly progress: number; readonly [name: string]: unknown },
  ): Promise<void> {
    if (params.progress <= this.#progress) {
      throw new GuestFault("invalid", "progress must go up with each call");
    }
    this.#progress = params.progress;
    const { progressToken } = this.#ties;
    if (progressToken === undefined) return;
    await this.#notify({
      method: "notifications/progress",
      params: { progressToken, ...params },
    });
  }

  /** Writes a line of the log; nowhere, if the client does not want it. */
  async log(
    level: LogLevel,
    params: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const least = LOG_LEVELS.indexOf(this.#ties.logLevel());
    if (LOG_LEVELS.indexOf(level) < least) return;
    await this.#notify({
      method: "notifications/message",
      params: { level, ...params },
    });
  }

  /** Tells those who subscribed that a resource has changed. */
  updated(uri: string): void {
    this.#count();
    if (this.#ties.updated(uri)) return;
    throw new GuestFault("unknown", "this guest has no such resource");
  }

  /** Asks the client for something. */
  async ask(
    request: McpClientRequest,
    params: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (!this.#ties.clientRequests.has(request)) {
      throw new GuestFault("denied", `clientRequests does not name ${request}`);
    }
    this.#count();
    try {
      const either = AbortSignal.any([signal, this.#ties.signal]);
      return await this.#ties.ask(request, params, either);
    } catch (cause) {
      if (cause instanceof GuestFault) throw cause;
      const reason = reasonOf(cause).slice(0, 300);
      throw new GuestFault("failed", reason, { code: "client", cause });
    }
  }

  async #notify(notification: Notification): Promise<void> {
    if (this.#ties.signal.aborted) {
      throw new GuestFault("closed", "the call is cancelled");
    }
    this.#count();
    await this.#ties.notify(notification);
  }

  #count(): void {
    const { maxNotifications } = this.#ties;
    if (this.#notifications++ < maxNotifications) return;
    throw new GuestFault(
      "failed",
      `only ${maxNotifications} messages to the client are allowed in a call`,
      { code: "too-many" },
    );
  }
}
