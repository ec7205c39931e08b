import type { JsonSchema } from "../../security/json_schema.ts";
import type { CapabilityKinds } from "../../security/kinds.ts";
import { policySchema } from "../../security/policy_file/schema.ts";
import type { WrapperFactory } from "../mod.ts";

/** Version of the format of manifests. */
export const MANIFEST_VERSION = 1;

/** A schema that says which draft it is of. */
export interface ManifestSchema extends JsonSchema {
  /** The draft. */
  readonly $schema: string;
  /** What it describes. */
  readonly title: string;
}

/**
 * The JSON Schema of manifests, draft 2020-12, for editors and other tools.
 *
 * @param wrappers The kinds of wrappers.
 * @param kinds The kinds of capabilities; the built-in ones, if left out.
 * @returns The schema.
 */
export async function manifestSchema(
  wrappers: WrapperFactory,
  kinds?: CapabilityKinds,
): Promise<ManifestSchema> {
  const { properties: policy = {} } = policySchema(kinds);
  const properties: Record<string, JsonSchema> = {};
  for (const name of wrappers) {
    const { schema, description } = await wrappers.create(name);
    properties[name] = { description, ...written(schema, policy) };
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Manifest of a sandboxed application",
    description: "A wrapper and its options: one section beside the version.",
    type: "object",
    properties: {
      $schema: {
        description: "Where this schema is, for editors. Not looked at.",
        type: "string",
      },
      version: {
        description: "Version of this format.",
        const: MANIFEST_VERSION,
      },
      ...properties,
    },
    required: ["version"],
    additionalProperties: false,
    // one section, and no more
    oneOf: [...wrappers].map((name) => ({ required: [name] })),
  };
}

/** A schema of options as they are written: no code, and amounts as text too. */
function written(
  schema: JsonSchema,
  policy: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const { format, properties, items, additionalProperties, oneOf, ...rest } =
    schema;
  const described = schema.description === undefined
    ? {}
    : { description: schema.description };
  if (format === "limits") return { ...policy.limits, ...described };
  if (format === "policy") {
    const { capabilities = {} } = policy;
    return { ...described, oneOf: [capabilities, { type: "string" }] };
  }
  const inner = (part: JsonSchema) => written(part, policy);
  const parts: JsonSchema = {
    ...rest,
    ...(properties === undefined ? {} : {
      properties: Object.fromEntries(
        Object.entries(properties)
          .filter(([, part]) => part.format !== "code")
          .map(([name, part]) => [name, inner(part)]),
      ),
    }),
    ...(items === undefined ? {} : { items: inner(items) }),
    ...(additionalProperties === undefined ? {} : {
      additionalProperties: additionalProperties && inner(additionalProperties),
    }),
    ...(oneOf === undefined ? {} : {
      oneOf: oneOf.filter((part) => part.format !== "code").map(inner),
    }),
  };
  if (format !== "bytes" && format !== "milliseconds") return parts;
  const { type: _type, minimum, maximum, ...about } = parts;
  return {
    ...about,
    oneOf: [{
      type: "integer",
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
    }, { type: "string" }],
  };
}
