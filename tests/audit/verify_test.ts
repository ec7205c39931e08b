import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AuditFile,
  auditKeyId,
  auditSigner,
  generateAuditKeys,
  verifyAudit,
  verifyAuditLines,
} from "../../security/audit/mod.ts";
import { chainLine } from "../../security/audit/chain.ts";
import { event, events, folder, linesOf } from "./_events.ts";

const KEYS = generateAuditKeys();
const { publicKey } = KEYS;

/** A signed log: begin, 10 events, a signature after each 4 lines, close. */
async function signedLines(privateKey = KEYS.privateKey): Promise<string[]> {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  {
    const signer = auditSigner(privateKey);
    await using file = await AuditFile.create(path, { signer, signEvery: 4 });
    for (const each of events(10)) file.record(each);
  }
  return await linesOf(path);
}

const LINES = await signedLines();
const OTHER = await signedLines();

function at(lines: readonly string[], index: number): string {
  return lines.at(index) ?? "";
}

Deno.test("verifyAuditLines() accepts a log as it was written", async () => {
  const all = { publicKey, requireStart: true, requireClosed: true };
  assertEquals(await verifyAuditLines(LINES, all), {
    ok: true,
    lines: 14,
    firstIndex: 1,
    signatures: 3,
    unsigned: 0,
    dropped: 0,
    closed: true,
  });
});

Deno.test("verifyAuditLines() finds what was tampered with", async (t) => {
  const changed = at(LINES, 3).replace("a.txt", "b.txt");
  const cases: Record<string, [lines: string[], bad: number, why: string]> = {
    "a changed line": [LINES.with(3, changed), 4, "not what was hashed"],
    "a removed line": [LINES.toSpliced(3, 1), 4, "5 of its chain, and 4"],
    "a line twice": [LINES.toSpliced(3, 0, at(LINES, 3)), 5, "4 of its chain"],
    "lines in another order": [
      LINES.with(2, at(LINES, 3)).with(3, at(LINES, 2)),
      3,
      "4 of its chain, and 3",
    ],
    "a line of another chain": [
      LINES.with(3, at(OTHER, 3)),
      4,
      "does not follow",
    ],
    "two chains": [[...LINES, ...OTHER], 15, "1 of its chain, and 15"],
    "a line that is none": [LINES.toSpliced(3, 0, "{}"), 4, "no line of an"],
    "an empty line": [LINES.toSpliced(3, 0, ""), 4, "no line of an"],
    "a carriage return": [LINES.with(3, `${at(LINES, 3)}\r`), 4, "no line"],
    "text behind a line": [LINES.with(3, `${at(LINES, 3)} `), 4, "no line"],
    "a middle without its start": [LINES.slice(3), 1, "begins no file"],
    "no lines": [[], 0, "no lines"],
  };
  for (const [name, [lines, line, why]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const found = await verifyAuditLines(lines);
      assertEquals(found.ok, false);
      assertEquals(found.firstBad?.line, line);
      assert(found.firstBad?.reason.includes(why), found.firstBad?.reason);
      assertEquals((await verifyAuditLines(lines, { publicKey })).ok, false);
    });
  }
});

Deno.test("verifyAuditLines() finds a log that was made anew, by its key", async () => {
  const forged = await signedLines(generateAuditKeys().privateKey);
  assert((await verifyAuditLines(forged)).ok);
  const byAnother = await verifyAuditLines(forged, { publicKey });
  assertEquals(byAnother.firstBad?.reason, "it is signed by another key");

  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  {
    await using file = await AuditFile.create(path);
    file.record(event());
  }
  const unsigned = await verifyAudit([path], { publicKey });
  assertEquals(
    unsigned.firstBad?.reason,
    `no line is signed by the key ${auditKeyId(publicKey)}`,
  );
});

Deno.test("verifyAuditLines() finds a signature that was forged", async () => {
  // what an attacker without the key can do: state the key, sign otherwise
  const { keyId } = auditSigner(KEYS.privateKey);
  for (const sign of [() => new Uint8Array(64), () => new Uint8Array(3)]) {
    await using temp = await folder();
    const path = `${temp.path}/audit.jsonl`;
    {
      await using file = await AuditFile.create(path, {
        signer: { keyId, sign },
      });
      file.record(event());
    }
    const found = await verifyAudit([path], { publicKey });
    assertEquals(found.firstBad?.reason, "its signature is wrong");
  }
});

Deno.test("verifyAuditLines() finds lines cut off only if it must be closed", async () => {
  for (let length = 1; length < LINES.length; length++) {
    const lines = LINES.slice(0, length);
    assert((await verifyAuditLines(lines)).ok);
    const found = await verifyAuditLines(lines, { requireClosed: true });
    assertEquals([found.ok, found.closed], [false, false]);
  }
});

Deno.test("verifyAuditLines() counts only what can be a count", async () => {
  const { line: begin, state } = chainLine({ index: 0, hash: "0".repeat(64) }, {
    type: "begin",
    version: 1,
    chain: "x",
  });
  for (const count of [-1, 0.5, "9", null, 1e300]) {
    const { line } = chainLine(state, { type: "dropped", count });
    const { ok, dropped } = await verifyAuditLines([begin, line]);
    assertEquals([ok, dropped], [false, 0]);
  }
});

Deno.test("verifyAuditLines() does not take an unsigned close for an end", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await Deno.writeTextFile(path, `${LINES.slice(0, 8).join("\n")}\n`);
  await (await AuditFile.create(path)).close();
  const found = await verifyAudit([path], { publicKey, requireClosed: true });
  assertEquals([found.ok, found.closed, found.unsigned > 0], [
    false,
    false,
    true,
  ]);
});

Deno.test("verifyAudit() names the file and the line", async () => {
  await using temp = await folder();
  const paths = ["a", "b"].map((name) => `${temp.path}/${name}.jsonl`);
  const [first = "", second = ""] = paths;
  await Deno.writeTextFile(first, `${LINES.slice(0, 5).join("\n")}\n`);
  const rest = LINES.slice(5).with(2, at(OTHER, 7));
  await Deno.writeTextFile(second, `${rest.join("\n")}\n`);
  const { firstBad } = await verifyAudit(paths);
  assertEquals([firstBad?.file, firstBad?.line], [second, 3]);

  const odd: [Uint8Array<ArrayBuffer>, number][] = [
    [new TextEncoder().encode("x".repeat(1_000_000)), 1],
    [new Uint8Array(200_000), 1],
    [new Uint8Array([0xef, 0xbb, 0xbf, 0xff, 0xfe, 10]), 1],
    [new TextEncoder().encode(at(LINES, 0)), 1],
    [new Uint8Array(), 0],
  ];
  for (const [bytes, line] of odd) {
    await Deno.writeFile(first, bytes);
    const found = await verifyAudit([first]);
    assertEquals([found.ok, found.firstBad?.line], [false, line]);
  }
});

Deno.test("auditSigner() refuses what is no key of its kind", () => {
  for (const key of ["", "x", publicKey]) {
    assertThrows(() => auditSigner(key), TypeError, "no Ed25519 private key");
  }
  assertThrows(() => auditKeyId(KEYS.privateKey), TypeError, "a private key");
  assertThrows(() => auditKeyId("x"), TypeError, "no Ed25519 public key");
});
