import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  Capabilities,
  type Capability,
  type ExecuteOptions,
  type HostMount,
  type Isolation,
  type MemoryMount,
  Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../mod.ts";
import { HostileHost } from "./_hostile_host.ts";

const PROGRAMS = new URL("../examples/programs/", import.meta.url);

const LOGREPORT = new URL("c/logreport.wasm", PROGRAMS);
const LEDGER = new URL("c/ledger.wasm", PROGRAMS);
const WORDFREQ = new URL("rust/wordfreq.wasm", PROGRAMS);

const ISOLATIONS = ["inline", "process"] as const;

const LOGS: Readonly<Record<string, string>> = {
  "web.log": '2026-03-01T12:00:00Z ERROR disk "full"\n' +
    "2026-03-01T11:00:00Z INFO Grüße, 世界\n" +
    "this is no log line\n",
  "db.log": "2026-03-02T08:00:00Z WARN slow\n2026-02-28T23:59:59Z DEBUG x\n",
  "notes.txt": "2026-03-01T12:00:00Z ERROR not a log\n",
};

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Everything that a program may have, but files. */
const USUAL: readonly Capability[] = [
  Capabilities.process(),
  Capabilities.stdio(),
  Capabilities.clock(),
  Capabilities.random(),
];

function policyOf(
  mounts: readonly (HostMount | MemoryMount)[],
  variables: Readonly<Record<string, string>> = {},
): SecurityPolicy {
  return SecurityPolicy.strict().allowCapability(
    USUAL,
    Capabilities.environment({ variables }),
    mounts.length === 0 ? [] : Capabilities.filesystem({ mounts }),
  );
}

