import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  AuditFile,
  type AuditFileOptions,
  auditFiles,
  auditSigner,
  generateAuditKeys,
  verifyAudit,
} from "../../security/audit/mod.ts";
import type { AuditEvent } from "../../security/types.ts";
import { event, events, folder, linesOf } from "./_events.ts";

async function write(path: string, count: number, options?: AuditFileOptions) {
  await using file = await AuditFile.create(path, options);
  for (const each of events(count)) file.record(each);
}

Deno.test("AuditFile writes one JSON object a line", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await write(path, 2, { chain: false });
  assertEquals((await linesOf(path)).map((line) => JSON.parse(line)), [
    { type: "event", ...event({ sequence: 1 }) },
    { type: "event", ...event({ sequence: 2 }) },
  ]);
  if (Deno.build.os !== "windows") {
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  }
});

Deno.test("AuditFile keeps whatever a guest says within its line", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  const hostile = [
    '/x\n{"type":"event","decision":"allowed"}',
    '/x"}\r\n{"index":2,"previous":"',
    "/\u2028\u2029\u0085\u000b\u000c",
    "/\u001b[2J\u001b]0;title\u0007\u009b1A",
    "/\u202edrow\u2066\u200f\ufeff",
    "/\u{e0001}\u{1f600}\ud800",
    "/\0nul\\u0000",
    `/","hash":"${"0".repeat(64)}"}`,
    "/" + "\u0001".repeat(100_000),
  ];
  {
    await using file = await AuditFile.create(path);
    for (const [index, resource] of hostile.entries()) {
      const sandbox = index === 0 ? resource : "one";
      file.record(event({ resource, sandbox, reason: resource }));
    }
  }
  const text = await Deno.readTextFile(path);
  assert(/^[\x20-\x7e\n]*$/.test(text));
  const lines = await linesOf(path);
  assertEquals(lines.length, hostile.length + 2);
  const parsed = lines.slice(1, -1).map((line) => JSON.parse(line));
  for (const [index, { type, resource, cut }] of parsed.entries()) {
    assertEquals(type, "event");
    const whole = hostile[index] ?? "";
    assertEquals(resource, whole.slice(0, 8192));
    assertEquals(cut?.includes("resource") ?? false, whole.length > 8192);
  }
  assert(lines.every((line) => line.length < 65_536));
  assert((await verifyAudit([path])).ok);
});

Deno.test("AuditFile drops what is too much, and a line says how many", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await using file = await AuditFile.create(path, { maxPendingEvents: 1000 });
  const before = Deno.memoryUsage().heapUsed;
  for (let sequence = 1; sequence <= 1_000_000; sequence++) {
    file.record(event({ sequence, resource: `/data/${sequence}` }));
  }
  const grown = Deno.memoryUsage().heapUsed - before;
  assert(grown < 64 * 2 ** 20, `${grown} bytes more`);
  assertEquals(file.counters.pending, 1000);
  await file.flush();
  file.record(event({ sequence: 1_000_001 }));
  await file.close();
  assertEquals(file.counters, {
    written: 1001,
    pending: 0,
    dropped: 999_000,
    failures: 0,
  });
  const lines = (await linesOf(path)).map((line) => JSON.parse(line));
  assertEquals(lines.at(1001).count, 999_000);
  assertEquals(lines.at(1002).sequence, 1_000_001);
  const found = await verifyAudit([path], { requireClosed: true });
  assertEquals([found.ok, found.dropped], [true, 999_000]);
});

Deno.test("AuditFile writes what comes at any moment, without being asked", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await using file = await AuditFile.create(path);
  // some while a write is under way, some when it has just ended
  for (let sequence = 1; sequence <= 200; sequence++) {
    file.record(event({ sequence }));
    await new Promise((resolve) => setTimeout(resolve, sequence % 3));
  }
  for (let i = 0; i < 100 && file.counters.written < 200; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(file.counters.written, 200);
});

