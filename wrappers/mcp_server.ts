/**
 * MCP servers: tools, resources and prompts that guests implement, for agents
 * and other clients of the Model Context Protocol.
 *
 * ```ts
 * import { McpServer } from "@wasm-sandbox/core/mcp-server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await McpServer.create({
 *   name: "texts",
 *   version: "1.0.0",
 *   tools: {
 *     slugify: {
 *       description: "Makes a part of a URL out of a title.",
 *       module: "examples/guests/rust/slugify.wasm",
 *       handler: "slugify",
 *     },
 *   },
 * });
 * assertEquals(server.list().tools.map(({ name }) => name), ["slugify"]);
 * ```
 *
 * @module
 */

import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";
import { SandboxError } from "../errors.ts";
import type { OperationOptions } from "../runtime/types.ts";
import { checkWrapperOptions } from "./check_options.ts";
import { Gate } from "./gate.ts";
import { Catalog } from "./mcp/catalog.ts";
import { HttpSessions } from "./mcp/http.ts";
import { MCP_SERVER_SCHEMA } from "./mcp/schema.ts";
import { loadSdk } from "./mcp/sdk.ts";
import { serveHttp } from "./mcp/serve.ts";
import type { SessionParts } from "./mcp/calls.ts";
import { Session } from "./mcp/session.ts";
import { settingsOf } from "./mcp/settings.ts";
import { StdioTransport } from "./mcp/stdio.ts";
import type {
  McpConnection,
  McpListing,
  McpServeOptions,
  McpServerOptions,
  McpServerStats,
  McpService,
  McpTransport,
} from "./mcp/types.ts";
import type { Wrapper, WrapperKind } from "./types.ts";

export type * from "./mcp/types.ts";

/** What a server is put together from. */
interface ServerParts {
  readonly session: Omit<SessionParts, "updated">;
  readonly gate: Gate;
}

/** Options of {@linkcode McpServer.prototype.serveStdio}. */
export interface McpStdioOptions {
  /**
   * Where messages come from.
   *
   * @default {Deno.stdin.readable}
   */
  readonly readable?: ReadableStream<Uint8Array>;
  /**
   * Where messages go.
   *
   * @default {Deno.stdout.writable}
   */
  readonly writable?: WritableStream<Uint8Array>;
}

/**
 * Serves what guests implement to clients of MCP: over any transport of the
 * official SDK, over standard input and output, and over HTTP.
 *
 * Each call runs in a guest that no other call has at that time, under the
 * policy and the limits of its tool. What a guest replies is checked before a
 * client gets it.
 *
 * @example A session over HTTP
 * ```ts
 * import { McpServer } from "@wasm-sandbox/core/mcp-server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await McpServer.create({ name: "none", version: "1.0.0" });
 * const response = await server.fetch(
 *   new Request("http://localhost/mcp", {
 *     method: "POST",
 *     headers: {
 *       "accept": "application/json, text/event-stream",
 *       "content-type": "application/json",
 *     },
 *     body: JSON.stringify({
 *       jsonrpc: "2.0",
 *       id: 1,
 *       method: "initialize",
 *       params: {
 *         protocolVersion: "2025-06-18",
 *         capabilities: {},
 *         clientInfo: { name: "example", version: "1.0.0" },
 *       },
 *     }),
 *   }),
 * );
 * assertEquals(response.status, 200);
 * await response.body?.cancel();
 * ```
 */
export class McpServer implements Wrapper {
  /** The name that its kind is registered under. */
  readonly wrapperType = "mcp_server";
  readonly #parts: SessionParts;
  readonly #gate: Gate;
  readonly #http: HttpSessions;
  readonly #connections = new Map<Session, McpConnection>();
  readonly #services = new Set<McpService>();
  #disposal: Promise<void> | undefined;

  private constructor({ session, gate }: ServerParts) {
    this.#gate = gate;
    this.#parts = { ...session, updated: (uri) => this.#tellUpdated(uri) };
    this.#http = new HttpSessions(this.#parts);
  }

  /**
   * Makes a server, with a guest for each tool, resource and prompt; asks those
   * of `guests` what they offer.
   *
   * @param given What it offers, and under which bounds.
   * @param operation Cancellation.
   * @returns The server; dispose it when done.
   * @throws {SandboxError} If a guest cannot be made; with code
   * `guest-protocol` if what it says of itself is wrong.
   * @throws {TypeError} If the options are wrong; says all that is.
   */
  static async create(
    given: McpServerOptions,
    operation: OperationOptions = {},
  ): Promise<McpServer> {
    operation.signal?.throwIfAborted();
    const options = { ...given };
    checkWrapperOptions("mcp_server", options, MCP_SERVER_SCHEMA);
    const settings = settingsOf(options);
    const { maxConcurrentCalls, queueTimeoutMs } = settings.options;
    const gate = new Gate({
      maxInside: maxConcurrentCalls,
      // only calls that have a guest come here
      maxWaiting: Infinity,
      what: "calls",
    });
    const sdk = await loadSdk();
    const terms = { gate, queueTimeoutMs };
    const catalog = await Catalog.create(settings.options, terms, operation);
    const counts = { calls: 0, failures: 0 };
    return new McpServer({ session: { sdk, settings, catalog, counts }, gate });
  }

