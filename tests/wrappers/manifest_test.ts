import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import {
  openManifest,
  parseManifest,
  type ParseManifestOptions,
  readManifestFile,
} from "../../wrappers/manifest/mod.ts";
import { manifestSchema } from "../../wrappers/manifest/mod.ts";
import { WrapperFactory } from "../../wrappers/mod.ts";
import { probeFactory } from "./_probe.ts";

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
    { wrappers: probeFactory(), baseDirectory: "/srv" },
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
        { wrappers: probeFactory(), baseDirectory: "/srv", source: "a.yaml" },
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
    wrappers: probeFactory(),
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
      () => parseManifest(text, { wrappers: probeFactory() }),
      SandboxError,
    );
    assertEquals(error.code, "invalid-manifest");
  }
});

Deno.test("manifestSchema() describes what is written, without code", async () => {
  const { properties = {} } = await manifestSchema(probeFactory());
  const { properties: probe = {} } = properties.probe ?? {};
  assertEquals(probe.onEvent, undefined);
  assertEquals(probe.maxBytes?.oneOf?.length, 2);
  assertEquals(probe.limits?.type, "object");
});

/** Everything that is said to be wrong, by path. */
async function problemsOf(
  text: string,
  options: ParseManifestOptions = {},
): Promise<Record<string, string>> {
  const error = await assertRejects(
    () => parseManifest(text, { wrappers: probeFactory(), ...options }),
    SandboxError,
  );
  assert(SandboxError.is(error, "invalid-manifest"), String(error));
  const { problems = [] } = error.details;
  return Object.fromEntries(
    problems.map(({ path, message }) => [path, message]),
  );
}

const HEAD = "version: 1\nprobe:\n  module: /app.wasm\n";

Deno.test("parseManifest() tells line and column, and what was meant", async () => {
  const problems = await problemsOf(
    `version: 1
prob:
  module: a.wasm
`,
    { baseDirectory: "/srv" },
  );
  assertEquals(
    problems.prob,
    'line 2, column 1: prob is not known, expected one of version, $schema, custom, probe (did you mean "probe"?)'
      .replace("custom, probe", [...probeFactory()].join(", ")),
  );
  const others = await problemsOf(
    `${HEAD}  maxByte: 1\n  limits: { fuell: 1 }\n`,
  );
  const { "probe.maxByte": name = "", "probe.limits.fuell": limit = "" } =
    others;
  assert(name.startsWith("line 4, column 3: probe.maxByte is not known"));
  assert(name.endsWith('(did you mean "maxBytes"?)'), name);
  assert(
    limit.startsWith("line 5, column 13: probe.limits.fuell is not known"),
  );
  assert(limit.endsWith('(did you mean "fuel"?)'), limit);
});

Deno.test("parseManifest() refuses values of other types, each but once", async () => {
  const cases: Record<string, readonly [string, string]> = {
    "module: 5": ["module", "expected text that is not empty"],
    "module: [a]": ["module", "is a list"],
    'module: ""': ["module", "expected text that is not empty"],
    "module: ~/app.wasm": ["module", '"./~/app.wasm" is a file of that name'],
    "module: ftp://a/b.wasm": ["module", "expected a path"],
    'module: "file:app.wasm"': ["module", "://"],
    'module: "http://"': ["module", "://"],
    "module: app.wasm": ["module", "an absolute path"],
    "folder: 5": ["folder", "expected text"],
    "folder: ~root": ["folder", "is a file of that name"],
    "maxBytes: 64Kib": ["maxBytes", "expected a whole number"],
    "maxBytes: -1": ["maxBytes", "of at least 1"],
    "maxBytes: 1.5": ["maxBytes", "whole number"],
    "waitMs: 2 seconds": ["waitMs", "whole number"],
    "choice: 5seconds": ["choice", "expected"],
    "choice: { size: much }": ["choice.size", "whole number"],
    "isolation: proces": ["isolation", 'did you mean "process"?'],
    "features: { simd: on }": ["features.simd", "did you mean true?"],
    "need: simd": ["need", "expected a list"],
    "limits: 5": ["limits", "expected an object"],
    "policy: { type: clock }": ["policy", "expected a list"],
    "policy:": ["policy", "is empty"],
    "policy: 5": ["policy", "text"],
    "onEvent: print": ["onEvent", "can be given in code alone"],
    "imports: { env: {} }": ["imports", "can be given in code alone"],
    "runtime: { v8: true }": ["runtime", "can be given in code alone"],
    "linked: { library: 5 }": ["linked.library", "text"],
    "tools: { one: {} }": ["tools.one.module", "is missing"],
    "tools: { one: { module: /a, modul: /b } }": ["tools.one.modul", "known"],
  };
  for (const [line, [path, told]] of Object.entries(cases)) {
    const head = line.startsWith("module") ? "version: 1\nprobe:\n" : HEAD;
    const problems = await problemsOf(`${head}  ${line}\n`);
    assertEquals(Object.keys(problems), [`probe.${path}`], line);
    const message = problems[`probe.${path}`] ?? "";
    assert(message.includes(told), `${line}: ${message}`);
    assert(/^line \d+, column \d+: /.test(message), message);
  }
});

