import type { JsonSchema } from "../../security/json_schema.ts";
import { GUEST_PROPERTIES } from "../guest_options.ts";

/** What is left out of the options. */
export const TOOL_DEFAULTS = Object.freeze(
  {
    name: "tool",
    args: [],
    env: {},
    files: {},
    maxConcurrentRuns: 4,
    maxQueuedRuns: 64,
  } as const,
);

/** What is left out of a workspace. */
export const WORKSPACE_DEFAULTS = Object.freeze(
  { path: "/workspace", maxBytes: 16_777_216 } as const,
);

/** Schema of the options of a tool. */
export const TOOL_SCHEMA: JsonSchema = Object.freeze<JsonSchema>({
  description: "A WASI program, as a function.",
  type: "object",
  properties: {
    ...GUEST_PROPERTIES,
    sha256: {
      description: "SHA-256 of the module; one with another is refused.",
      type: "string",
      pattern: "^[0-9a-fA-F]{64}$",
    },
    name: {
      description: "What the tool is told its own name is.",
      type: "string",
      default: TOOL_DEFAULTS.name,
    },
    args: {
      description: "Arguments that go before those of each run.",
      type: "array",
      items: { type: "string" },
      default: TOOL_DEFAULTS.args,
    },
    env: {
      description: "Variables of the environment; a run may change them.",
      type: "object",
      additionalProperties: { type: "string" },
      default: TOOL_DEFAULTS.env,
    },
    workspace: {
      description: "Files in memory that the tool works on.",
      type: "object",
      properties: {
        path: {
          description: "Where the tool sees them, an absolute path.",
          type: "string",
          default: WORKSPACE_DEFAULTS.path,
        },
        maxBytes: {
          description: "Most bytes of all files together.",
          type: "integer",
          format: "bytes",
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          default: WORKSPACE_DEFAULTS.maxBytes,
        },
      },
      additionalProperties: false,
    },
    files: {
      description: "Files that each run begins with, by absolute path.",
      type: "object",
      additionalProperties: { oneOf: [{ type: "string" }, { format: "code" }] },
      default: TOOL_DEFAULTS.files,
    },
    maxConcurrentRuns: {
      description: "Most runs at a time, each by a guest of its own.",
      type: "integer",
      minimum: 1,
      maximum: 1_024,
      default: TOOL_DEFAULTS.maxConcurrentRuns,
    },
    maxQueuedRuns: {
      description: "Most runs that wait; one more is refused.",
      type: "integer",
      minimum: 0,
      maximum: 1_000_000,
      default: TOOL_DEFAULTS.maxQueuedRuns,
    },
  },
  required: ["module"],
  additionalProperties: false,
});
