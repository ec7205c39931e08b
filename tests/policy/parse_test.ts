import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { CapabilityKinds } from "../../security/kinds.ts";
import { parsePolicy, readPolicyFile } from "../../security/policy_file/mod.ts";
import type { Capability, CapabilityKind } from "../../security/types.ts";
import { firstProblem, problemsOf, WHOLE } from "./_policy.ts";

Deno.test("parsePolicy() reads every kind of capability from YAML", () => {
  const { policy, limits, isolation } = parsePolicy(WHOLE, {
    source: "app.yaml",
    baseDirectory: "/srv/app",
  });
  assertEquals(limits, {
    memoryBytes: 64 * 2 ** 20,
    timeoutMs: 2_000,
    fuel: 10_000_000,
    openFiles: 16,
  });
  assertEquals(isolation, "process");
  assertEquals(policy.find("filesystem")?.mounts, [
    {
      guest: "/data",
      host: "/srv/app/data",
      access: "read",
      symlinks: "refuse",
    },
    {
      guest: "/tmp",
      memory: true,
      access: "read-write",
      symlinks: "refuse",
      maxBytes: 1_048_576,
    },
  ]);
  assertEquals(policy.find("environment")?.variables, { A: "yes", B: "it's" });
  assertEquals(policy.find("network")?.hosts.length, 3);
  assertEquals(policy.find("random")?.seed, 7);
  assertEquals(policy.capabilities.length, 9);
});

Deno.test("parsePolicy() reads the same from JSON", () => {
  const text = JSON.stringify({
    $schema: "policy.schema.json",
    version: 1,
    limits: { timeoutMs: "2s", memoryBytes: 65_536 },
    capabilities: [{ type: "stdio", stdin: false }],
  });
  const { policy, limits } = parsePolicy(text, { source: "app.json" });
  assertEquals(limits, { memoryBytes: 65_536, timeoutMs: 2_000 });
  assertEquals(policy.find("stdio")?.stdin, false);
  assertEquals(parsePolicy(text, { format: "yaml" }).limits, limits);
  const bytes = new TextEncoder().encode(`\ufeff${text}`);
  assertEquals(parsePolicy(bytes, { format: "json" }).limits, limits);
});

Deno.test("parsePolicy() grants nothing unless it is written", () => {
  const { policy, limits, isolation } = parsePolicy("version: 1");
  assertEquals(policy.capabilities, []);
  assertEquals(limits, {});
  assertEquals(isolation, undefined);
});

Deno.test("parsePolicy() tells line, column, path and what it expected", () => {
  assertEquals(
    problemsOf(`version: 1
capabilities:
  - type: filesystem
    mounts: [ { guest: /ä, access: rw, host: /x } ]
`),
    [{
      line: 4,
      column: 36,
      path: "capabilities[0].mounts[0].access",
      expected: '"read" or "read-write"',
      message:
        'line 4, column 36: capabilities[0].mounts[0].access is "rw", expected ' +
        '"read" or "read-write" (did you mean "read-write"?)',
    }],
  );
});

Deno.test("parsePolicy() tells all problems at once, in order", () => {
  const problems = problemsOf(`limit: 1
version: 2
isolation: proces
limits:
  memoryBytes: 64Mib
  timeoutMS: 1s
  openFiles: 2
capabilities:
  - type: filesytem
  - type: process
    exit: yes
  - type: environment
    variables: { V: 1.10 }
  - type: filesystem
    mounts: [{ guest: /a/../b, host: /x }]
  - 5
`);
  assertEquals(problems.map(({ line, path }) => `${line} ${path}`), [
    "1 limit",
    "2 version",
    "3 isolation",
    "5 limits.memoryBytes",
    "6 limits.timeoutMS",
    "7 limits.openFiles",
    "9 capabilities[0].type",
    "11 capabilities[1].exit",
    "13 capabilities[2].variables.V",
    "15 capabilities[3].mounts[0].guest",
    "16 capabilities[4]",
  ]);
  const text = problems.map(({ message }) => message).join("\n");
  for (
    const part of [
      'did you mean "limits"?',
      'did you mean "process"?',
      "a size such as 64MiB",
      'did you mean "timeoutMs"?',
      'did you mean "filesystem"?',
      'the text "yes", expected true or false (did you mean true?)',
      'the number 1.1, written 1.10, expected text (put it in quotes: "1.10")',
    ]
  ) assertStringIncludes(text, part);
});

