import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { Capability, CapabilityKind } from "../../security/mod.ts";
import { testCapabilityKind } from "../../testing/mod.ts";

interface Shelves extends Capability {
  readonly type: "shelves";
  readonly names: readonly string[];
  readonly maxVisits: number;
}

/** A kind that conforms. */
const SHELVES: CapabilityKind<Shelves> = {
  type: "shelves",
  actions: ["visit"],
  schema: {
    type: "object",
    properties: {
      type: { const: "shelves" },
      names: { type: "array", items: { type: "string" } },
      maxVisits: { type: "integer" },
    },
    required: ["type", "names"],
    additionalProperties: false,
  },
  notProtected: ["What stands on a shelf can be read."],
  parse(input) {
    const { type, names, maxVisits = 9, ...others } = own(input);
    if (
      type !== "shelves" || !Array.isArray(names) ||
      !names.every((name) =>
        typeof name === "string" && /^\w+$/.test(name) && name.length < 100
      ) || !Number.isSafeInteger(maxVisits) || Number(maxVisits) < 1 ||
      Object.keys(others).length > 0
    ) throw refused();
    return Object.freeze({
      type,
      names: Object.freeze([...names]),
      maxVisits: Number(maxVisits),
    });
  },
  permits: ({ names }, { action, resource }) =>
    action === "visit" && names.includes(resource),
  counters: ({ maxVisits }) => ({ visits: maxVisits }),
  costs: () => ({ visits: 1 }),
  combine: (one, other) =>
    SHELVES.parse({
      type: "shelves",
      names: [...new Set([...one.names, ...other.names])],
      maxVisits: Math.min(one.maxVisits, other.maxVisits),
    }),
  denoPermissions: () => ({}),
  describe: ({ names }) => [`It may visit ${names.join(", ")}.`],
};

function own(input: unknown): Record<string, unknown> {
  try {
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      throw refused();
    }
    return Object.fromEntries(Object.entries(input));
  } catch {
    throw refused();
  }
}

function refused(): SandboxError {
  return new SandboxError("invalid-capability", "Cannot use the shelves", {
    details: { capability: "shelves", problem: "no", path: "" },
  });
}

/** Names of the tests that a kind fails. */
async function failures(kind: CapabilityKind<Shelves>): Promise<string[]> {
  const failed: string[] = [];
  const tests: [string, () => Promise<void>][] = [];
  testCapabilityKind("It", kind, {
    examples: [
      {
        grant: { names: ["resource1"] },
        permits: [{ action: "visit", resource: "resource1" }],
      },
      {
        grant: { names: ["b", "c"], maxVisits: 2 },
        permits: [{ action: "visit", resource: "c" }],
        denies: [{ action: "visit", resource: "d" }],
      },
    ],
    test: (name, run) => void tests.push([name, run]),
  });
  for (const [name, run] of tests) {
    await run().catch(() => failed.push(name.slice("It ".length)));
  }
  return failed;
}

Deno.test("testCapabilityKind() passes a kind that conforms", async () => {
  assertEquals(await failures(SHELVES), []);
});

Deno.test("testCapabilityKind() refuses to test nothing", () => {
  const run = () => testCapabilityKind("It", SHELVES, { examples: [] });
  assertThrows(run, TypeError, "example");
});

type Broken = Partial<CapabilityKind<Shelves>>;

