/** Sessions over Streamable HTTP. */

import type { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp";
import { strangerProblem } from "./allow.ts";
import { Refused, watched } from "./body.ts";
import { SessionEvents } from "./events.ts";
import { BUSY_CODE } from "./failures.ts";
import { Incoming } from "./incoming.ts";
import { type JsonObject, own } from "./names.ts";
import type { SessionParts } from "./calls.ts";
import { Session } from "./session.ts";

/** When a client that was turned away may come again, in seconds. */
const RETRY_AFTER = "5";

/** Longest request of one who has no session yet: it can only begin one. */
const MAX_FIRST_BYTES = 65_536;

/** One session. */
interface Client {
  readonly id: string;
  readonly session: Session;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly events: SessionEvents | undefined;
  /** Requests whose responses are not at their end, by id. */
  readonly pending: Set<unknown>;
  /** Responses that are not at their end. */
  open: number;
  lastUsed: number;
  /** Whether it has asked for anything. */
  isUsed: boolean;
}

/** Answers requests over HTTP. */
export class HttpSessions implements AsyncDisposable {
  readonly #parts: SessionParts;
  readonly #clients = new Map<string, Client>();
  readonly #incoming: Incoming;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #whenAnswered: PromiseWithResolvers<void> | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#incoming = new Incoming(parts.settings.options.maxRequestBytes);
  }

  /** How many there are. */
  get size(): number {
    return this.#clients.size;
  }

  /** Answers a request. */
  async fetch(request: Request): Promise<Response> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof Refused) {
        const retry = error.status === 503
          ? { "retry-after": RETRY_AFTER }
          : {};
        return error.response(retry);
      }
      this.#parts.settings.tell(error, { operation: "http" });
      return new Refused(500, -32603, "The server failed").response();
    }
  }

  /** Tells each session that a resource has changed. */
  tellUpdated(uri: string): void {
    for (const { session } of this.#clients.values()) session.tellUpdated(uri);
  }

  /** Takes no more requests; what running ones ask for is still answered. */
  close(): void {
    this.#isClosed = true;
  }

  /** Waits until every request has its response. */
  async whenAnswered(): Promise<void> {
    if (this.#isAnswered()) return;
    this.#whenAnswered ??= Promise.withResolvers();
    await this.#whenAnswered.promise;
  }

  #isAnswered(): boolean {
    return [...this.#clients.values()].every(({ pending }) =>
      pending.size === 0
    );
  }

  /** Ends all sessions, and what runs for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    this.#incoming[Symbol.dispose]();
    clearTimeout(this.#timer);
    const clients = [...this.#clients.values()];
    await Promise.all(clients.map((client) => this.#end(client)));
  }

  async #answer(request: Request): Promise<Response> {
    const { options } = this.#parts.settings;
    const problem = strangerProblem(request, options);
    if (problem !== undefined) throw new Refused(403, -32000, problem);
    if (!["GET", "POST", "DELETE"].includes(request.method)) {
      return new Refused(405, -32000, "Method not allowed")
        .response({ allow: "GET, POST, DELETE" });
    }
    const id = request.headers.get("mcp-session-id");
    // who belongs to nobody is turned away before anything is read
    if (id !== null) this.#find(id);
    const message = request.method === "POST"
      ? await this.#incoming.read(request, {
        maxBytes: id === null
          ? Math.min(MAX_FIRST_BYTES, options.maxRequestBytes)
          : options.maxRequestBytes,
        timeoutMs: options.requestTimeoutMs,
      })
      : undefined;
    if (this.#isClosed && !isNote(message)) {
      throw new Refused(503, BUSY_CODE, "The server ends");
    }
    if (id !== null) return await this.#serve(this.#find(id), request, message);
    if (message === undefined || own(message, "method") !== "initialize") {
      throw new Refused(400, -32000, "Mcp-Session-Id header is required");
    }
    return await this.#begin(request, message);
  }

  #find(id: string): Client {
    const client = this.#clients.get(id);
    if (client !== undefined) return client;
    throw new Refused(404, -32001, "Session not found");
  }

  /** Begins a session; it stays if the client and we agree. */
  async #begin(request: Request, message: JsonObject): Promise<Response> {
    this.#makeRoom();
    const client = this.#open();
    try {
      await client.session.server.connect(client.transport);
      const response = await this.#serve(client, request, message);
      if (!response.ok) await this.#end(client);
      return response;
    } catch (error) {
      await this.#end(client);
      throw error;
    }
  }

  #open(): Client {
    const { sdk, settings } = this.#parts;
    const { maxSessionEvents, maxUnreadBytes, maxRequestBytes } =
      settings.options;
    const id = crypto.randomUUID();
    const events = maxSessionEvents > 0
      ? new SessionEvents(maxSessionEvents, maxUnreadBytes)
      : undefined;
    const transport = new sdk.HttpTransport({
      sessionIdGenerator: () => id,
      maxRequestBodySize: maxRequestBytes,
      ...(events !== undefined && { eventStore: events }),
    });
    const session = new Session(this.#parts);
    const client: Client = {
      id,
      session,
      transport,
      events,
      pending: new Set(),
      open: 0,
      lastUsed: Date.now(),
      isUsed: false,
    };
    session.onCancelled = (request) => endStream(client, request);
    session.server.onclose = () => {
      this.#clients.delete(id);
      if (this.#isAnswered()) this.#whenAnswered?.resolve();
    };
    this.#clients.set(id, client);
    this.#arm();
    return client;
  }

  async #serve(
    client: Client,
    request: Request,
    message: JsonObject | undefined,
  ): Promise<Response> {
    const { maxSessionStreams, maxUnreadBytes } = this.#parts.settings.options;
    if (client.open >= maxSessionStreams) {
      throw new Refused(503, BUSY_CODE, "Too many responses are not read");
    }
    const id = message === undefined ? undefined : own(message, "id");
    const isRequest = message !== undefined && !isNote(message);
    if (isRequest && client.pending.has(id)) {
      throw new Refused(400, -32600, "Invalid request: its id is in use");
    }
    client.open++;
    if (isRequest) client.pending.add(id);
    let isOver = false;
    const onEnd = () => {
      if (isOver) return;
      isOver = true;
      client.open--;
      if (isRequest) client.pending.delete(id);
      client.lastUsed = Date.now();
      if (this.#isAnswered()) this.#whenAnswered?.resolve();
    };
    client.isUsed ||= isRequest && own(message, "method") !== "initialize";
    client.lastUsed = Date.now();
    try {
      const response = await client.transport.handleRequest(
        request,
        message === undefined ? {} : { parsedBody: message },
      );
      const pieces = client.events?.takePieces();
      return watched(response, { maxUnreadBytes, pieces, onEnd });
    } catch (error) {
      onEnd();
      throw error;
    }
  }

  /** Sees that there is room for one more session. */
  #makeRoom(): void {
    const { maxSessions } = this.#parts.settings.options;
    if (this.#clients.size < maxSessions) return;
    this.#sweep();
    if (this.#clients.size < maxSessions) return;
    // a flood of sessions that ask for nothing keeps nobody else out
    const oldest = [...this.#clients.values()]
      .filter(({ isUsed, open }) => !isUsed && open === 0)
      .sort((a, b) => a.lastUsed - b.lastUsed)[0];
    if (oldest === undefined) {
      throw new Refused(503, BUSY_CODE, "There are too many sessions");
    }
    void this.#end(oldest);
  }

  /** Ends sessions that nobody uses. */
  #sweep(): void {
    const { sessionIdleMs } = this.#parts.settings.options;
    const latest = Date.now() - sessionIdleMs;
    for (const client of this.#clients.values()) {
      const { open, session, lastUsed } = client;
      if (open > 0 || session.calls > 0 || lastUsed > latest) continue;
      void this.#end(client);
    }
  }

  /** Sweeps now and then, as long as there are sessions. */
  #arm(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const { sessionIdleMs } = this.#parts.settings.options;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sweep();
      if (this.#clients.size > 0) this.#arm();
    }, Math.max(100, sessionIdleMs / 4));
    // no program goes on for this alone
    Deno.unrefTimer(this.#timer);
  }

  async #end(client: Client): Promise<void> {
    this.#clients.delete(client.id);
    if (this.#isAnswered()) this.#whenAnswered?.resolve();
    await client.session.server.close();
    await client.transport.close();
  }
}

/** Whether a message is a response or a notification, and asks for nothing. */
function isNote(message: JsonObject | undefined): boolean {
  return message !== undefined &&
    !(Object.hasOwn(message, "id") && Object.hasOwn(message, "method"));
}

/**
 * Ends the stream of a request that the client has cancelled: no response comes,
 * and the SDK would keep it open for one.
 */
function endStream(
  { transport, events }: Client,
  id: string | number,
): void {
  transport.closeSSEStream(id);
  events?.drop(id);
  const error = { code: BUSY_CODE, message: "Request cancelled" };
  // nobody gets it: the SDK forgets the request with it
  transport.send({ jsonrpc: "2.0", id, error }).catch(() => {});
}
