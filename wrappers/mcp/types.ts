/**
 * What an MCP server is made from, and what it tells of itself.
 *
 * @module
 */

import type { GuestOptions } from "../guest_options.ts";
import type { InstancePolicy } from "../../sandbox_options.ts";

/** A JSON Schema, of draft 2020-12 or 7. */
export type McpSchema = Readonly<Record<string, unknown>>;

/** What a tool says of itself for clients; hints, which bind nobody. */
export interface McpToolAnnotations {
  /** A name for people. */
  readonly title?: string;
  /** Whether it changes nothing. */
  readonly readOnlyHint?: boolean;
  /** Whether what it changes may be lost. */
  readonly destructiveHint?: boolean;
  /** Whether calling it twice is as calling it once. */
  readonly idempotentHint?: boolean;
  /** Whether it reaches beyond this machine. */
  readonly openWorldHint?: boolean;
}

/** A feature of the client that a guest may ask for. */
export type McpClientRequest = "sampling" | "elicitation";

/**
 * A guest, and how many calls it takes. Its `isolation` is `"process"` if left
 * out: there alone a call can be cancelled while it computes, and others are
 * answered meanwhile.
 */
export interface McpGuestOptions extends GuestOptions {
  /**
   * What happens to an instance between two calls. With `"reuse"` what one
   * session leaves in the guest, another one finds.
   *
   * @default {"fresh"}
   */
  readonly instance?: InstancePolicy;
  /**
   * Most calls at a time, each in a guest of its own.
   *
   * @default {4}
   */
  readonly maxConcurrentCalls?: number;
  /**
   * Most calls that wait for such a guest.
   *
   * @default {64}
   */
  readonly maxQueuedCalls?: number;
  /**
   * What the guest may ask the client for. A client that asks a person, or a
   * model, takes its time: the deadline of the call goes on.
   *
   * @default {[]}
   */
  readonly clientRequests?: readonly McpClientRequest[];
}

/** A guest that several entries share, or that describes itself. */
export interface McpNamedGuest extends McpGuestOptions {
  /**
   * The export that says what the guest offers; `false`: none. Without it that
   * is `describe`, if there is such an export.
   */
  readonly describe?: string | false;
}

/**
 * Who answers: a guest of the entry's own, with its options in the entry, or
 * one of `guests` by name.
 */
export interface McpGuestChoice extends Partial<McpGuestOptions> {
  /** Name of one of `guests`; then the entry has no options of a guest. */
  readonly guest?: string;
}

/** A WASI program that is run for each call. */
export interface McpCommand {
  /**
   * Its arguments, without its own name. `{name}` is the argument of that name,
   * if that is all of it: text as it is, anything else as JSON. One that the
   * caller left out is left out here.
   *
   * @default {[]}
   */
  readonly args?: readonly string[];
  /**
   * What is on its standard input: `json` is all arguments as JSON, `none`
   * nothing, `{name}` the argument of that name.
   *
   * @default {"json"}
   */
  readonly stdin?: string;
  /**
   * Variables of its environment; the policy must pass their names on.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Files to put into memory mounts, by the guest's absolute path; `{name}` is
   * the argument of that name, as in `args`.
   *
   * @default {{}}
   */
  readonly files?: Readonly<Record<string, string>>;
}

/** A tool. It has either a `handler` or a `command`. */
export interface McpTool extends McpGuestChoice {
  /** A name for people. */
  readonly title?: string;
  /** What it does, for a model. */
  readonly description?: string;
  /**
   * Schema of its arguments.
   *
   * @default {{ type: "object", additionalProperties: false }}
   */
  readonly inputSchema?: McpSchema;
  /** Schema of its result, if that is structured. */
  readonly outputSchema?: McpSchema;
  /** Hints for clients. */
  readonly annotations?: McpToolAnnotations;
  /**
   * The export that takes the arguments as JSON, and gives any JSON, or a
   * result as the protocol has it: `{ content: [...], isError?,
   * structuredContent? }`.
   */
  readonly handler?: string;
  /** A WASI program in the place of a handler. */
  readonly command?: McpCommand;
}

/** What resources and templates have in common. */
export interface McpResourceInfo extends McpGuestChoice {
  /** Its name. */
  readonly name: string;
  /** A name for people. */
  readonly title?: string;
  /** What it is. */
  readonly description?: string;
  /** Type of its content: `text/plain`. */
  readonly mimeType?: string;
  /**
   * The export that reads it: takes `{ uri, params }`, gives text, `{ text }`,
   * `{ blob }` with base64, or `{ contents: [...] }` as the protocol has it.
   */
  readonly handler?: string;
}

/** A resource. It has one of `text`, `blob` and `handler`. */
export interface McpResource extends McpResourceInfo {
  /** Its content, if that is a text that does not change. */
  readonly text?: string;
  /** Its content in base64, if that does not change. */
  readonly blob?: string;
}

/** Resources whose URIs have variables, as `{id}` in `notes://{id}`. */
export interface McpResourceTemplate extends McpResourceInfo {
  /** The export that reads them. */
  readonly handler: string;
  /** The export that completes variables. */
  readonly complete?: string;
}

/** An argument of a prompt. Its value is a text. */
export interface McpPromptArgument {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly description?: string;
  /**
   * Whether it must be given.
   *
   * @default {false}
   */
  readonly required?: boolean;
}

/** A prompt. */
export interface McpPrompt extends McpGuestChoice {
  /** A name for people. */
  readonly title?: string;
  /** What it is for. */
  readonly description?: string;
  /**
   * Its arguments.
   *
   * @default {[]}
   */
  readonly arguments?: readonly McpPromptArgument[];
  /**
   * The export that makes it: takes the arguments, gives text, or
   * `{ messages: [{ role, content }], description? }`.
   */
  readonly handler: string;
  /**
   * The export that completes arguments: takes `{ argument: { name, value },
   * arguments }`, gives a list of texts.
   */
  readonly complete?: string;
}

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
