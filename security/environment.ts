/**
 * The capability `environment`: variables by name.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { union } from "./_data.ts";
import { Input, readCapability } from "./_parse.ts";
import type { CapabilityKind, EnvironmentCapability } from "./types.ts";

const TYPE = "environment";

/**
 * Grants environment variables: some with values, and some that are passed on
 * from the run or the host.
 *
 * Operations: `read` of a name, or of `""`, the list of those that are granted.
 */
export const environmentKind: CapabilityKind<EnvironmentCapability> = {
  type: TYPE,
  actions: ["read"],
  schema: {
    type: "object",
    description: "Grants environment variables.",
    properties: {
      type: { const: TYPE },
      variables: {
        type: "object",
        description: "Variables with their values.",
        additionalProperties: { type: "string" },
        default: {},
      },
      pass: {
        type: "array",
        description: "Names whose values come from the run or the host.",
        items: { type: "string", minLength: 1, pattern: "^[^=]+$" },
        default: [],
      },
    },
    required: ["type"],
    additionalProperties: false,
  },
  notProtected: [
    "What a variable holds can be given away by every other grant.",
  ],

  parse(input) {
    const fields = readCapability(TYPE, input, ["variables", "pass"]);
    const variables = fields.variables.record((value, name) => {
      checkName(value, new Input(TYPE, name, "a name in variables").name());
      return value.text();
    });
    const pass = fields.pass.names();
    for (const name of pass) {
      checkName(fields.pass, name);
      if (!Object.hasOwn(variables, name)) continue;
      throw fields.pass.error(
        `has ${quote(name)}, which has a value in variables already`,
      );
    }
    return Object.freeze({ type: TYPE, variables, pass });
  },

  permits({ variables, pass }, { action, resource }) {
    return action === "read" &&
      (resource === "" || Object.hasOwn(variables, resource) ||
        pass.includes(resource));
  },

  combine(granted, added) {
    const variables = new Map(Object.entries(granted.variables));
    for (const [name, value] of Object.entries(added.variables)) {
      if ((variables.get(name) ?? value) !== value) {
        throw new Input(TYPE, added, "variables").error(
          `gives ${quote(name)} a value, and another grant another`,
        );
      }
      variables.set(name, value);
    }
    return environmentKind.parse({
      type: TYPE,
      variables: Object.fromEntries(variables),
      pass: union(granted.pass, added.pass),
    });
  },

  denoPermissions({ pass }) {
    return { env: [...pass] };
  },

  describe({ variables, pass }) {
    const given = Object.keys(variables).map(quote).join(", ");
    const passed = pass.map(quote).join(", ");
    return [
      ...(given === "" ? [] : [`It may read the variables ${given}.`]),
      ...(passed === ""
        ? []
        : [`It may read ${passed} of the run's or the host's environment.`]),
    ];
  },
};

function checkName(place: Input, name: string): void {
  if (!name.includes("=")) return;
  throw place.error(`must not have "=" in a name: ${quote(name)}`);
}
