import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  Capabilities,
  type Capability,
  CapabilityKinds,
  SecurityPolicy,
} from "../../security/mod.ts";
import { EXAMPLES, findThawed } from "./_grants.ts";

const ALL = SecurityPolicy.strict().allowCapability(EXAMPLES);

Deno.test("SecurityPolicy.strict() grants nothing", () => {
  const policy = SecurityPolicy.strict();
  assertEquals([...policy], []);
  assertEquals(policy.denoPermissions(), {
    read: [],
    write: [],
    net: [],
    env: [],
  });
  const [first, second] = policy.describe();
  assertEquals(first, "It may only compute.");
  assert(second?.includes("filesystem") && second.includes("custom_access"));
});

Deno.test("SecurityPolicy.allowCapability() leaves the policy as it was", () => {
  const policy = SecurityPolicy.strict();
  const more = policy.allowCapability(Capabilities.random());
  assertEquals([policy.capabilities.length, more.capabilities.length], [0, 1]);
  assertEquals(findThawed(ALL), []);
  assertThrows(() => Object.assign(more, { capabilities: [] }), TypeError);
  assertThrows(() => (more.capabilities as Capability[]).push({ type: "x" }));
});

Deno.test("SecurityPolicy.allowCapability() takes one, several, and lists", () => {
  const [clock, random] = [Capabilities.clock(), Capabilities.random()];
  const expected = SecurityPolicy.from([clock, random]).toJSON();
  const strict = SecurityPolicy.strict();
  for (
    const policy of [
      strict.allowCapability(clock).allowCapability(random),
      strict.allowCapability(clock, random),
      strict.allowCapability([clock, random]),
      strict.allowCapability([clock], random, []),
    ]
  ) assertEquals(policy.toJSON(), expected);
});

Deno.test("SecurityPolicy.allowCapability() copies what it is given", () => {
  const resources = ["a"];
  const capability = { type: "custom_access", resources };
  const odd = { type: "of-another-kind", list: resources };
  const policy = SecurityPolicy.strict().allowCapability(capability, odd);
  resources.push("b");
  assertEquals(policy.find("custom_access")?.resources, ["a"]);
  assertEquals(policy.find("of-another-kind"), {
    type: "of-another-kind",
    list: ["a"],
  } as Capability);
  assertEquals(findThawed(policy.toJSON()), []);
});

Deno.test("SecurityPolicy.allowCapability() refuses what makes no sense", () => {
  const inputs: readonly unknown[] = [
    null,
    undefined,
    "clock",
    {},
    { type: 1 },
    { type: "clock", mode: "exact" },
    { type: "of-another-kind", run: () => 1 },
  ];
  for (const input of inputs) {
    const error = assertThrows(() =>
      SecurityPolicy.strict().allowCapability(input as Capability)
    );
    assert(SandboxError.is(error, "invalid-capability"), Deno.inspect(input));
  }
});

Deno.test("SecurityPolicy.from() gives the same after JSON", () => {
  const copy = SecurityPolicy.from(JSON.parse(JSON.stringify(ALL)));
  assertEquals(copy.toJSON(), ALL.toJSON());
  assertEquals([...copy], [...EXAMPLES]);
});

Deno.test("SecurityPolicy.from() refuses a type that is not known", () => {
  const error = assertThrows(() => SecurityPolicy.from([{ type: "clocks" }]));
  assert(SandboxError.is(error, "unknown-name"));
  assertEquals(error.details.suggestion, "clock");
});

Deno.test("SecurityPolicy.find() gives the capability of a type", () => {
  assertEquals(ALL.find("clock")?.startMs, 1_000);
  assertEquals(ALL.find("filesystem")?.mounts.length, 4);
  assertEquals(ALL.find("constructor"), undefined);
});

Deno.test("SecurityPolicy.merge() with itself changes nothing", () => {
  assertEquals(ALL.merge(ALL).toJSON(), ALL.toJSON());
  assertEquals(SecurityPolicy.strict().merge(ALL).toJSON(), ALL.toJSON());
});

Deno.test("SecurityPolicy.merge() joins the grants of a type", () => {
  const strict = SecurityPolicy.strict();
  const one = strict.allowCapability(
    Capabilities.readDirectory("/srv/a", "/a"),
    Capabilities.networkAccess(["a.test"]),
    Capabilities.environment({ variables: { A: "1" }, pass: ["P"] }),
    Capabilities.process({ arguments: false }),
    Capabilities.stdio({ stdin: false, stdout: false }),
    Capabilities.hostFunctions(["f"], { maxCalls: 2 }),
  );
  const two = strict.allowCapability(
    Capabilities.memory("/a/b"),
    Capabilities.networkAccess(["A.test.", "b.test"]),
    Capabilities.environment({
      variables: { A: "1", constructor: "2" },
      pass: ["P", "Q"],
    }),
    Capabilities.process({ exit: false }),
    Capabilities.stdio({ stdin: false, stderr: false }),
    Capabilities.hostFunctions(["f", "g"], { maxCalls: { f: 2 } }),
  );
  const both = one.merge(two);
  assertEquals(both.capabilities.length, 6);
  const guests = both.find("filesystem")?.mounts.map(({ guest }) => guest);
  assertEquals(guests, ["/a", "/a/b"]);
  const hosts = both.find("network")?.hosts.map(({ host }) => host);
  assertEquals(hosts, ["a.test", "b.test"]);
  assertEquals(both.find("environment")?.variables, {
    A: "1",
    constructor: "2",
  });
  assertEquals(both.find("environment")?.pass, ["P", "Q"]);
  assertEquals(both.find("process"), Capabilities.process());
  assertEquals(both.find("stdio"), Capabilities.stdio({ stdin: false }));
  assertEquals(both.find("host_functions")?.functions, ["f", "g"]);
  assertEquals(both.find("host_functions")?.maxCalls, { f: 2 });
  assertEquals(one.capabilities.length, 6);
});

