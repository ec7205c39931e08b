import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  Capabilities,
  type CapabilityKind,
  CapabilityKinds,
  SecurityAuditor,
  SecurityPolicy,
} from "../../security/mod.ts";
import { EXAMPLES, findThawed } from "./_grants.ts";

const KINDS = new CapabilityKinds();

const WIDGET: CapabilityKind = {
  type: "widget",
  actions: ["turn"],
  schema: { type: "object" },
  notProtected: [],
  parse: () => ({ type: "widget" }),
  permits: () => true,
  denoPermissions: () => ({}),
  describe: () => ["It may turn widgets."],
};

Deno.test("CapabilityKinds has an example of each built-in kind", () => {
  const types = [...KINDS].map(({ type }) => type);
  assertEquals(EXAMPLES.map(({ type }) => type), types);
});

Deno.test("CapabilityKinds.parse() gives the same after JSON, frozen", () => {
  for (const example of EXAMPLES) {
    const parsed = KINDS.parse(JSON.parse(JSON.stringify(example)));
    assertEquals(parsed, example);
    assertEquals(KINDS.parse(structuredClone(parsed)), example);
    assertEquals(findThawed(parsed), []);
    assertEquals(findThawed(example), []);
    assertEquals(findThawed(KINDS.get(example.type).parse({ ...example })), []);
  }
});

Deno.test("CapabilityKind.schema names every property of a capability", () => {
  for (const example of EXAMPLES) {
    const { schema } = KINDS.get(example.type);
    assertEquals(schema.additionalProperties, false);
    for (const name of Object.keys(example)) {
      assert(Object.hasOwn(schema.properties ?? {}, name), name);
    }
    assertEquals(schema.properties?.type?.const, example.type);
  }
});

Deno.test("CapabilityKind.describe() gives whole sentences of one line", () => {
  for (const example of EXAMPLES) {
    const kind = KINDS.get(example.type);
    const sentences = [...kind.describe(example), ...kind.notProtected];
    assert(kind.describe(example).length > 0);
    for (const text of sentences) assert(/^[A-Z].*\.$/.test(text), text);
  }
});

Deno.test("Capabilities.filesystem() fixes the host's paths when it is made", () => {
  const { mounts } = Capabilities.filesystem({
    mounts: [
      { guest: "/a", host: "./data" },
      { guest: "/b", host: "/srv/a/../b/" },
    ],
  });
  assertEquals(mounts.map((mount) => "host" in mount && mount.host), [
    `${Deno.cwd()}/data`,
    "/srv/b",
  ]);
});

Deno.test("Capabilities.customAccess() says that it covers what lies below", () => {
  const [sentence] = SecurityPolicy
    .from([Capabilities.customAccess(["shelf"], true)]).describe();
  assertStringIncludes(sentence ?? "", "and what lies below them");
});

Deno.test("CapabilityKinds.get() suggests a name that is near", () => {
  const error = assertThrows(() => KINDS.get("netwrok"));
  assert(SandboxError.is(error, "unknown-name"));
  assertEquals(error.details, {
    kind: "capability",
    name: "netwrok",
    suggestion: "network",
  });
  for (const name of ["constructor", "__proto__", ""]) {
    assertEquals(KINDS.has(name), false);
    assert(
      SandboxError.is(assertThrows(() => KINDS.get(name)), "unknown-name"),
    );
  }
});

Deno.test("CapabilityKinds.register() keeps what is there unless told", () => {
  const kinds = new CapabilityKinds().register(WIDGET);
  assert(kinds.has("widget") && !KINDS.has("widget"));
  assertThrows(() => kinds.register(WIDGET), TypeError, "override");
  assertThrows(() => kinds.register({ ...WIDGET, type: "clock" }), TypeError);
  const other = { ...WIDGET, actions: ["push"] };
  kinds.register(other, { override: true });
  assertEquals(kinds.get("widget").actions, ["push"]);
});

Deno.test("CapabilityKinds.register() refuses a kind that is not whole", () => {
  const bad: readonly unknown[] = [
    null,
    {},
    { ...WIDGET, type: "" },
    { ...WIDGET, type: "a.b" },
    { ...WIDGET, type: 1 },
    { ...WIDGET, actions: undefined },
    { ...WIDGET, actions: [""] },
    { ...WIDGET, actions: ["a.b"] },
    { ...WIDGET, schema: undefined },
    { ...WIDGET, notProtected: [1] },
    { ...WIDGET, permits: undefined },
    { ...WIDGET, parse: 1 },
    { ...WIDGET, describe: undefined },
    { ...WIDGET, denoPermissions: undefined },
    { ...WIDGET, costs: 1 },
    { ...WIDGET, combine: "x" },
  ];
  for (const kind of bad) {
    const register = () =>
      new CapabilityKinds().register(kind as CapabilityKind);
    assertThrows(register, TypeError, "Cannot register", Deno.inspect(kind));
  }
});

Deno.test("CapabilityKinds.parse() holds a kind to plain data of its type", () => {
  const results: readonly unknown[] = [
    undefined,
    null,
    "widget",
    { type: "clock" },
    {},
    { type: "widget", run: () => 1 },
    { type: "widget", at: new Date() },
    new Proxy({ type: "widget" }, {
      ownKeys: () => {
        throw new RangeError("mine");
      },
    }),
  ];
  for (const result of results) {
    const parse = () => result as ReturnType<typeof WIDGET.parse>;
    const kinds = new CapabilityKinds().register({ ...WIDGET, parse });
    const error = assertThrows(() => kinds.parse({ type: "widget" }));
    assert(SandboxError.is(error, "invalid-capability"), Deno.inspect(result));
  }
  const parse = () => {
    throw new RangeError("no \u001b[2J such thing");
  };
  const kinds = new CapabilityKinds().register({ ...WIDGET, parse });
  const error = assertThrows(() => kinds.parse({ type: "widget" }));
  assert(SandboxError.is(error, "invalid-capability"));
  assert(
    error.cause instanceof RangeError && !error.message.includes("\u001b"),
  );
});

Deno.test("CapabilityKinds.parse() freezes what a kind forgot to", () => {
  const parse = () => ({
    type: "widget",
    sizes: [{ mm: 1 }],
    color: undefined,
  });
  const kinds = new CapabilityKinds().register({ ...WIDGET, parse });
  const parsed = kinds.parse({ type: "widget" });
  assertEquals(findThawed(parsed), []);
  assertEquals(parsed, { type: "widget", sizes: [{ mm: 1 }] } as typeof parsed);
});

Deno.test("SecurityPolicy.from() holds a kind to what it may answer", async () => {
  // as JavaScript could give it: a rejection nobody waits for ends a process
  const fails = (): never => Promise.reject(new Error("late")) as never;
  const twice = [{ type: "widget", a: 1 }, { type: "widget", a: 2 }];
  const kept: CapabilityKind = { ...WIDGET, parse: (input) => input as never };
  const rows: readonly CapabilityKind[] = [
    { ...kept, parse: fails },
    { ...kept, combine: fails },
    { ...kept, combine: () => Capabilities.stdio() },
    { ...kept, counters: fails },
  ];
  for (const kind of rows) {
    const kinds = new CapabilityKinds().register(kind);
    const error = assertThrows(() =>
      new SecurityAuditor(SecurityPolicy.from(twice, kinds), { kinds })
    );
    assert(SandboxError.is(error, "invalid-capability"), String(error));
    await new Promise((resolve) => setTimeout(resolve));
  }
});