Deno.test("parsePolicy() stops after 20 problems", () => {
  const text = "version: 1\n" +
    Array.from({ length: 1_000 }, (_, index) => `n${index}: 1\n`).join("");
  assertEquals(problemsOf(text).length, 20);
});

Deno.test("parsePolicy() joins grants and tells which contradict", () => {
  const clocks = `version: 1
capabilities:
  - { type: stdio }
  - { type: clock, mode: coarse }
  - { type: filesystem, mounts: [{ guest: /a, host: /x }] }
  - { type: filesystem, mounts: [{ guest: /b, host: /y }] }
  - { type: clock, mode: real }
`;
  const [problem] = problemsOf(clocks);
  assertEquals(problem?.line, 7);
  assertEquals(problem?.path, "capabilities[4]");
  const { policy } = parsePolicy(clocks.replace("real", "coarse"));
  assertEquals(policy.find("filesystem")?.mounts.length, 2);
});

Deno.test("parsePolicy() takes relative paths of a known directory only", () => {
  const text = `version: 1
capabilities: [{ type: filesystem, mounts: [{ guest: /d, host: "HOST" }] }]`;
  const host = (path: string, baseDirectory: string) =>
    parsePolicy(text.replace("HOST", path), { baseDirectory }).policy
      .find("filesystem")?.mounts.map((mount) => "host" in mount && mount.host);
  assertEquals(host("../b/./c/", "/srv/a"), ["/srv/b/c"]);
  assertEquals(host("/etc/x", "/srv/a"), ["/etc/x"]);
  assertStringIncludes(
    firstProblem(text.replace("HOST", "~/x")) ?? "",
    'host is "~/x", expected a path',
  );
  assertStringIncludes(
    firstProblem(text.replace("HOST", "file:///x")) ?? "",
    "expected a path",
  );
  assertThrows(
    () => parsePolicy(text.replace("HOST", "data")),
    SandboxError,
    "expected an absolute path",
  );
});

Deno.test("parsePolicy() takes no deadline only with fuel", () => {
  const { limits } = parsePolicy(
    "version: 1\nlimits: { timeoutMs: unlimited, fuel: 5e6 }",
  );
  assertEquals(limits, { timeoutMs: Infinity, fuel: 5_000_000 });
  assertStringIncludes(
    firstProblem("version: 1\nlimits: { timeoutMs: unlimited }") ?? "",
    "line 2, column 22: limits.timeoutMs",
  );
});

Deno.test("parsePolicy() knows kinds that are registered", () => {
  const printing: CapabilityKind<Capability & { readonly pages: number }> = {
    type: "printing",
    actions: ["print"],
    schema: {
      type: "object",
      properties: { pages: { type: "integer", minimum: 1 } },
    },
    notProtected: [],
    parse: (input) => {
      const { pages } = input as { pages: number };
      if (pages === 13) throw new RangeError("bad luck\x1b[2J");
      return { type: "printing", pages };
    },
    permits: () => true,
    denoPermissions: () => ({}),
    describe: () => ["It may print."],
  };
  const kinds = new CapabilityKinds().register(printing);
  const text = "version: 1\ncapabilities: [{ type: printing, pages: 3 }]";
  assertEquals(parsePolicy(text, { kinds }).policy.capabilities, [
    { type: "printing", pages: 3 } as Capability,
  ]);
  assertStringIncludes(
    firstProblem(text.replace("3", "0"), { kinds }) ?? "",
    "capabilities[0].pages is 0, expected a whole number of at least 1",
  );
  const thrown = firstProblem(text.replace("3", "13"), { kinds }) ?? "";
  assertStringIncludes(thrown, "bad luck");
  assertEquals(thrown.includes("\x1b"), false);
});

Deno.test("readPolicyFile() reads a file, relative to its directory", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/app.yaml`;
    await Deno.writeTextFile(path, WHOLE);
    const { policy } = await readPolicyFile(path);
    const [mount] = policy.find("filesystem")?.mounts ?? [];
    assertEquals(mount && "host" in mount && mount.host, `${folder}/data`);
    await Deno.writeTextFile(path, "#".repeat(300_000));
    for (
      const [file, message] of [
        [path, "it is too long, expected at most 262144 bytes"],
        [`${folder}/no.yaml`, "the file does not exist"],
        [folder, "the file cannot be read"],
      ] as const
    ) {
      const error = await assertRejects(
        () => readPolicyFile(file),
        SandboxError,
        message,
      );
      assertEquals(error.code, "invalid-policy");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
