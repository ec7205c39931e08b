import { CapabilityKinds } from "../kinds.ts";
import type { JsonSchema } from "../json_schema.ts";
import { limitsSchema } from "./_limits.ts";
import { POLICY_ISOLATIONS } from "./document.ts";

/** Version of the format of policy files. */
export const POLICY_VERSION = 1;

/** A schema that says which draft it is of. */
export interface PolicySchema extends JsonSchema {
  /** The draft. */
  readonly $schema: string;
  /** What it describes. */
  readonly title: string;
}

/**
 * The JSON Schema of policy files, draft 2020-12, for editors and other tools.
 *
 * @example Usage
 * ```ts
 * import { policySchema } from "@wasm-sandbox/core/policy";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(policySchema().required, ["version"]);
 * ```
 *
 * @param kinds The kinds of capabilities; the built-in ones, if left out.
 * @returns The schema.
 */
export function policySchema(
  kinds: CapabilityKinds = new CapabilityKinds(),
): PolicySchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Policy of a WebAssembly sandbox",
    description: "What a guest may do, and what it may use.",
    type: "object",
    properties: {
      $schema: {
        description: "Where this schema is, for editors. Not looked at.",
        type: "string",
      },
      version: {
        description: "Version of this format.",
        const: POLICY_VERSION,
      },
      limits: limitsSchema(),
      isolation: {
        description: "Where the guest runs: in this process, in one of its " +
          "own, or as its grants ask for.",
        enum: POLICY_ISOLATIONS,
        default: "auto",
      },
      capabilities: {
        description: "What the guest may do. What is not granted is denied.",
        type: "array",
        items: { oneOf: [...kinds].map(({ schema }) => schema) },
        default: [],
      },
    },
    required: ["version"],
    additionalProperties: false,
  };
}
