import type { JsonSchema } from "../../security/json_schema.ts";
import { GUEST_PROPERTIES } from "../guest_options.ts";

/** Timers of more than 2³¹ ms fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** What is left out of the options. */
export const MCP_DEFAULTS = Object.freeze(
  {
    maxConcurrentCalls: 16,
    maxSessionCalls: 8,
    queueTimeoutMs: 30_000,
    maxCallNotifications: 1_000,
    maxRequestBytes: 4 * 2 ** 20,
    requestTimeoutMs: 30_000,
    maxUnreadBytes: 4 * 2 ** 20,
    maxSessions: 100,
    sessionIdleMs: 600_000,
    maxSessionStreams: 16,
    maxSubscriptions: 100,
    maxSessionEvents: 256,
    pageSize: 100,
    path: "/mcp",
  } as const,
);

/** What is left out of a guest. */
export const MCP_GUEST_DEFAULTS = Object.freeze(
  {
    isolation: "process",
    instance: "fresh",
    maxConcurrentCalls: 4,
    maxQueuedCalls: 64,
    clientRequests: Object.freeze([]),
  } as const,
);

/** Options that every entry of a guest's own may have. */
export const MCP_GUEST_PROPERTIES: Readonly<Record<string, JsonSchema>> = Object
  .freeze({
    ...GUEST_PROPERTIES,
    isolation: {
      ...GUEST_PROPERTIES.isolation,
      default: MCP_GUEST_DEFAULTS.isolation,
    },
    instance: {
      description: "What happens to an instance between two calls.",
      enum: ["fresh", "reuse"],
      default: MCP_GUEST_DEFAULTS.instance,
    },
    maxConcurrentCalls: count(
      "Most calls at a time, each in a guest of its own.",
      MCP_GUEST_DEFAULTS.maxConcurrentCalls,
      { maximum: 1_024 },
    ),
    maxQueuedCalls: count(
      "Most calls that wait for a guest.",
      MCP_GUEST_DEFAULTS.maxQueuedCalls,
      { minimum: 0 },
    ),
    clientRequests: {
      description: "What the guest may ask the client for.",
      type: "array",
      items: { enum: ["sampling", "elicitation"] },
      default: [],
    },
  });

const TEXT: JsonSchema = { type: "string" };
const FLAG: JsonSchema = { type: "boolean" };
const NAME: JsonSchema = { type: "string", minLength: 1 };

function text(description: string): JsonSchema {
  return { ...TEXT, description };
}

/** A schema within the options: read by whoever compiles it. */
function anySchema(description: string): JsonSchema {
  return { description, type: "object", additionalProperties: {} };
}

const ABOUT: Readonly<Record<string, JsonSchema>> = {
  title: text("A name for people."),
  description: text("What it is, for a model."),
};

const WHO: Readonly<Record<string, JsonSchema>> = {
  ...MCP_GUEST_PROPERTIES,
  guest: { ...NAME, description: "Name of one of guests." },
};

const HANDLER: JsonSchema = {
  ...NAME,
  description: "The export that answers.",
};

const COMPLETE: JsonSchema = {
  ...NAME,
  description: "The export that completes arguments.",
};

const COMMAND: JsonSchema = {
  description: "A WASI program that is run for each call.",
  type: "object",
  properties: {
    args: {
      description: "Its arguments; {name} is the argument of that name.",
      type: "array",
      items: TEXT,
      default: [],
    },
    stdin: {
      description: "Its standard input: json, none, or {name}.",
      type: "string",
      pattern: "^(?:json|none|\\{.+\\})$",
      default: "json",
    },
    env: {
      description: "Variables of its environment.",
      type: "object",
      additionalProperties: TEXT,
      default: {},
    },
    files: {
      description: "Files to put into memory mounts, by path.",
      type: "object",
      additionalProperties: TEXT,
      default: {},
    },
  },
  additionalProperties: false,
};

const TOOL: JsonSchema = table({
  ...WHO,
  ...ABOUT,
  inputSchema: anySchema("Schema of its arguments."),
  outputSchema: anySchema("Schema of its result."),
  annotations: table({
    title: TEXT,
    readOnlyHint: FLAG,
    destructiveHint: FLAG,
    idempotentHint: FLAG,
    openWorldHint: FLAG,
  }),
  handler: HANDLER,
  command: COMMAND,
});

const RESOURCE: Readonly<Record<string, JsonSchema>> = {
  ...WHO,
  ...ABOUT,
  name: NAME,
  mimeType: text("Type of its content."),
  handler: HANDLER,
};

const PROMPT: JsonSchema = table({
  ...WHO,
  ...ABOUT,
  arguments: {
    type: "array",
    items: table(
      { name: NAME, description: TEXT, required: FLAG },
      ["name"],
    ),
    default: [],
  },
  handler: HANDLER,
  complete: COMPLETE,
}, ["handler"]);

