import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { parsePolicy } from "../../security/policy_file/mod.ts";
import { run } from "./_run.ts";

const GOOD = `version: 1
limits: { timeoutMs: 2s }
capabilities:
  - { type: filesystem, mounts: [{ guest: /data, host: /srv/my data }] }
  - { type: environment, pass: [HOME] }
`;

const BAD = `version: 1
limits: { timeoutMs: 2 s, memory: 1 }
capabilities: [{ type: filesytem }, { type: "\\u001b[2J" }]
`;

const files = {
  "app.yaml": GOOD,
  "bad.yaml": BAD,
  "app.json": '{"version": 1}',
  "manifest.json": '{"timeout_ms": 5, "allowed_paths": {"ro:data": "/data"}}',
};

Deno.test("policy check says that a file is well-formed", async () => {
  const { code, stdout, stderr } = await run(["policy", "check", "app.yaml"], {
    files,
  });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, "app.yaml: well-formed, 2 capabilities\n");
  const json = await run(["policy", "check", "app.json", "--json"], { files });
  assertEquals(json.code, 0);
  assertEquals(JSON.parse(json.stdout), { source: "app.json", problems: [] });
});

Deno.test("policy check tells every problem in a line, and ends with 2", async () => {
  const { code, stdout, stderr } = await run(["policy", "check", "bad.yaml"], {
    files,
  });
  assertEquals([code, stdout], [2, ""]);
  const lines = stderr.trimEnd().split("\n");
  assertEquals(lines.length, 3);
  assert(lines.every((line) => line.startsWith("bad.yaml: line ")));
  assertEquals(stderr.includes("\x1b"), false);
  const json = await run(["policy", "check", "bad.yaml", "--json"], { files });
  assertEquals(json.code, 2);
  const { problems } = JSON.parse(json.stdout);
  assertEquals(problems.length, 3);
  assertEquals(
    [problems[0].line, problems[0].column, problems[0].path],
    [2, 27, "limits.memory"],
  );
});

Deno.test("policy check reads the standard input", async () => {
  const { code, stdout } = await run(["policy", "check", "-"], { stdin: GOOD });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "well-formed");
});

Deno.test("policy check says that there is no file", async () => {
  const { code, stderr } = await run(["policy", "check", "no.yaml"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "the file does not exist");
});

Deno.test("policy explain says it in sentences and in flags", async () => {
  const { code, stdout } = await run(["policy", "explain", "app.yaml"], {
    files,
  });
  assertEquals(code, 0);
  for (
    const part of [
      "What it may do:\n",
      "What it may use:\n",
      "Not protected:\n",
      "deno run --no-prompt '--allow-read=/srv/my data' --allow-env=HOME\n",
      "gets only '--allow-read=/srv/my data'.\n",
    ]
  ) assertStringIncludes(stdout, part);
  const json = await run(["policy", "explain", "app.yaml", "--json"], {
    files,
  });
  assertEquals(JSON.parse(json.stdout).denoFlags, [
    "--allow-read=/srv/my data",
    "--allow-env=HOME",
  ]);
  const bad = await run(["policy", "explain", "bad.yaml"], { files });
  assertEquals(bad.code, 2);
  assertStringIncludes(bad.stderr, "error: Cannot use the policy bad.yaml:");
});

Deno.test("policy schema prints the schema", async () => {
  const { code, stdout } = await run(["policy", "schema"]);
  assertEquals(code, 0);
  const path = new URL("../../docs/policy.schema.json", import.meta.url);
  assertEquals(stdout, await Deno.readTextFile(path));
});

Deno.test("policy import prints a policy, and notes besides", async () => {
  const { code, stdout, stderr } = await run(
    ["policy", "import", "manifest.json"],
    { files },
  );
  assertEquals(code, 0);
  const { policy, limits } = parsePolicy(stdout);
  assertEquals(limits, { timeoutMs: 5 });
  assertEquals(policy.find("filesystem")?.mounts[0]?.access, "read");
  assertStringIncludes(stderr, "note: memory.max_pages: ");
  const json = await run(["policy", "import", "manifest.json", "--json"], {
    files,
  });
  assertEquals(JSON.parse(json.stdout).policy.version, 1);
  const js = await run(
    ["policy", "import", "manifest.json", "--dialect", "js"],
    { files },
  );
  assertStringIncludes(js.stderr, "is not granted");
});

Deno.test("policy refuses wrong usage", async () => {
  for (
    const args of [
      ["policy", "check"],
      ["policy", "check", "a", "b"],
      ["policy", "chek", "a"],
      ["policy", "check", "--nope", "a"],
      ["policy", "import", "manifest.json", "--dialect", "go"],
    ]
  ) {
    const { code, stderr } = await run(args, { files });
    assertEquals(code, 2, args.join(" "));
    assert(stderr.startsWith("error: "), stderr);
  }
  const { stderr } = await run(["policy", "chek", "a"]);
  assertMatch(stderr, /its commands are check, explain, |did you mean/);
});

Deno.test("policy says why a file cannot be read", async () => {
  const { code, stderr } = await run(
    ["run", "x.wasm", "--policy", import.meta.dirname ?? ""],
  );
  assertEquals(code, 2);
  assert(stderr.includes("cannot be read: it is a directory"), stderr);
});
