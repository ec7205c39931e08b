import type { JsonSchema } from "../../security/json_schema.ts";
import { GUEST_PROPERTIES } from "../guest_options.ts";

/** Timers of more than 2³¹ ms fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** What is left out of the options. */
export const CUSTOM_DEFAULTS = Object.freeze(
  {
    instance: "reuse",
    maxConcurrentRequests: 4,
    maxQueuedRequests: 64,
    timeoutMs: 5_000,
  } as const,
);

/** Schema of the options of a custom wrapper. */
export const CUSTOM_SCHEMA: JsonSchema = Object.freeze<JsonSchema>({
  description: "A service around an exported function.",
  type: "object",
  properties: {
    ...GUEST_PROPERTIES,
    entryPoint: {
      description: "The exported function that answers requests.",
      type: "string",
      minLength: 1,
    },
    instance: {
      description: "What happens to a guest between two requests.",
      enum: ["reuse", "fresh"],
      default: CUSTOM_DEFAULTS.instance,
    },
    maxConcurrentRequests: {
      description:
        "Most requests that are answered at a time, each by a guest " +
        "of its own.",
      type: "integer",
      minimum: 1,
      maximum: 1_024,
      default: CUSTOM_DEFAULTS.maxConcurrentRequests,
    },
    maxQueuedRequests: {
      description: "Most requests that wait; one more is refused.",
      type: "integer",
      minimum: 0,
      maximum: 1_000_000,
      default: CUSTOM_DEFAULTS.maxQueuedRequests,
    },
    timeoutMs: {
      description: "Longest time of a request, the wait for a guest included.",
      type: "integer",
      format: "milliseconds",
      minimum: 1,
      maximum: LONGEST_MS,
      default: CUSTOM_DEFAULTS.timeoutMs,
    },
  },
  required: ["module", "entryPoint"],
  additionalProperties: false,
});