Deno.test("AuditFile bounds the text that waits", async () => {
  await using temp = await folder();
  await using file = await AuditFile.create(`${temp.path}/audit.jsonl`);
  const resource = "x".repeat(1_000_000);
  for (let i = 0; i < 100; i++) file.record(event({ resource }));
  assertEquals(file.counters.pending, 16);
  assertEquals(file.counters.dropped, 84);
});

Deno.test("AuditFile rotates, and its chain goes on", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await write(path, 100, { maxBytes: 4096, maxFiles: 3 });
  const files = await auditFiles(path);
  assertEquals(
    files,
    ["audit.2.jsonl", "audit.1.jsonl", "audit.jsonl"].map((name) =>
      `${temp.path}/${name}`
    ),
  );
  for (const file of files) {
    assert((await Deno.stat(file)).size <= 4096 + 1024);
    assertEquals(JSON.parse((await linesOf(file))[0] ?? "").type, "begin");
  }
  const found = await verifyAudit(files, { requireClosed: true });
  assert(found.ok && found.firstIndex > 1);
  await write(path, 1);
  assert((await verifyAudit(await auditFiles(path))).ok);
});

Deno.test("AuditFile goes on with its chain when it is opened again", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  for (let i = 0; i < 3; i++) await write(path, 2);
  const found = await verifyAudit([path], { requireStart: true });
  assertEquals([found.ok, found.lines, found.closed], [true, 12, true]);
  await Deno.rename(path, `${temp.path}/audit.1.jsonl`);
  await write(path, 2);
  assert((await verifyAudit(await auditFiles(path))).ok);
});

Deno.test("AuditFile cuts off a part of a line, or refuses it", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await write(path, 3);
  const part = '{"index":6,"previous":"ab';
  await Deno.writeTextFile(path, part, { append: true });
  assertEquals((await verifyAudit([path])).firstBad?.line, 6);
  await assertRejects(
    () => AuditFile.create(path, { onPartialLine: "refuse" }),
    SandboxError,
    "incomplete",
  );
  await write(path, 1);
  assert((await verifyAudit([path])).ok);
  const begin = JSON.parse((await linesOf(path))[5] ?? "");
  assertEquals([begin.reason, begin.lostBytes], ["repaired", part.length]);
});

Deno.test("AuditFile refuses a file that is none of its own, and leaves it", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  const chained = `${temp.path}/chained.jsonl`;
  await write(chained, 1);
  const whole = await Deno.readTextFile(chained);
  const cases: [string, AuditFileOptions][] = [
    ["notes", {}],
    ["notes\n", {}],
    ["notes\n", { chain: false }],
    ["\0".repeat(300_000), {}],
    [whole + "\0\0\0\n", {}],
    [whole.replace("close", "clone"), {}],
    [whole, { chain: false }],
  ];
  for (const [text, options] of cases) {
    await Deno.writeTextFile(path, text);
    const error = await assertRejects(
      () => AuditFile.create(path, options),
      SandboxError,
      "Cannot write the audit log",
    );
    assertEquals(error.code, "invalid-argument");
    assertEquals(await Deno.readTextFile(path), text);
  }
  for (const bad of [temp.path, `${temp.path}/none/audit.jsonl`]) {
    await assertRejects(() => AuditFile.create(bad), SandboxError);
  }
});

Deno.test("AuditFile refuses a second writer", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await using _file = await AuditFile.create(path);
  const message = "something else is writing to it";
  await assertRejects(() => AuditFile.create(path), SandboxError, message);
});

Deno.test("AuditFile refuses options out of range", async () => {
  const signer = auditSigner(generateAuditKeys().privateKey);
  const create = (options: AuditFileOptions) => () =>
    AuditFile.create("/nowhere/audit.jsonl", options);
  await assertRejects(create({ maxBytes: 10 }), RangeError, "maxBytes");
  await assertRejects(create({ maxFiles: 0 }), RangeError, "maxFiles");
  await assertRejects(create({ signEvery: 0.5 }), RangeError, "signEvery");
  await assertRejects(create({ maxPendingEvents: NaN }), RangeError);
  await assertRejects(create({ chain: false, signer }), TypeError, "chain");
});