  /**
   * What it offers.
   *
   * @returns The tools, as clients see them, and the names of the rest.
   */
  list(): McpListing {
    const { tools, resources, templates, prompts } = this.#parts.catalog;
    return {
      tools: [...tools.values()].map(({ info }) => info),
      resources: [...resources.keys()],
      resourceTemplates: [...templates.keys()],
      prompts: [...prompts.keys()],
    };
  }

  /**
   * What it is doing.
   *
   * @returns The figures of this moment.
   */
  stats(): McpServerStats {
    const { catalog, counts } = this.#parts;
    const sum = (of: (guest: typeof catalog.guests[number]) => number) =>
      catalog.guests.reduce((total, guest) => total + of(guest), 0);
    return {
      sessions: this.#http.size + this.#connections.size,
      running: this.#gate.inside,
      waiting: this.#gate.waiting + sum(({ waiting }) => waiting),
      calls: counts.calls,
      failures: counts.failures,
      guests: sum(({ count }) => count),
    };
  }

  /**
   * Serves one client over a transport of the official SDK.
   *
   * @param transport The transport, which belongs to the connection then.
   * @returns The connection; it ends with the transport or with the server.
   * @throws {SandboxError} With code `disposed`.
   */
  async connect(transport: McpTransport): Promise<McpConnection> {
    this.#use();
    const session = new Session(this.#parts);
    if (transport instanceof StdioTransport) {
      session.onCancelled = (id) => transport.forget(id);
    }
    const closed = Promise.withResolvers<void>();
    const close = () => session.server.close();
    const connection: McpConnection = {
      closed: closed.promise,
      [Symbol.asyncDispose]: close,
    };
    session.server.onclose = () => {
      this.#connections.delete(session);
      closed.resolve();
    };
    this.#connections.set(session, connection);
    try {
      // it is one, as the SDK sees by itself
      await session.server.connect(transport as Transport);
    } catch (error) {
      this.#connections.delete(session);
      throw error;
    }
    return connection;
  }

  /**
   * Serves one client over standard input and output, which nobody else may
   * use then. When the client sends no more, what it has asked for is answered,
   * and the connection ends.
   *
   * @param options Other streams.
   * @returns The connection.
   */
  async serveStdio(
    { readable = Deno.stdin.readable, writable = Deno.stdout.writable }:
      McpStdioOptions = {},
  ): Promise<McpConnection> {
    this.#use();
    const { sdk, settings } = this.#parts;
    const { maxRequestBytes, maxUnreadBytes } = settings.options;
    return await this.connect(
      new StdioTransport({
        readable,
        writable,
        sdk,
        maxLineBytes: maxRequestBytes,
        maxUnreadBytes,
      }),
    );
  }

  /**
   * Answers a request of Streamable HTTP, at whatever path: mount it where you
   * like. Hosts and origins that are not allowed are refused.
   *
   * @param request The request.
   * @returns The response; never rejected.
   */
  fetch(request: Request): Promise<Response> {
    return this.#http.fetch(request);
  }

  /**
   * Listens, and serves clients over HTTP at `path`.
   *
   * @param options Where.
   * @returns The service.
   * @throws {Deno.errors.AddrInUse} If the port is taken.
   * @throws {SandboxError} With code `disposed`.
   */
  serve(options: McpServeOptions = {}): McpService {
    this.#use();
    const service = serveHttp(options, {
      path: this.#parts.settings.options.path,
      fetch: (request) => this.fetch(request),
      end: () => this.#endHttp(),
      onEnd: () => this.#services.delete(service),
    });
    this.#services.add(service);
    return service;
  }

  /** Ends all connections and services, and lets all guests go. Twice is once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
    const connections = [...this.#connections.values()];
    await Promise.all(connections.map((each) => each[Symbol.asyncDispose]()));
    await this.#parts.catalog[Symbol.asyncDispose]();
    await Promise.all([...this.#services].map((each) => each.shutdown()));
  }

  /** Lets what runs over HTTP end, and then the sessions. */
  async #endHttp(): Promise<void> {
    this.#http.close();
    await this.#http.whenAnswered();
    await this.#http[Symbol.asyncDispose]();
  }

  #tellUpdated(uri: string): void {
    this.#http.tellUpdated(uri);
    for (const session of this.#connections.keys()) session.tellUpdated(uri);
  }

  #use(): void {
    if (this.#disposal === undefined) return;
    throw new SandboxError("disposed", "Cannot serve: the server is disposed", {
      details: { kind: "wrapper" },
    });
  }
}

/** The kind of wrapper that an MCP server is. */
export const MCP_SERVER: WrapperKind<McpServerOptions> = Object.freeze({
  type: "mcp_server",
  description: "Tools, resources and prompts of guests for MCP clients.",
  schema: MCP_SERVER_SCHEMA,
  create: (options: McpServerOptions, operation?: OperationOptions) =>
    McpServer.create(options, operation),
});
