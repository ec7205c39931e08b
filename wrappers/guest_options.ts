/**
 * The part of a wrapper's options that says what runs, and under which bounds.
 *
 * @module
 */

import type { SandboxOptions } from "../sandbox_options.ts";
import type { JsonSchema } from "../security/json_schema.ts";

/** What runs in a wrapper, and under which bounds: as for a sandbox. */
export interface GuestOptions extends
  Pick<
    SandboxOptions,
    | "module"
    | "linked"
    | "runtime"
    | "runtimes"
    | "need"
    | "isolation"
    | "limits"
    | "features"
    | "imports"
    | "policy"
    | "capabilityKinds"
    | "audit"
    | "pool"
    | "abi"
    | "hostFunctions"
    | "onHostFunctionError"
    | "http"
  > {}

/** Schema of each of {@linkcode GuestOptions}, for the kinds of wrappers. */
export const GUEST_PROPERTIES: Readonly<
  Record<keyof GuestOptions, JsonSchema>
> = Object.freeze({
  module: {
    description: "Path or URL of the module.",
    type: "string",
    format: "module",
  },
  linked: {
    description: "Other modules, by the names that they are imported from.",
    type: "object",
    additionalProperties: { type: "string", format: "module" },
  },
  runtime: {
    description: "Name of the runtime; auto is the first that will do.",
    oneOf: [{ type: "string" }, { format: "code" }],
    default: "v8",
  },
  need: {
    description: "What the runtime must offer.",
    type: "array",
    items: { type: "string" },
    default: [],
  },
  isolation: {
    description: "Where the guest runs: in this process, in one of its own, " +
      "or as its grants ask for.",
    enum: ["auto", "inline", "process"],
    default: "auto",
  },
  limits: {
    description: "What the guest may use at the most, as in a policy file.",
    type: "object",
    format: "limits",
  },
  features: {
    description: "Which proposals of WebAssembly the module may use.",
    type: "object",
    additionalProperties: { type: "boolean" },
  },
  policy: {
    description: "What the guest may do: a list of capabilities, or the path " +
      "of a policy file. What is not granted is denied.",
    format: "policy",
    default: [],
  },
  abi: {
    description: "Names of the guest's memory functions.",
    type: "object",
    properties: { alloc: { type: "string" }, free: { type: "string" } },
    additionalProperties: false,
  },
  http: {
    description: "Bounds of the HTTP that a network capability grants.",
    format: "code",
  },
  runtimes: { description: "Where the runtime is looked up.", format: "code" },
  imports: { description: "What the guest may import.", format: "code" },
  capabilityKinds: {
    description: "The kinds of capability that the policy may hold.",
    format: "code",
  },
  audit: { description: "Takes each decision.", format: "code" },
  pool: { description: "Processes to take one from.", format: "code" },
  hostFunctions: {
    description: "Functions that the guest may call by name.",
    format: "code",
  },
  onHostFunctionError: {
    description: "Told of each failure of a host function.",
    format: "code",
  },
});

/**
 * The options of a wrapper that are meant for its guest.
 *
 * @param options The options of a wrapper.
 * @returns Those of them that a sandbox takes.
 */
export function guestOptionsOf(options: GuestOptions): GuestOptions {
  const names = Object.keys(GUEST_PROPERTIES) as (keyof GuestOptions)[];
  const given = names.filter((name) => options[name] !== undefined);
  return Object.fromEntries(
    given.map((name) => [name, options[name]]),
  ) as unknown as GuestOptions;
}
