/**
 * The capability `process`: arguments and exit codes.
 *
 * @module
 */

import { readCapability } from "./_parse.ts";
import type { CapabilityKind, ProcessCapability } from "./types.ts";

/**
 * Grants what belongs to being a program.
 *
 * Operations: `arguments` and `exit`. There is `signal` too, to be refused by
 * name: nothing grants it.
 */
export const processKind: CapabilityKind<ProcessCapability> = {
  type: "process",
  actions: ["arguments", "exit", "signal"],
  schema: {
    type: "object",
    description: "Grants what belongs to being a program.",
    properties: {
      type: { const: "process" },
      arguments: {
        type: "boolean",
        default: true,
        description: "Whether it may see the arguments it is run with.",
      },
      exit: {
        type: "boolean",
        default: true,
        description: "Whether it may end itself with an exit code.",
      },
    },
    required: ["type"],
    additionalProperties: false,
  },
  notProtected: [],

  parse(input) {
    const fields = readCapability("process", input, ["arguments", "exit"]);
    return Object.freeze({
      type: "process",
      arguments: fields.arguments.boolean(true),
      exit: fields.exit.boolean(true),
    });
  },

  permits(capability, { action }) {
    switch (action) {
      case "arguments":
        return capability.arguments;
      case "exit":
        return capability.exit;
      default:
        return false;
    }
  },

  combine(granted, added) {
    return Object.freeze({
      type: "process",
      arguments: granted.arguments || added.arguments,
      exit: granted.exit || added.exit,
    });
  },

  denoPermissions() {
    return {};
  },

  describe(capability) {
    return [
      ...(capability.arguments ? ["It may see its arguments."] : []),
      ...(capability.exit ? ["It may end with an exit code."] : []),
    ];
  },
};
