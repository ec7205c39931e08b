/**
 * The capability `stdio`: the standard streams.
 *
 * @module
 */

import { readCapability } from "./_parse.ts";
import type { CapabilityKind, StdioCapability } from "./types.ts";

/**
 * Grants the standard streams.
 *
 * Operations: `stdin`, `stdout` and `stderr`.
 */
export const stdioKind: CapabilityKind<StdioCapability> = {
  type: "stdio",
  actions: ["stdin", "stdout", "stderr"],
  schema: {
    type: "object",
    description: "Grants the standard streams.",
    properties: {
      type: { const: "stdio" },
      stdin: { type: "boolean", default: true },
      stdout: { type: "boolean", default: true },
      stderr: { type: "boolean", default: true },
    },
    required: ["type"],
    additionalProperties: false,
  },
  notProtected: [
    "What a guest writes may hold anything, such as a terminal's commands: " +
    "escape it before you show it.",
  ],

  parse(input) {
    const { stdin, stdout, stderr } = readCapability("stdio", input, [
      "stdin",
      "stdout",
      "stderr",
    ]);
    return Object.freeze({
      type: "stdio",
      stdin: stdin.boolean(true),
      stdout: stdout.boolean(true),
      stderr: stderr.boolean(true),
    });
  },

  permits(capability, { action }) {
    switch (action) {
      case "stdin":
      case "stdout":
      case "stderr":
        return capability[action];
      default:
        return false;
    }
  },

  combine(granted, added) {
    return Object.freeze({
      type: "stdio",
      stdin: granted.stdin || added.stdin,
      stdout: granted.stdout || added.stdout,
      stderr: granted.stderr || added.stderr,
    });
  },

  denoPermissions() {
    return {};
  },

  describe({ stdin, stdout, stderr }) {
    return [
      ...(stdin ? ["It may read its standard input."] : []),
      ...(stdout ? ["It may write its standard output."] : []),
      ...(stderr ? ["It may write its standard error."] : []),
    ];
  },
};
