/**
 * What an MCP server offers: tools, resources and prompts, and their guests.
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