function table(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return {
    type: "object",
    properties,
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  };
}

function byName(description: string, entry: JsonSchema): JsonSchema {
  return {
    description,
    type: "object",
    additionalProperties: entry,
    default: {},
  };
}

function count(
  description: string,
  preset: number,
  { minimum = 1, maximum = 1_000_000 }: Pick<JsonSchema, "minimum" | "maximum">,
): JsonSchema {
  return { description, type: "integer", minimum, maximum, default: preset };
}

function milliseconds(description: string, preset: number): JsonSchema {
  return {
    description,
    type: "integer",
    format: "milliseconds",
    minimum: 1,
    maximum: LONGEST_MS,
    default: preset,
  };
}

function bytes(description: string, preset: number): JsonSchema {
  return {
    description,
    type: "integer",
    format: "bytes",
    minimum: 1_024,
    maximum: 2 ** 30,
    default: preset,
  };
}

/** Schema of the options of an MCP server. */
export const MCP_SERVER_SCHEMA: JsonSchema = Object.freeze<JsonSchema>({
  description: "Tools, resources and prompts of guests for MCP clients.",
  ...table({
    name: { ...NAME, description: "Name of the server." },
    version: { ...NAME, description: "Version of the server." },
    title: text("A name for people."),
    instructions: text("How to use it, for a model."),
    guests: byName(
      "Guests that describe themselves, or that several entries share.",
      table({
        ...MCP_GUEST_PROPERTIES,
        describe: {
          description: "The export that says what it offers, or false.",
          oneOf: [NAME, { const: false }],
        },
      }, ["module"]),
    ),
    tools: byName("Tools by name.", TOOL),
    resources: byName(
      "Resources by URI.",
      table({
        ...RESOURCE,
        text: text("Its content, if it is always the same."),
        blob: text("Its content in base64, if it is always the same."),
      }, ["name"]),
    ),
    resourceTemplates: byName(
      "Templates of resources by URI template.",
      table({ ...RESOURCE, complete: COMPLETE }, ["name", "handler"]),
    ),
    prompts: byName("Prompts by name.", PROMPT),
    maxConcurrentCalls: count(
      "Most calls that guests answer at a time, all together.",
      MCP_DEFAULTS.maxConcurrentCalls,
      { maximum: 1_024 },
    ),
    maxSessionCalls: count(
      "Most calls of one session that run or wait.",
      MCP_DEFAULTS.maxSessionCalls,
      {},
    ),
    queueTimeoutMs: milliseconds(
      "Longest wait for a guest.",
      MCP_DEFAULTS.queueTimeoutMs,
    ),
    maxCallNotifications: count(
      "Most notifications of a guest in one call.",
      MCP_DEFAULTS.maxCallNotifications,
      { minimum: 0 },
    ),
    maxRequestBytes: bytes(
      "Longest message of a client.",
      MCP_DEFAULTS.maxRequestBytes,
    ),
    requestTimeoutMs: milliseconds(
      "Longest time that a client may take to send a request.",
      MCP_DEFAULTS.requestTimeoutMs,
    ),
    maxUnreadBytes: bytes(
      "Most bytes that wait for a client that does not read.",
      MCP_DEFAULTS.maxUnreadBytes,
    ),
    maxSessions: count("Most sessions.", MCP_DEFAULTS.maxSessions, {}),
    sessionIdleMs: milliseconds(
      "How long a session may be idle.",
      MCP_DEFAULTS.sessionIdleMs,
    ),
    maxSessionStreams: count(
      "Most responses of one session that are not at their end.",
      MCP_DEFAULTS.maxSessionStreams,
      {},
    ),
    maxSubscriptions: count(
      "Most resources that a session may subscribe to.",
      MCP_DEFAULTS.maxSubscriptions,
      { minimum: 0 },
    ),
    maxSessionEvents: count(
      "Events kept for clients whose stream broke.",
      MCP_DEFAULTS.maxSessionEvents,
      { minimum: 0, maximum: 100_000 },
    ),
    pageSize: count("Most entries in a page.", MCP_DEFAULTS.pageSize, {
      maximum: 1_000,
    }),
    allowedHosts: {
      description: "Hosts that requests may name; this machine's, if left out.",
      type: "array",
      items: NAME,
    },
    allowedOrigins: {
      description: "Origins of web pages that may send requests.",
      type: "array",
      items: NAME,
    },
    path: {
      description: "Where serve answers.",
      type: "string",
      pattern: "^/",
      default: MCP_DEFAULTS.path,
    },
    onError: { description: "Told of failures.", format: "code" },
  }, ["name", "version"]),
});