Deno.test("AuditFile loses nothing to a signer that fails", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  const errors: unknown[] = [];
  const failing = { keyId: "x", sign: () => Promise.reject(new Error("no")) };
  await using file = await AuditFile.create(path, {
    signer: failing,
    signEvery: 2,
    onError: (error) => {
      errors.push(error);
      throw error;
    },
  });
  for (const each of events(6)) file.record(each);
  await file.close();
  file.record(event());
  await file.flush();
  const { written, dropped, failures, pending } = file.counters;
  assertEquals([written, dropped, pending], [6, 1, 0]);
  assert(failures > 1 && failures === errors.length);
  const found = await verifyAudit([path], { requireClosed: true });
  assertEquals([found.ok, found.lines], [true, 8]);
});

/** Runs a script in a process of its own, under a shell's limits. */
async function inProcess(before: string, script: string) {
  const mod = new URL("../../security/audit/mod.ts", import.meta.url).href;
  const code = `
    import { AuditFile } from ${JSON.stringify(mod)};
    const event = ${JSON.stringify(event())};
    ${script}`;
  const data = `data:application/typescript,${encodeURIComponent(code)}`;
  return await new Deno.Command("sh", {
    args: [
      "-c",
      `${before}; exec "$0" run -A --no-config "$1"`,
      Deno.execPath(),
      data,
    ],
    stderr: "piped",
    stdout: "piped",
  }).output();
}

Deno.test({
  name: "AuditFile stays whole on a disk that is full",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using temp = await folder();
    const path = `${temp.path}/audit.jsonl`;
    // a file that may not grow fails as one on a full disk does
    const { stdout, stderr } = await inProcess(
      "trap '' XFSZ; ulimit -f 16",
      `let told = 0;
       const file = await AuditFile.create(${JSON.stringify(path)}, {
         onError: () => told++,
       });
       for (let i = 0; i < 20; i++) {
         for (let j = 0; j < 10; j++) file.record(event);
         await file.flush();
       }
       await file.close();
       console.log(JSON.stringify({ ...file.counters, told }));`,
    );
    const text = new TextDecoder().decode(stdout);
    assert(text !== "", new TextDecoder().decode(stderr));
    const { written, dropped, failures, told } = JSON.parse(text);
    assertEquals(written + dropped, 200);
    assert(dropped > 0 && failures > 0 && failures === told);
    const found = await verifyAudit([path]);
    assertEquals(found.ok, true);
    await write(path, 1);
    const again = await verifyAudit([path]);
    assertEquals([again.ok, again.lines], [true, found.lines + 3]);
  },
});

Deno.test({
  name: "AuditFile goes on after its process was killed",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using temp = await folder();
    const path = `${temp.path}/audit.jsonl`;
    for (let round = 0; round < 3; round++) {
      const { signal } = await inProcess(
        ":",
        `const file = await AuditFile.create(${JSON.stringify(path)}, {
           maxBytes: 100_000, maxFiles: 1000,
         });
         setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), ${30 + round * 17});
         for (;;) {
           for (let i = 0; i < 50; i++) file.record(event);
           await new Promise((resolve) => setTimeout(resolve));
         }`,
      );
      assertEquals(signal, "SIGKILL");
    }
    await write(path, 1, { maxFiles: 1000 });
    const found = await verifyAudit(await auditFiles(path), {
      requireStart: true,
      requireClosed: true,
    });
    assertStringIncludes(JSON.stringify(found), '"ok":true');
    assert(found.lines > 100);
  },
});

Deno.test("AuditFile.record() never throws, whatever it is given", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  await using file = await AuditFile.create(path);
  const odd: readonly unknown[] = [
    undefined,
    {},
    { resource: 3 },
    new Proxy({}, {
      get() {
        throw new Error("no");
      },
    }),
  ];
  for (const each of odd) file.record(each as AuditEvent);
  for (const each of events(1)) file.record(each);
  await file.flush();
  assertEquals(file.counters.pending, 0);
  assert((await verifyAudit([path])).ok);
});
