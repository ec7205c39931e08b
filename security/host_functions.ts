/**
 * The capability `host_functions`: functions of the host, by name.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { union } from "./_data.ts";
import { Input, readCapability } from "./_parse.ts";
import type { CapabilityKind, HostFunctionsCapability } from "./types.ts";

const TYPE = "host_functions";

/** Most calls that can be allowed. */
const MAX_CALLS = Number.MAX_SAFE_INTEGER;

const NO_COSTS: Readonly<Record<string, number>> = Object.freeze({});

/**
 * Grants functions of the host by exact name. Calls are counted for those
 * that have a limit, by a counter of the function's name.
 *
 * Functions that a sandbox is given as `imports` are called `module.name`: once a
 * policy has this capability, those that it does not name cannot be called.
 *
 * Operations: `call` of a name.
 */
export const hostFunctionsKind: CapabilityKind<HostFunctionsCapability> = {
  type: TYPE,
  actions: ["call"],
  schema: {
    type: "object",
    description: "Grants functions of the host.",
    properties: {
      type: { const: TYPE },
      functions: {
        type: "array",
        minItems: 1,
        description:
          "Exact names; what is granted as an import is `module.name`.",
        items: { type: "string", minLength: 1 },
      },
      maxCalls: {
        type: "object",
        description: "Most calls of each, for those that have a limit.",
        additionalProperties: { type: "integer", minimum: 1 },
        default: {},
      },
    },
    required: ["type", "functions"],
    additionalProperties: false,
  },
  notProtected: [
    "A function of the host runs with all rights of the host, on arguments " +
    "that the guest chooses.",
  ],

  parse(input) {
    const fields = readCapability(TYPE, input, ["functions", "maxCalls"]);
    const functions = fields.functions.names(1);
    const maxCalls = fields.maxCalls.record((value, name) => {
      if (functions.includes(name)) {
        return value.integer({ min: 1, max: MAX_CALLS });
      }
      throw value.error("is none of the functions");
    });
    return Object.freeze({ type: TYPE, functions, maxCalls });
  },

  permits({ functions }, { action, resource }) {
    return action === "call" && functions.includes(resource);
  },

  counters({ maxCalls }) {
    return maxCalls;
  },

  costs({ maxCalls }, { resource }) {
    return Object.hasOwn(maxCalls, resource) ? { [resource]: 1 } : NO_COSTS;
  },

  combine(granted, added) {
    for (const name of added.functions) {
      if (!granted.functions.includes(name)) continue;
      if (limitOf(granted, name) === limitOf(added, name)) continue;
      throw new Input(TYPE, added, "maxCalls").error(
        `gives ${quote(name)} another limit than another grant`,
      );
    }
    return hostFunctionsKind.parse({
      type: TYPE,
      functions: union(granted.functions, added.functions),
      maxCalls: Object.fromEntries([
        ...Object.entries(granted.maxCalls),
        ...Object.entries(added.maxCalls),
      ]),
    });
  },

  denoPermissions() {
    return {};
  },

  describe(capability) {
    return capability.functions.map((name) => {
      const limit = limitOf(capability, name);
      const times = limit === undefined ? "" : `, at most ${limit} times`;
      return `It may call the host's function ${quote(name)}${times}.`;
    });
  },
};

function limitOf(
  { maxCalls }: HostFunctionsCapability,
  name: string,
): number | undefined {
  return Object.hasOwn(maxCalls, name) ? maxCalls[name] : undefined;
}