/** Kinds that are broken, by the test that has to tell. */
const BROKEN: Readonly<Record<string, readonly Broken[]>> = {
  "parse() gives frozen data of its type": [
    { parse: (input) => ({ ...SHELVES.parse(input) }) },
    { parse: (input) => structuredClone(SHELVES.parse(input)) },
    {
      parse: (input) =>
        Object.freeze({
          ...SHELVES.parse(input),
          at: Object.freeze(new Date()),
        }),
    },
  ],
  "parse() gives the same after JSON and in other hands": [
    {
      parse: (input) => {
        const { maxVisits, ...others } = SHELVES.parse(input);
        return Object.freeze({ ...others, maxVisits: maxVisits + 1 });
      },
    },
  ],
  "parse() refuses what is no capability": [
    {
      parse: (input) =>
        Object.hasOwn(Object(input), "names")
          ? SHELVES.parse(input)
          : SHELVES.parse({ type: "shelves", names: [] }),
    },
    {
      parse: (input) => {
        if (typeof input !== "object") throw new TypeError("no");
        return SHELVES.parse(input);
      },
    },
  ],
  "parse() refuses properties that it does not know": [
    {
      parse: (input) => {
        const { type, names, maxVisits } = own(input);
        const visits = maxVisits === undefined ? {} : { maxVisits };
        return SHELVES.parse({ type, names, ...visits });
      },
    },
  ],
  "parse() sees own properties only": [
    {
      parse: (input) => {
        if (Array.isArray(input) || Object(input) !== input) throw refused();
        const { type, names, maxVisits } = input as Shelves;
        return SHELVES.parse({ ...own(input), type, names, maxVisits });
      },
    },
  ],
  "parse() stands hostile parts": [
    {
      parse: (input) => {
        const { names } = own(input);
        if (Array.isArray(names)) names.forEach((name) => name.trim());
        return SHELVES.parse(input);
      },
    },
  ],
  "parse() keeps nothing of what it was given": [
    {
      parse: (input) => {
        const parsed = SHELVES.parse(input);
        return { ...parsed, names: (input as Shelves).names };
      },
    },
  ],
  "schema describes what parse() takes": [
    { schema: { type: "object" } },
    { schema: { ...SHELVES.schema, properties: {} } },
    { schema: { ...SHELVES.schema, required: ["type", "maxVisits"] } },
  ],
  "permits() what is granted and no more": [
    { permits: () => false },
    { permits: () => true },
    { permits: () => Promise.resolve(true) as unknown as boolean },
  ],
  "permits() nothing that is a character away": [
    {
      permits: ({ names }, { action, resource }) =>
        action === "visit" && names.some((name) => resource.startsWith(name)),
    },
    {
      permits: ({ names }, { action, resource }) =>
        action === "visit" && resource !== "" &&
        names.some((name) => name.startsWith(resource)),
    },
    {
      permits: ({ names }, { action, resource }) =>
        action === "visit" && names.includes(resource.trim()),
    },
  ],
  "permits() no action that it does not name": [
    { permits: ({ names }, { resource }) => names.includes(resource) },
    { actions: ["look"] },
    { actions: ["visit", "visit"] },
  ],
  "permits() stands hostile operations": [
    {
      permits: (capability, operation) => {
        encodeURIComponent(operation.resource);
        return SHELVES.permits(capability, operation);
      },
    },
  ],
  "permits() the same in another process": [
    {
      permits: (capability, operation) =>
        Object.isFrozen(capability) && SHELVES.permits(capability, operation),
    },
  ],
  "combine() grants the same either way": [
    { combine: (one) => one },
    {
      combine: (one, other) => {
        if (one.maxVisits < other.maxVisits) throw refused();
        return one;
      },
    },
    {
      combine: () => {
        throw new RangeError("mine");
      },
    },
    { combine: (one, other) => ({ ...one, names: other.names }) },
  ],
  "combine() grants no more than both": [
    {
      combine: ({ names }, other) =>
        SHELVES.parse({
          type: "shelves",
          names: [...names, ...other.names, "d"],
        }),
    },
  ],
  "counters() end what they count": [
    { costs: () => ({ visits: 0.5 }) },
    { costs: () => ({ others: 1 }) },
  ],
  "operation() leaves other names alone": [
    {
      operation: () => ({
        capability: "shelves",
        action: "visit",
        resource: "",
      }),
    },
  ],
  "describe() gives whole sentences": [
    { describe: () => [] },
    { describe: () => ["visits"] },
    { describe: () => "It may visit." as unknown as string[] },
  ],
  "describe() is printable whatever is granted": [
    {
      parse: (input) => {
        const { type, names } = own(input);
        const isText = Array.isArray(names) &&
          names.every((name) => typeof name === "string");
        if (!isText) throw refused();
        SHELVES.parse({ ...own(input), names: ["x"] });
        return Object.freeze({
          ...SHELVES.parse({ type, names: [] }),
          names: Object.freeze([...names]),
        });
      },
    },
  ],
  "notProtected is whole sentences": [{ notProtected: ["a\u001b[2J"] }],
  "denoPermissions() is plain data": [
    { denoPermissions: () => ({ read: [""] }) },
    { denoPermissions: () => ({ run: ["sh"] }) as never },
    { denoPermissions: () => new Map() as never },
  ],
};

for (const [title, kinds] of Object.entries(BROKEN)) {
  Deno.test(`testCapabilityKind() tells by: ${title}`, async () => {
    for (const broken of kinds) {
      const failed = await failures({ ...SHELVES, ...broken });
      assert(failed.includes(title), `${Deno.inspect(broken)}: ${failed}`);
    }
  });
}

Deno.test("testCapabilityKind() has a broken kind for each of its tests", () => {
  const titles: string[] = [];
  testCapabilityKind("It", SHELVES, {
    examples: [{ grant: {}, permits: [] }],
    test: (name) => void titles.push(name.slice("It ".length)),
  });
  assertEquals(titles.toSorted(), Object.keys(BROKEN).toSorted());
});
