/**
 * What an MCP server is made from, and what it tells of itself.
 *
 * @module
 */

import type {
  McpNamedGuest,
  McpPrompt,
  McpResource,
  McpResourceTemplate,
  McpSchema,
  McpTool,
  McpToolAnnotations,
} from "./offer_types.ts";

export type * from "./offer_types.ts";

/** Options of an MCP server, and the section `mcp_server` of a manifest. */
export interface McpServerOptions {
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** A name for people. */
  readonly title?: string;
  /** How to use it, for a model. */
  readonly instructions?: string;
  /**
   * Guests by name: those that describe themselves, and those that several
   * entries share.
   *
   * @default {{}}
   */
  readonly guests?: Readonly<Record<string, McpNamedGuest>>;
  /**
   * Tools by name.
   *
   * @default {{}}
   */
  readonly tools?: Readonly<Record<string, McpTool>>;
  /**
   * Resources by URI.
   *
   * @default {{}}
   */
  readonly resources?: Readonly<Record<string, McpResource>>;
  /**
   * Templates of resources, by URI template: RFC 6570, level 1.
   *
   * @default {{}}
   */
  readonly resourceTemplates?: Readonly<Record<string, McpResourceTemplate>>;
  /**
   * Prompts by name.
   *
   * @default {{}}
   */
  readonly prompts?: Readonly<Record<string, McpPrompt>>;
  /**
   * Most calls that guests answer at a time, all together.
   *
   * @default {16}
   */
  readonly maxConcurrentCalls?: number;
  /**
   * Most calls of one session that run or wait; one more is refused.
   *
   * @default {8}
   */
  readonly maxSessionCalls?: number;
  /**
   * Longest wait for a guest, in milliseconds.
   *
   * @default {30000}
   */
  readonly queueTimeoutMs?: number;
  /**
   * Most notifications of a guest in one call: progress, log, updates.
   *
   * @default {1000}
   */
  readonly maxCallNotifications?: number;
  /**
   * Longest message of a client, in bytes.
   *
   * @default {4194304}
   */
  readonly maxRequestBytes?: number;
  /**
   * Longest time that a client may take to send a request, in milliseconds.
   *
   * @default {30000}
   */
  readonly requestTimeoutMs?: number;
  /**
   * Most bytes that wait for a client that does not read. With more its stream
   * is cut off.
   *
   * @default {4194304}
   */
  readonly maxUnreadBytes?: number;
  /**
   * Most sessions over HTTP.
   *
   * @default {100}
   */
  readonly maxSessions?: number;
  /**
   * How long a session may be without a request or an open stream, in
   * milliseconds.
   *
   * @default {600000}
   */
  readonly sessionIdleMs?: number;
  /**
   * Most responses of one session that are not at their end.
   *
   * @default {16}
   */
  readonly maxSessionStreams?: number;
  /**
   * Most resources that a session may subscribe to.
   *
   * @default {100}
   */
  readonly maxSubscriptions?: number;
  /**
   * Events that are kept for clients whose stream broke, for each session; with
   * 0 a broken stream cannot be taken up again.
   *
   * @default {256}
   */
  readonly maxSessionEvents?: number;
  /**
   * Most entries in a page of a list.
   *
   * @default {100}
   */
  readonly pageSize?: number;
  /**
   * Hosts that requests may name, with a port or for any: `mcp.example.com`,
   * `localhost:8080`. Without it `localhost`, `127.0.0.1` and `[::1]`.
   */
  readonly allowedHosts?: readonly string[];
  /**
   * Origins of web pages that may send requests: `https://example.com`. Without
   * it those of this machine, at any port. Requests that name no origin are no
   * browser's, and pass.
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Where `serve` answers.
   *
   * @default {"/mcp"}
   */
  readonly path?: string;
  /** Told of what clients are not told of: why a call failed, and of whom. */
  readonly onError?: (error: unknown, about: McpErrorContext) => void;
}

/** What an error is about. */
export interface McpErrorContext {
  /** What was done: `tools/call`, `resources/read`, `session`. */
  readonly operation: string;
  /** Name of the tool or prompt, or URI of the resource. */
  readonly name?: string;
}

/** A tool, as clients see it. */
export interface McpToolInfo {
  /** Its name. */
  readonly name: string;
  /** A name for people. */
  readonly title?: string;
  /** What it does. */
  readonly description?: string;
  /** Schema of its arguments. */
  readonly inputSchema: McpSchema;
  /** Schema of its result. */
  readonly outputSchema?: McpSchema;
  /** Hints. */
  readonly annotations?: McpToolAnnotations;
}

/** What a server offers. */
export interface McpListing {
  /** The tools. */
  readonly tools: readonly McpToolInfo[];
  /** URIs of the resources. */
  readonly resources: readonly string[];
  /** URI templates of resources. */
  readonly resourceTemplates: readonly string[];
  /** Names of the prompts. */
  readonly prompts: readonly string[];
}

/** What a server is doing. */
export interface McpServerStats {
  /** Connections: sessions over HTTP, and others. */
  readonly sessions: number;
  /** Calls that guests answer. */
  readonly running: number;
  /** Calls that wait. */
  readonly waiting: number;
  /** Calls so far. */
  readonly calls: number;
  /** Calls that failed, by whoever's fault. */
  readonly failures: number;
  /** Guests that there are. */
  readonly guests: number;
}

/** A transport of the official SDK, as far as it matters here. */
export interface McpTransport {
  /** Begins to take messages. */
  start(): Promise<void>;
  /** Sends a message. */
  send(message: object, options?: object): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/** One client. */
export interface McpConnection extends AsyncDisposable {
  /** Fulfilled when it is over, by whom it may be; never rejected. */
  readonly closed: Promise<void>;
  /** Ends it: what runs for the client is stopped. Twice is once. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of `serve`. */
export interface McpServeOptions {
  /**
   * Where to listen.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /**
   * The port; 0 is any that is free.
   *
   * @default {8000}
   */
  readonly port?: number;
  /** Certificate, as PEM, for HTTPS. */
  readonly cert?: string;
  /** Key of the certificate, as PEM. */
  readonly key?: string;
  /** Ends the service. */
  readonly signal?: AbortSignal;
  /** Told where it listens. */
  readonly onListen?: (address: Deno.NetAddr) => void;
}

/** A service that listens. */
export interface McpService extends AsyncDisposable {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  /** Fulfilled when it has ended. */
  readonly finished: Promise<void>;
  /** Ends it, once what runs is answered. */
  shutdown(): Promise<void>;
  /** As `shutdown`. */
  [Symbol.asyncDispose](): Promise<void>;
}