async function run(
  { module, policy, isolation }: {
    module: URL | string;
    policy: SecurityPolicy;
    isolation: Isolation;
  },
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<Ended> {
  await using sandbox = await Sandbox.create({
    module,
    policy,
    isolation,
    limits: { functionBytes: 2 ** 20, timeoutMs: 20_000 },
  });
  const { exitCode, stdout, stderr, files } = await sandbox.execute(
    args,
    options,
  );
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { exitCode, stdout: text(stdout), stderr: text(stderr), files };
}

const MEMORY_MOUNTS: readonly MemoryMount[] = [
  { guest: "/logs", memory: true, access: "read" },
  { guest: "/out", memory: true },
];

const LOG_FILES = Object.fromEntries(
  Object.entries(LOGS).map(([name, text]) => [`/logs/${name}`, text]),
);

function assertReport(text: string, title: string): void {
  const report = JSON.parse(text);
  assertEquals(report.title, title);
  assert(Math.abs(Date.parse(report.generatedAt) - Date.now()) < 60_000);
  const { lines, malformed, ERROR, first, last } = report.total;
  assertEquals([lines, malformed, ERROR], [4, 1, 1]);
  assertEquals(first, "2026-02-28T23:59:59Z");
  assertEquals(last, "2026-03-02T08:00:00Z");
  const names = report.files.map(({ name }: { name: string }) => name);
  assertEquals(names, ["db.log", "web.log"]);
  assertEquals(report.errors, ['disk "full"']);
}

async function names(folder: string): Promise<readonly string[]> {
  const all = await Array.fromAsync(Deno.readDir(folder));
  return all.map(({ name }) => name).sort();
}

for (const isolation of ISOLATIONS) {
  Deno.test(`logreport writes its report into memory, ${isolation}`, async () => {
    const policy = policyOf(MEMORY_MOUNTS, { REPORT_TITLE: 'Über "alles"' });
    const { exitCode, stdout, stderr, files } = await run(
      { module: LOGREPORT, policy, isolation },
      [],
      { files: LOG_FILES },
    );
    assertEquals([exitCode, stderr], [0, ""]);
    assertStringIncludes(stdout, "2 files, 4 lines, 1 errors\n");
    const json = new TextDecoder().decode(files.get("/out/report.json"));
    assertReport(json, 'Über "alles"');
    const table = new TextDecoder().decode(files.get("/out/report.txt"));
    assertStringIncludes(table, "web.log");
  });

  Deno.test(`logreport works on directories of the host, ${isolation}`, async () => {
    await using host = await HostileHost.create("plain");
    const { root } = host;
    await Deno.mkdir(`${root}/logs`);
    await Deno.mkdir(`${root}/out`);
    for (const [name, text] of Object.entries(LOGS)) {
      await Deno.writeTextFile(`${root}/logs/${name}`, text);
    }
    const policy = policyOf([
      { guest: "/logs", host: `${root}/logs` },
      { guest: "/out", host: `${root}/out`, access: "read-write" },
    ]);
    const before = await host.snapshot();
    const module = LOGREPORT;
    const { exitCode } = await run({ module, policy, isolation }, []);
    assertEquals(exitCode, 0);
    assertReport(
      await Deno.readTextFile(`${root}/out/report.json`),
      "Log report",
    );

    // the same program, reaching outside
    const snooping = await run({ module, policy, isolation }, ["--snoop"]);
    assertEquals(snooping.exitCode, 0, snooping.stdout);
    const attempts = snooping.stdout.match(/^snoop: .*$/gm) ?? [];
    assertEquals(attempts.length, 7);
    for (const attempt of attempts) assertStringIncludes(attempt, "refused (");
    await host.assertUnchanged(before);
    assertEquals(
      await names(`${root}/logs`),
      Object.keys(LOGS).sort(),
    );
    assertEquals(
      await names(`${root}/out`),
      ["report.json", "report.txt"],
    );
  });

  Deno.test(`logreport tells of wrong arguments and missing folders, ${isolation}`, async () => {
    const policy = policyOf(MEMORY_MOUNTS);
    const options = { module: LOGREPORT, policy, isolation };
    const wrong = await run(options, ["--what"]);
    assertEquals([wrong.exitCode, wrong.stdout], [2, ""]);
    assertStringIncludes(wrong.stderr, "usage: logreport");
    const missing = await run(options, ["/nowhere"]);
    assertEquals(missing.exitCode, 1);
    assertStringIncludes(missing.stderr, "cannot list /nowhere");
  });

  Deno.test(`logreport without a clock does not know the time, ${isolation}`, async () => {
    const policy = SecurityPolicy.strict().allowCapability(
      Capabilities.process(),
      Capabilities.stdio(),
      Capabilities.filesystem({ mounts: MEMORY_MOUNTS }),
    );
    const { exitCode, files } = await run(
      { module: LOGREPORT, policy, isolation },
      [],
      { files: LOG_FILES },
    );
    assertEquals(exitCode, 0);
    const json = new TextDecoder().decode(files.get("/out/report.json"));
    assertEquals(JSON.parse(json).generatedAt, "unknown");
  });

  Deno.test(`wordfreq counts words of every script, ${isolation}`, async () => {
    const policy = policyOf(
      [{ guest: "/täxte", memory: true, access: "read" }],
      { WORDFREQ_MIN: "2" },
    );
    const options = { module: WORDFREQ, policy, isolation };
    const piped = await run(options, ["--top", "2"], {
      stdin: "Ähre, ähre! Über x 世界 世界 世界\n",
    });
    assertEquals(piped.stderr, "");
    assertEquals(JSON.parse(piped.stdout), {
      words: 6,
      distinct: 3,
      top: [["世界", 3], ["ähre", 2]],
    });
    const read = await run(options, ["/täxte/ñ 🌍.txt"], {
      files: { "/täxte/ñ 🌍.txt": "eins zwei zwei" },
    });
    assertEquals(JSON.parse(read.stdout).top, [["zwei", 2], ["eins", 1]]);
    const wrong = await run(options, ["--top", "many"]);
    assertEquals(wrong.exitCode, 2);
    const missing = await run(options, ["/etc/passwd"]);
    assertEquals(missing.exitCode, 1);
    assertStringIncludes(missing.stderr, "cannot read /etc/passwd");
  });

  Deno.test(`wordfreq reads a stream larger than its pipe, ${isolation}`, async () => {
    const line = new TextEncoder().encode(
      "eins zwei drei vier\n".repeat(1_000),
    );
    let left = 100;
    const stdin = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(line);
        else controller.close();
      },
    });
    const { stdout } = await run(
      { module: WORDFREQ, policy: policyOf([]), isolation },
      [],
      { stdin },
    );
    assertEquals(JSON.parse(stdout).words, 400_000);
  });

  Deno.test(`ledger keeps its state between calls, ${isolation}`, async () => {
    const policy = policyOf([{ guest: "/books", memory: true }]);
    await using sandbox = await Sandbox.create({
      module: LEDGER,
      policy,
      isolation,
    });
    const { exports } = sandbox;
    assert(exports.some(({ name }) => name === "_initialize"));
    const post = (account: string, cents: number) =>
      sandbox.call("post", { account, cents });
    await post("rent", -70_000);
    await post("Büro 世界", 5);
    assertEquals(await post("rent", 1), {
      account: "rent",
      balance: -69_999,
      entries: 2,
    });
    assertEquals(await sandbox.call("balance", { account: "Büro 世界" }), {
      account: "Büro 世界",
      balance: 5,
      entries: 1,
    });
    assertEquals(await sandbox.call("balance", { account: "none" }), {
      error: "no such account",
    });
    const saved = await sandbox.call<{ saved: number; at: number }>("save", {
      path: "/books/ledger.csv",
    });
    assertEquals(saved.saved, 2);
    assert(Math.abs(saved.at * 1_000 - Date.now()) < 60_000);
    const refused = await sandbox.call<{ error: string }>("save", {
      path: "/etc/ledger.csv",
    });
    assertEquals(typeof refused.error, "string");
  });
}

