import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { AuditFile, auditSigner } from "../../security/audit/mod.ts";
import { events, folder } from "../audit/_events.ts";
import { run } from "./_run.ts";

async function audit(...args: readonly string[]) {
  const { code, stdout, stderr } = await run(["audit", ...args]);
  return { code, stdout, stderr };
}

Deno.test("audit verify tells good files from bad ones", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  {
    const options = { maxBytes: 4096, maxFiles: 10 };
    await using file = await AuditFile.create(path, options);
    for (const each of events(30)) file.record(each);
  }
  const good = await audit("verify", path, "--start", "--closed");
  assertEquals([good.code, good.stderr], [0, ""]);
  assertStringIncludes(good.stdout, "good\nlines: ");

  const older = `${temp.path}/audit.1.jsonl`;
  const text = await Deno.readTextFile(older);
  await Deno.writeTextFile(older, text.replace("a.txt", "b.txt"));
  const bad = await audit("verify", path);
  assertEquals(bad.code, 1);
  assertStringIncludes(bad.stdout, `bad: ${older}:`);
  const { stdout, code } = await audit("verify", path, "--json");
  const found = JSON.parse(stdout);
  assertEquals([code, found.ok, found.firstBad.file], [1, false, older]);
  const alone = await audit("verify", path, path);
  assertEquals(alone.code, 1);
});

Deno.test("audit keygen makes keys that audit verify takes", async () => {
  await using temp = await folder();
  const name = `${temp.path}/key`;
  const made = await audit("keygen", name);
  assertEquals([made.code, made.stderr], [0, ""]);
  const secret = `${name}.pem`;
  if (Deno.build.os !== "windows") {
    assertEquals(((await Deno.stat(secret)).mode ?? 0) & 0o777, 0o600);
  }
  const again = await audit("keygen", name);
  assertEquals(again.code, 2);
  assertStringIncludes(again.stderr, "it is there already");

  const path = `${temp.path}/audit.jsonl`;
  {
    const signer = auditSigner(await Deno.readTextFile(secret));
    await using _file = await AuditFile.create(path, { signer });
  }
  const files = {
    [`${name}.pub.pem`]: await Deno.readTextFile(`${name}.pub.pem`),
    [secret]: "no key",
  };
  const verify = (key: string) =>
    run(["audit", "verify", path, "--key", key], { files });
  const good = await verify(`${name}.pub.pem`);
  assertEquals([good.code, good.stderr], [0, ""]);
  assertStringIncludes(good.stdout, "signatures: 1, and 0 lines after");
  const bad = await verify(secret);
  assertEquals(bad.code, 2);
  assertStringIncludes(bad.stderr, "no Ed25519 public key");
});

Deno.test("audit asks what to do", async () => {
  for (const args of [[], ["x.wasm"], ["--learn", "p.yaml"]]) {
    const { code, stderr } = await audit(...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "Say what to do");
  }
  const wrong = await audit("verfy", "x");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "hint: ");
});

Deno.test("audit says which file cannot be read or written, and why", async () => {
  await using temp = await folder();
  const absent = `${temp.path}/absent`;
  const path = `${temp.path}/audit.jsonl`;
  await Deno.writeTextFile(path, "");
  const module = new URL(
    "../../examples/programs/rust/wordfreq.wasm",
    import.meta.url,
  ).href;
  const rows: readonly (readonly [string[], string])[] = [
    [["verify", absent], "it does not exist"],
    [["verify", temp.path], "it is no file"],
    [["verify", path, "--key", absent], "it does not exist"],
    [["keygen", `${absent}/key`], "there is no such directory"],
    [["--learn", `${absent}/p.yaml`, module], "there is no such directory"],
  ];
  for (const [args, why] of rows) {
    const { code, stderr, stdout } = await audit(...args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, temp.path);
    assertStringIncludes(stderr, why);
  }
});

Deno.test("audit keygen leaves no half of a pair", async () => {
  await using temp = await folder();
  await Deno.writeTextFile(`${temp.path}/key.pub.pem`, "mine");
  assertEquals((await audit("keygen", `${temp.path}/key`)).code, 2);
  const entries = await Array.fromAsync(Deno.readDir(temp.path));
  const names = entries.map(({ name }) => name);
  assertEquals(names, ["key.pub.pem"]);
});

Deno.test("audit --learn writes a policy that run succeeds under", async () => {
  await using temp = await folder();
  const logs = `${temp.path}/logs`;
  await Deno.mkdir(`${logs}/deep/er`, { recursive: true });
  await Deno.mkdir(`${temp.path}/unused`);
  const words = `${logs}/deep/words.txt`;
  await Deno.writeTextFile(words, "to be or not to be");
  const policy = `${temp.path}/policy.yaml`;
  const program = new URL(
    "../../examples/programs/rust/wordfreq.wasm",
    import.meta.url,
  ).href;
  const guest = ["--", "/logs/deep/words.txt"];
  const learned = await audit(
    "--learn",
    policy,
    program,
    "--dir",
    `/logs::${logs}`,
    "--dir",
    `/unused::${temp.path}/unused`,
    "--isolation",
    "inline",
    ...guest,
  );
  assertEquals(learned.code, 0, learned.stderr);
  const text = await Deno.readTextFile(policy);
  assertStringIncludes(text, `${logs}/deep`);
  assertStringIncludes(text, "read");
  assert(!text.includes("read-write") && !text.includes("unused"), text);

  const again = await run([
    "run",
    program,
    "--policy",
    policy,
    "--isolation",
    "inline",
    ...guest,
  ]);
  assertEquals([again.code, again.stdout], [0, learned.stdout]);
  const refused = await audit("--learn", policy, program);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "it is there already");
});

Deno.test("audit takes nothing after --, and verifies no less than it is told", async () => {
  for (
    const args of [["verify", "a.jsonl", "--", "b.jsonl"], [
      "keygen",
      "k",
      "--",
      "b",
    ]]
  ) {
    const { code, stdout, stderr } = await run(["audit", ...args]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "Too many arguments: b");
  }
});
