/**
 * The capability `custom_access`: named resources of the host's own.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { type Input, readCapability } from "./_parse.ts";
import type { CapabilityKind, CustomAccessCapability } from "./types.ts";

const TYPE = "custom_access";

const DEFAULT_MAX_OPERATIONS = 100;

/** What no resource may hold: `.` and `..`, empty segments, oddities. */
const ODD_RESOURCE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\\]|(?:^|\/)\.{1,2}(?:\/|$)|\/\/|\/$/u;

const SLASH = 47;

const ONE_OPERATION: Readonly<Record<string, number>> = Object.freeze({
  operations: 1,
});

/**
 * Grants resources by exact name, or by path whose whole segments are
 * compared: `a` covers `a/b` and not `ab`. What they are is the host's affair.
 *
 * Operations: `read` and `write` of a resource; `custom_read_` and anything
 * reads, `custom_` and anything else writes. Each takes one of `operations`.
 */
export const customAccessKind: CapabilityKind<CustomAccessCapability> = {
  type: TYPE,
  actions: ["read", "write"],
  schema: {
    type: "object",
    description: "Grants named resources of the host's own.",
    properties: {
      type: { const: TYPE },
      resources: {
        type: "array",
        minItems: 1,
        description: "Exact names, or paths whose whole segments are compared.",
        items: { type: "string", minLength: 1 },
      },
      readOnly: { type: "boolean", default: true },
      maxOperations: {
        type: "integer",
        minimum: 1,
        default: DEFAULT_MAX_OPERATIONS,
      },
    },
    required: ["type", "resources"],
    additionalProperties: false,
  },
  notProtected: [
    "What a resource is, and what reading it gives away, is the host's to know.",
  ],

  parse(input) {
    const fields = readCapability(TYPE, input, [
      "resources",
      "readOnly",
      "maxOperations",
    ]);
    const resources = fields.resources.names(1);
    for (const resource of resources) checkResource(fields.resources, resource);
    return Object.freeze({
      type: TYPE,
      resources,
      readOnly: fields.readOnly.boolean(true),
      maxOperations: fields.maxOperations.integer({
        min: 1,
        max: Number.MAX_SAFE_INTEGER,
        fallback: DEFAULT_MAX_OPERATIONS,
      }),
    });
  },

  permits({ resources, readOnly }, { action, resource }) {
    if (action !== "read" && (readOnly || action !== "write")) return false;
    return isResource(resource) &&
      resources.some((granted) => covers(granted, resource));
  },

  operation(operation, args) {
    if (!operation.startsWith("custom_")) return undefined;
    const resource = args[0];
    if (typeof resource !== "string") {
      const problem = "the first argument must be the name of a resource";
      throw new SandboxError(
        "invalid-argument",
        `Cannot decide on ${quote(operation)}: ${problem}`,
        { details: { operation, problem } },
      );
    }
    const action = operation.startsWith("custom_read_") ? "read" : "write";
    return { capability: TYPE, action, resource, via: operation };
  },

  counters({ maxOperations }) {
    return { operations: maxOperations };
  },

  costs() {
    return ONE_OPERATION;
  },

  denoPermissions() {
    return {};
  },

  describe({ resources, readOnly, maxOperations }) {
    const what = readOnly ? "read" : "read and write";
    return [
      `It may ${what} the resources ${resources.map(quote).join(", ")}, and ` +
      `what lies below them, at most ${maxOperations} times in all.`,
    ];
  },
};

function checkResource(place: Input, resource: string): void {
  if (isResource(resource)) return;
  throw place.error(
    'must have no "." and "..", no empty segment, no slash at its end and no ' +
      `backslash: ${quote(resource)}`,
  );
}

function isResource(resource: string): boolean {
  return resource !== "" && !ODD_RESOURCE.test(resource);
}

function covers(granted: string, resource: string): boolean {
  return resource.startsWith(granted) &&
    (resource.length === granted.length ||
      resource.charCodeAt(granted.length) === SLASH);
}
