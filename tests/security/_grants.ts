/** One capability of each built-in kind, and what tests ask of values. */

import { Capabilities, type Capability } from "../../security/mod.ts";

/** One capability of each built-in kind, with something in every property. */
export const EXAMPLES: readonly Capability[] = [
  Capabilities.filesystem({
    mounts: [
      { guest: "/", memory: true, access: "read" },
      { guest: "/data", host: "./data" },
      { guest: "/data/out", host: "/srv/out", access: "read-write" },
      { guest: "/tmp", memory: true, maxBytes: 1_024, symlinks: "within" },
    ],
  }),
  Capabilities.networkAccess([
    "api.example.com",
    { host: "*.example.org", ports: [8443], methods: ["GET"] },
  ]),
  Capabilities.environment({ variables: { LANG: "C" }, pass: ["HOME"] }),
  Capabilities.clock({ mode: "virtual", startMs: 1_000 }),
  Capabilities.random({ seed: 7 }),
  Capabilities.process({ exit: false }),
  Capabilities.stdio({ stdin: false }),
  Capabilities.hostFunctions(["log", "now"], { maxCalls: { log: 2 } }),
  Capabilities.customAccess(["resource1", "shelf/books"], true, {
    maxOperations: 3,
  }),
];

/** Finds what within a value is not frozen. */
export function findThawed(value: unknown, path = "it"): string[] {
  if (typeof value !== "object" || value === null) return [];
  return [
    ...(Object.isFrozen(value) ? [] : [path]),
    ...Object.entries(value).flatMap(([name, each]) =>
      findThawed(each, `${path}.${name}`)
    ),
  ];
}
