import type { JsonSchema } from "../../security/json_schema.ts";
import { GUEST_PROPERTIES } from "../guest_options.ts";

/** Timers of more than 2³¹ ms fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** What is left out of the options. */
export const HTTP_DEFAULTS = Object.freeze(
  {
    handler: "handle",
    format: "envelope",
    instance: "reuse",
    maxInstances: 4,
    maxConcurrentRequests: 256,
    maxQueuedRequests: 256,
    queueTimeoutMs: 5_000,
    maxUrlBytes: 8_192,
    maxHeaders: 100,
    maxHeaderBytes: 16_384,
    maxRequestBytes: 2 ** 20,
    maxResponseBytes: 2 ** 24,
    bodyTimeoutMs: 10_000,
    static: [],
    health: "/healthz",
    metrics: false,
    exposeErrors: false,
  } as const,
);

/** A path of a URL, in plain characters: nothing of it is decoded. */
const PATH = "^/[A-Za-z0-9._~/-]*$";

const STATIC: JsonSchema = {
  type: "object",
  properties: {
    path: {
      description: "Where its files are in the URL: /assets.",
      type: "string",
      pattern: PATH,
    },
    directory: {
      description: "The directory of the host.",
      type: "string",
      format: "path",
    },
    index: {
      description: "The file that stands for a directory.",
      type: "string",
      pattern: "^[^/\\\\.][^/\\\\]*$",
    },
    maxAgeSeconds: {
      description: "How long clients may keep a file, in seconds.",
      type: "integer",
      minimum: 0,
      default: 0,
    },
  },
  required: ["path", "directory"],
  additionalProperties: false,
};

/** Schema of the options of an HTTP server. */
export const HTTP_SCHEMA: JsonSchema = Object.freeze<JsonSchema>({
  description: "A web server around a guest.",
  type: "object",
  properties: {
    ...GUEST_PROPERTIES,
    form: {
      description:
        "What the guest is: a handler, or a program that runs anew " +
        "for each request; by what the module exports, if left out.",
      enum: ["handler", "command"],
    },
    handler: {
      description: "The exported function that answers requests.",
      type: "string",
      minLength: 1,
      default: HTTP_DEFAULTS.handler,
    },
    format: {
      description: "What a handler takes and gives.",
      enum: ["envelope", "json"],
      default: HTTP_DEFAULTS.format,
    },
    instance: {
      description: "What happens to a guest between two requests.",
      enum: ["reuse", "fresh"],
      default: HTTP_DEFAULTS.instance,
    },
    maxInstances: count("Most guests at a time.", "maxInstances", 1),
    maxConcurrentRequests: count(
      "Most requests that are worked on at a time.",
      "maxConcurrentRequests",
      1,
    ),
    maxQueuedRequests: count(
      "Most requests that wait; one more is answered 503.",
      "maxQueuedRequests",
      0,
    ),
    queueTimeoutMs: time(
      "Longest time that a request waits, for its turn and for a guest.",
      "queueTimeoutMs",
    ),
    maxUrlBytes: bytes("Longest URL.", "maxUrlBytes"),
    maxHeaders: count("Most headers, either way.", "maxHeaders", 1),
    maxHeaderBytes: bytes(
      "Longest names and values of all headers together, either way.",
      "maxHeaderBytes",
    ),
    maxRequestBytes: bytes("Longest body of a request.", "maxRequestBytes"),
    maxResponseBytes: bytes("Longest body of a reply.", "maxResponseBytes"),
    bodyTimeoutMs: time(
      "Longest time that a client takes to send a body, or for a piece of a file.",
      "bodyTimeoutMs",
    ),
    forwardHeaders: {
      description: "Names of the request's headers that the guest is told of.",
      type: "array",
      items: { type: "string", pattern: "^[A-Za-z0-9-]{1,128}$" },
    },
    static: {
      description: "Directories whose files are served.",
      type: "array",
      items: STATIC,
      default: HTTP_DEFAULTS.static,
    },
    health: route("Path that tells whether the server takes requests.", true),
    metrics: route("Path of the metrics.", false),
    exposeErrors: {
      description: "Whether clients are told why a request failed, in words.",
      type: "boolean",
      default: HTTP_DEFAULTS.exposeErrors,
    },
    onAccess: { description: "Told of each request.", format: "code" },
  },
  required: ["module"],
  additionalProperties: false,
});

type NumberName = {
  [K in keyof typeof HTTP_DEFAULTS]: typeof HTTP_DEFAULTS[K] extends number ? K
    : never;
}[keyof typeof HTTP_DEFAULTS];

function count(
  description: string,
  name: NumberName,
  minimum: number,
): JsonSchema {
  return {
    description,
    type: "integer",
    minimum,
    maximum: 1_000_000,
    default: HTTP_DEFAULTS[name],
  };
}

function bytes(description: string, name: NumberName): JsonSchema {
  return {
    description,
    type: "integer",
    format: "bytes",
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: HTTP_DEFAULTS[name],
  };
}

function time(description: string, name: NumberName): JsonSchema {
  return {
    description,
    type: "integer",
    format: "milliseconds",
    minimum: 1,
    maximum: LONGEST_MS,
    default: HTTP_DEFAULTS[name],
  };
}

function route(description: string, isOn: boolean): JsonSchema {
  return {
    description: `${description} False for none.`,
    oneOf: [{ type: "string", pattern: PATH }, { const: false }],
    default: isOn ? HTTP_DEFAULTS.health : false,
  };
}
