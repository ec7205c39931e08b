/** The calls of one session. */

import type { Server } from "@modelcontextprotocol/sdk/server";
import type { ServerNotification } from "@modelcontextprotocol/sdk/types";
import { askClient, type Extra } from "./ask_client.ts";
import {
  type CallTies,
  type LogLevel,
  McpCall,
  type Notification,
} from "./call.ts";
import type { Catalog } from "./catalog.ts";
import type { McpGuest } from "./guest.ts";
import { busy, invalid, toldOf } from "./protocol_error.ts";
import type { RunContext } from "./runner.ts";
import type { Sdk } from "./sdk.ts";
import type { Settings } from "./settings.ts";

/** Longest token of progress: each notification has it. */
const MAX_TOKEN = 1_024;

/** What all sessions share. */
export interface SessionParts {
  readonly sdk: Sdk;
  readonly settings: Settings;
  readonly catalog: Catalog;
  /** Counts calls. */
  readonly counts: { calls: number; failures: number };
  /** Tells every session that a resource has changed. */
  readonly updated: (uri: string) => void;
}

/** Runs guests for one client. */
export class Calls {
  readonly #parts: SessionParts;
  readonly #server: Server;
  #running = 0;
  /** The least level of the log that the client wants to hear of. */
  level: LogLevel = "debug";
  /** Told of each request that the client has cancelled, when it has ended. */
  onCancelled: ((id: string | number) => void) | undefined;

  constructor(parts: SessionParts, server: Server) {
    this.#parts = parts;
    this.#server = server;
  }

  /** Calls that run or wait. */
  get running(): number {
    return this.#running;
  }

  /**
   * Runs a guest for the client, and counts.
   *
   * @param guest The guest, if there is one.
   * @param extra What the SDK knows of the request.
   * @param run Has the guest called.
   * @returns What `run` returns.
   * @throws {ProtocolError} If that fails, or is too much.
   */
  async run<T>(
    guest: McpGuest | undefined,
    extra: Extra,
    run: (context: RunContext) => Promise<T>,
  ): Promise<T> {
    const { settings, counts } = this.#parts;
    this.#admit(extra);
    this.#running++;
    counts.calls++;
    const { signal } = extra;
    const call = guest === undefined
      ? undefined
      : new McpCall(this.#tiesOf(guest, extra));
    try {
      return await run({ call, signal, onError: settings.tell });
    } catch (error) {
      counts.failures++;
      throw toldOf(error);
    } finally {
      this.#running--;
      if (signal.aborted) this.onCancelled?.(extra.requestId);
    }
  }

  #admit({ _meta }: Extra): void {
    const { maxSessionCalls } = this.#parts.settings.options;
    if (this.#running >= maxSessionCalls) {
      throw busy(
        `The server is busy: ${maxSessionCalls} calls of this session run`,
      );
    }
    const token = _meta?.progressToken;
    if (typeof token === "string" && token.length > MAX_TOKEN) {
      throw invalid(`progressToken is longer than ${MAX_TOKEN}`);
    }
  }

  #tiesOf(guest: McpGuest, extra: Extra): CallTies {
    const { catalog, settings, updated, sdk: { types } } = this.#parts;
    const server = this.#server;
    return {
      signal: extra.signal,
      progressToken: extra._meta?.progressToken,
      clientRequests: guest.clientRequests,
      maxNotifications: settings.options.maxCallNotifications,
      logLevel: () => this.level,
      notify: (notification: Notification) =>
        // made by us, of what the guest gave, member by member
        extra.sendNotification(notification as unknown as ServerNotification),
      ask: (request, params, signal) =>
        askClient(request, { server, types, params, signal, extra }),
      updated: (uri) => {
        if (!catalog.isOf(guest, uri)) return false;
        updated(uri);
        return true;
      },
    };
  }
}