Deno.test("SecurityPolicy.merge() refuses grants that contradict", () => {
  const pairs: readonly (readonly [Capability, Capability])[] = [
    [Capabilities.clock(), Capabilities.clock({ mode: "real" })],
    [Capabilities.random(), Capabilities.random({ seed: 1 })],
    [Capabilities.random({ seed: 2 }), Capabilities.random({ seed: 1 })],
    [Capabilities.memory("/a"), Capabilities.readDirectory("/srv", "/a")],
    [
      Capabilities.directory("/srv", "/a", "read"),
      Capabilities.directory("/srv", "/a", "read-write"),
    ],
    [
      Capabilities.environment({ variables: { A: "1" } }),
      Capabilities.environment({ variables: { A: "2" } }),
    ],
    [
      Capabilities.environment({ variables: { A: "1" } }),
      Capabilities.environment({ pass: ["A"] }),
    ],
    [
      Capabilities.hostFunctions(["f"], { maxCalls: 1 }),
      Capabilities.hostFunctions(["f"], { maxCalls: 2 }),
    ],
    [
      Capabilities.hostFunctions(["f"], { maxCalls: 1 }),
      Capabilities.hostFunctions(["f"]),
    ],
  ];
  for (const [one, two] of pairs) {
    for (const [first, second] of [[one, two], [two, one]] as const) {
      const policy = SecurityPolicy.strict().allowCapability(first);
      const other = SecurityPolicy.strict().allowCapability(second);
      const error = assertThrows(() => policy.merge(other));
      assert(SandboxError.is(error, "invalid-capability"));
      assertEquals(error.details.capability, one.type);
      const together = assertThrows(() => SecurityPolicy.from([first, second]));
      assert(SandboxError.is(together, "invalid-capability"));
      assertEquals(policy.capabilities, [first]);
    }
  }
});

Deno.test("SecurityPolicy.merge() lets custom capabilities stand side by side", () => {
  const policy = SecurityPolicy.strict()
    .allowCapability(Capabilities.customAccess(["a"], true))
    .allowCapability(Capabilities.customAccess(["b"], false))
    .allowCapability(Capabilities.customAccess(["a"], true));
  assertEquals(policy.capabilities.length, 2);
});

Deno.test("SecurityPolicy.describe() says what is granted, not granted, not protected", () => {
  const text = SecurityPolicy.strict()
    .allowCapability(Capabilities.directory("./in", "/data", "read"))
    .describe();
  assert(text[0]?.includes(`"${Deno.cwd()}/in"`) === true, text[0]);
  assert(text[0]?.includes("may read files"));
  assert(text[1]?.startsWith("Not granted: network, environment"));
  assert(text.slice(2).every((each) => each.startsWith("Not protected: ")));
  assert(text.length > 2);
  const odd = SecurityPolicy.strict().allowCapability({ type: "a\nb" });
  assert(odd.describe()[0]?.includes("\\u{a}"));
});

Deno.test("SecurityPolicy.denoPermissions() has what reaches the system only", () => {
  assertEquals(ALL.denoPermissions(), {
    read: [`${Deno.cwd()}/data`, "/srv/out"],
    write: ["/srv/out"],
    net: ["api.example.com:443", "*.example.org:8443"],
    env: ["HOME"],
  });
});

Deno.test("SecurityPolicy joins capabilities of a registered kind", () => {
  type Sizes = Capability & { readonly sizes: readonly number[] };
  const kinds = new CapabilityKinds().register<Sizes>({
    type: "sizes",
    actions: ["use"],
    schema: { type: "object" },
    notProtected: [],
    parse: (input) => ({ type: "sizes", sizes: (input as Sizes).sizes }),
    permits: ({ sizes }, { resource }) => sizes.includes(Number(resource)),
    denoPermissions: () => ({}),
    describe: () => [],
    combine: (granted, added) => {
      if (added.sizes.includes(13)) throw new RangeError("unlucky");
      return { type: "sizes", sizes: [...granted.sizes, ...added.sizes] };
    },
  });
  const policy = SecurityPolicy.strict(kinds)
    .allowCapability({ type: "sizes", sizes: [1] } as Capability)
    .allowCapability({ type: "sizes", sizes: [2] } as Capability);
  assertEquals(policy.toJSON(), [{ type: "sizes", sizes: [1, 2] }] as Sizes[]);
  const unlucky = { type: "sizes", sizes: [13] } as Capability;
  const error = assertThrows(() => policy.allowCapability(unlucky));
  assert(SandboxError.is(error, "invalid-capability"));
  assert(error.cause instanceof RangeError);
});