/** Builds the Go program; undefined where there is no Go. */
async function buildGo(output: string): Promise<string | undefined> {
  const script = new URL("go/build.sh", PROGRAMS);
  try {
    const version = await new Deno.Command("go", { args: ["version"] })
      .output();
    if (!version.success) return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const { success, stderr } = await new Deno.Command("bash", {
    args: [script.pathname, output],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return output;
}

Deno.test("tour, a Go program, walks and works in a directory", async (test) => {
  await using host = await HostileHost.create("plain");
  const module = await buildGo(`${host.root}/tour.wasm`);
  if (module === undefined) {
    await test.step({ name: "skipped: there is no Go", ignore: true, fn() {} });
    return;
  }
  for (const isolation of ISOLATIONS) {
    for (const place of ["memory", "host"] as const) {
      const mount: HostMount | MemoryMount = place === "memory"
        ? { guest: "/trip", memory: true }
        : { guest: "/trip", host: `${host.root}/box`, access: "read-write" };
      const policy = policyOf([mount], { TOUR_NAME: "ö 世", SECRET: "x" });
      const files = place === "memory"
        ? { "/trip/in.txt": "inside\n", "/trip/sub/file.txt": "below\n" }
        : {};
      const { exitCode, stdout, stderr } = await run(
        { module, policy, isolation },
        ["/trip", "ä🌍"],
        { files },
      );
      assertEquals([exitCode, stderr], [0, ""], `${isolation} ${place}`);
      for (
        const line of [
          "arg ä🌍",
          "env TOUR_NAME=ö 世",
          "file /trip/in.txt 7",
          "file /trip/sub/file.txt 6",
          "file /trip/tour-ünï/second.txt 21",
        ]
      ) assertStringIncludes(stdout, `${line}\n`);
      assertEquals(stdout.match(/tour-ünï/g)?.length, 2);
    }
  }
});

Deno.test("Sandbox.execute() of a reactor says that there is no _start", async () => {
  await using sandbox = await Sandbox.create({
    module: LEDGER,
    policy: policyOf([]),
    isolation: "inline",
  });
  try {
    await sandbox.execute();
    assert(false, "it ran");
  } catch (error) {
    assert(SandboxError.is(error, "export-not-found"), String(error));
  }
});
