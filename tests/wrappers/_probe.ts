/** A kind of wrappers that only keeps its options. */

import { GUEST_PROPERTIES, WrapperFactory } from "../../wrappers/mod.ts";

/** A factory with one kind, which keeps what it is made from. */
export function probeFactory(): WrapperFactory {
  return new WrapperFactory().register("probe", () => ({
    type: "probe",
    description: "Keeps its options.",
    schema: {
      type: "object",
      properties: {
        ...GUEST_PROPERTIES,
        maxBytes: { type: "integer", minimum: 1, format: "bytes" },
        waitMs: { type: "integer", minimum: 0, format: "milliseconds" },
        onEvent: { format: "code" },
        folder: { type: "string", format: "path" },
        choice: {
          oneOf: [
            {
              type: "object",
              properties: {
                size: { type: "integer", minimum: 0, format: "bytes" },
              },
              additionalProperties: false,
            },
            { type: "integer", minimum: 0, format: "bytes" },
            {
              enum: ["none"],
            },
          ],
        },
        anything: {},
        tools: {
          type: "object",
          additionalProperties: {
            type: "object",
            properties: { ...GUEST_PROPERTIES },
            required: ["module"],
            additionalProperties: false,
          },
        },
      },
      required: ["module"],
      additionalProperties: false,
    },
    create: () =>
      Promise.resolve({
        wrapperType: "probe",
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  }), { override: true });
}
