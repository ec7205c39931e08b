/**
 * The capability `random`: random bytes.
 *
 * @module
 */

import { sameData } from "./_data.ts";
import { Input, readCapability } from "./_parse.ts";
import type { CapabilityKind, RandomCapability } from "./types.ts";

/**
 * Grants random bytes: the system's, or the same ones each time.
 *
 * Operations: `read`.
 */
export const randomKind: CapabilityKind<RandomCapability> = {
  type: "random",
  actions: ["read"],
  schema: {
    type: "object",
    description: "Grants random bytes.",
    properties: {
      type: { const: "random" },
      seed: {
        type: "integer",
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "The same bytes each time, if given. Not for secrets.",
      },
    },
    required: ["type"],
    additionalProperties: false,
  },
  notProtected: [
    "Bytes from a seed can be foretold: nothing secret may be made of them.",
  ],

  parse(input) {
    const { seed } = readCapability("random", input, ["seed"]);
    if (!seed.given) return Object.freeze({ type: "random" });
    return Object.freeze({
      type: "random",
      seed: seed.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    });
  },

  permits(_capability, { action }) {
    return action === "read";
  },

  combine(granted, added) {
    if (sameData(granted, added)) return granted;
    throw new Input("random", added).error(
      "cannot have another seed than another grant: a guest sees one source",
    );
  },

  denoPermissions() {
    return {};
  },

  describe({ seed }) {
    return [
      seed === undefined
        ? "It may get random bytes of the system."
        : `It may get bytes that follow from the seed ${seed}.`,
    ];
  },
};
