import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import {
  parseManifest,
  readManifestFile,
} from "../../wrappers/manifest/mod.ts";
import { manifestSchema } from "../../wrappers/manifest/mod.ts";
import { GUEST_PROPERTIES, WrapperFactory } from "../../wrappers/mod.ts";

/** A factory with one kind, which keeps what it is made from. */
function factory(): WrapperFactory {
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

Deno.test("parseManifest() makes options of a section", async () => {
  const { type, options } = await parseManifest(
    `version: 1
probe:
  module: ./app.wasm
  folder: public
  maxBytes: 64KiB
  waitMs: 2s
  limits: { memoryBytes: 1MiB }
  policy:
    - { type: clock }
  tools:
    one: { module: "https://example.com/one.wasm", isolation: process }
`,
    { wrappers: factory(), baseDirectory: "/srv" },
  );
  assertEquals(type, "probe");
  const { policy, tools, ...rest } = options;
  assertEquals({ ...rest }, {
    module: "/srv/app.wasm",
    folder: "/srv/public",
    maxBytes: 65_536,
    waitMs: 2_000,
    limits: { memoryBytes: 1 << 20 },
  });
  assert(
    policy instanceof SecurityPolicy && policy.find("clock") !== undefined,
  );
  const { one } = tools as Record<string, Record<string, unknown>>;
  assertEquals(String(one?.module), "https://example.com/one.wasm");
});

Deno.test("parseManifest() tells everything that is wrong, with its place", async () => {
  const error = await assertRejects(
    () =>
      parseManifest(
        `version: 2
probe:
  modul: ./app.wasm
  maxBytes: much
  onEvent: print
  limits: { memoryByte: 1 }
  policy: [{ type: clok }]
`,
        { wrappers: factory(), baseDirectory: "/srv", source: "a.yaml" },
      ),
    SandboxError,
  );
  assert(SandboxError.is(error, "invalid-manifest"));
  const told = error.details.problems?.map(({ path }) => path);
  assertEquals(told, [
    "version",
    "probe.module",
    "probe.modul",
    "probe.maxBytes",
    "probe.onEvent",
    "probe.limits.memoryByte",
    "probe.policy[0].type",
  ]);
  assert(error.message.startsWith("Cannot use the manifest a.yaml: line 1"));
});

Deno.test("readManifestFile() reads the policy file that is named", async () => {
  const files: Record<string, string> = {
    "/srv/app.yaml": `version: 1
probe: { module: app.wasm, policy: app.policy.yaml, limits: { fuel: 7 } }
`,
    "/srv/app.policy.yaml": `version: 1
limits: { fuel: 5, timeoutMs: 1s }
isolation: process
capabilities: [{ type: random }]
`,
  };
  const { options } = await readManifestFile("/srv/app.yaml", {
    wrappers: factory(),
    read: (path) => Promise.resolve(new TextEncoder().encode(files[path])),
  });
  const { policy, ...rest } = options;
  assertEquals({ ...rest }, {
    isolation: "process",
    module: "/srv/app.wasm",
    limits: { fuel: 7, timeoutMs: 1_000 },
  });
  assert(
    policy instanceof SecurityPolicy && policy.find("random") !== undefined,
  );
});

Deno.test("parseManifest() wants one section", async () => {
  for (const text of ["version: 1\n", "version: 1\nprob: {}\n", "- 1\n"]) {
    const error = await assertRejects(
      () => parseManifest(text, { wrappers: factory() }),
      SandboxError,
    );
    assertEquals(error.code, "invalid-manifest");
  }
});

Deno.test("manifestSchema() describes what is written, without code", async () => {
  const { properties = {} } = await manifestSchema(factory());
  const { properties: probe = {} } = properties.probe ?? {};
  assertEquals(probe.onEvent, undefined);
  assertEquals(probe.maxBytes?.oneOf?.length, 2);
  assertEquals(probe.limits?.type, "object");
});