Deno.test("parseManifest() takes amounts wherever one of several will do", async () => {
  for (
    const [written, value] of [
      ["64KiB", 65_536],
      ["none", "none"],
      ["7", 7],
      ["{ size: 2KiB }", { size: 2_048 }],
    ] as const
  ) {
    const { options } = await parseManifest(`${HEAD}  choice: ${written}\n`, {
      wrappers: probeFactory(),
    });
    assertEquals(
      JSON.stringify(options.choice),
      JSON.stringify(value),
      written,
    );
  }
});

Deno.test("parseManifest() wants one section, and says where the second is", async () => {
  const wrappers = probeFactory().register("other", () => ({
    type: "other",
    description: "Another.",
    schema: { type: "object" },
    create: () => Promise.reject(new Error("never")),
  }));
  const problems = await problemsOf(`${HEAD}other: {}\n`, { wrappers });
  assert(
    problems.other?.startsWith("line 4, column 1: other is a second section"),
  );
  assert(problems.other?.includes("each wrapper has a manifest of its own"));
});

Deno.test("parseManifest() takes JSON, and its names are no prototypes", async () => {
  const { options } = await parseManifest(
    JSON.stringify({
      $schema: "https://example.com/manifest.schema.json",
      version: 1,
      probe: {
        module: "/a.wasm",
        tools: {
          constructor: { module: "/b.wasm" },
          toString: { module: "/c" },
        },
        anything: { deep: [1, { deeper: null }] },
      },
    }),
    { wrappers: probeFactory(), format: "json" },
  );
  assertEquals(Object.keys(options.tools as object), [
    "constructor",
    "toString",
  ]);
  assertEquals(
    JSON.stringify(options.anything),
    '{"deep":[1,{"deeper":null}]}',
  );
  for (const format of ["json", "yaml"] as const) {
    const problems = await problemsOf(
      '{ "version": 1, "probe": { "module": "/a", "__proto__": { "polluted": 1 } } }',
      { format },
    );
    assertEquals(Object.keys(problems).length, 1);
  }
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("readManifestFile() tells of files that are not there, or are broken", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/app.yaml`;
  const read = () => readManifestFile(path, { wrappers: probeFactory() });
  try {
    const missing = await assertRejects(read, SandboxError, "does not exist");
    assertEquals(missing.code, "invalid-manifest");
    await Deno.writeTextFile(path, `${HEAD}  policy: ./app.policy.yaml\n`);
    const without = await assertRejects(read, SandboxError, "does not exist");
    assert(SandboxError.is(without, "invalid-policy"));
    assertEquals(without.details.source, `${directory}/app.policy.yaml`);
    await Deno.writeTextFile(
      `${directory}/app.policy.yaml`,
      "version: 1\ncapabilities: [{ type: clok }]\n",
    );
    const broken = await assertRejects(read, SandboxError, "line 2");
    assert(SandboxError.is(broken, "invalid-policy"));
    await Deno.writeTextFile(
      `${directory}/app.policy.yaml`,
      "version: 1\nisolation: process\n",
    );
    const { options } = await read();
    assertEquals(options.isolation, "process");
    const folder = await assertRejects(
      () => readManifestFile(directory, { wrappers: probeFactory() }),
      SandboxError,
      "directory",
    );
    assertEquals(folder.code, "invalid-manifest");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("parseManifest() puts its own limits over those of a policy file", async () => {
  const policy =
    "version: 1\nlimits: { fuel: 5, timeoutMs: 1s }\nisolation: process\n";
  const { options } = await parseManifest(
    `${HEAD}  policy: /p.yaml
  isolation: inline
  limits: { timeoutMs: 2s }
  tools:
    one: { module: /b.wasm, policy: /p.yaml }
`,
    {
      wrappers: probeFactory(),
      read: () => Promise.resolve(new TextEncoder().encode(policy)),
    },
  );
  assertEquals(options.limits, { fuel: 5, timeoutMs: 2_000 });
  assertEquals(options.isolation, "inline");
  const { one } = options.tools as Record<string, Record<string, unknown>>;
  assertEquals(one?.limits, { fuel: 5, timeoutMs: 1_000 });
  assertEquals(one?.isolation, "process");
});

Deno.test("openManifest() passes cancellation on, and makes nothing when refused", async () => {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(path, HEAD);
    const reason = new Error("not wanted");
    const signals: (AbortSignal | undefined)[] = [];
    const wrappers = new WrapperFactory().register("probe", () => ({
      type: "probe",
      description: "Keeps its signal.",
      schema: { type: "object", properties: { module: { format: "module" } } },
      create: (_, operation) => {
        signals.push(operation?.signal);
        return Promise.reject(reason);
      },
    }));
    const signal = AbortSignal.timeout(60_000);
    const error = await assertRejects(() =>
      openManifest(path, { wrappers, signal })
    );
    assertEquals(error, reason);
    assertEquals(signals, [signal]);
    await assertRejects(
      () => openManifest(path, { wrappers, signal: AbortSignal.abort(reason) }),
      Error,
      "not wanted",
    );
    assertEquals(signals.length, 1);
  } finally {
    await Deno.remove(path);
  }
});
