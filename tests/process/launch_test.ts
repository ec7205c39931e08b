import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { ChildProcess } from "../../runtime/process/child_process.ts";
import { type Launch, prepareLaunch } from "../../runtime/process/launch.ts";
import { Machine } from "../../runtime/process/machine.ts";
import { requireRun } from "../../runtime/process/spawn.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";
import { IMPORTS, numbers, open, text } from "./_process.ts";

const PLAIN = new Machine({ wrap: false });

function launchOf(
  machine: Machine,
  limits: ResourceLimits,
  read: readonly string[] = [],
  write: readonly string[] = [],
): Promise<Launch> {
  return prepareLaunch({
    limits: resolveLimits(limits),
    read,
    write,
    fileBytes: 0,
  }, machine);
}

/** Runs a program of its own with the arguments of a guest's process. */
async function runIn(launch: Launch, program: string): Promise<string> {
  const args = launch.args.slice(0, -1);
  const { stdout, stderr } = await new Deno.Command(launch.command, {
    args: [
      ...args,
      `data:application/javascript,${encodeURIComponent(program)}`,
    ],
    clearEnv: true,
    env: { ...launch.env },
  }).output();
  return text(stdout) + text(stderr);
}

Deno.test("prepareLaunch() gives exactly the permissions asked for", async () => {
  const { command, args } = await launchOf(
    PLAIN,
    {
      memoryBytes: 2 ** 20,
      tableElements: 7,
      stackBytes: 512 * 1024,
    },
    ["/a b", "/c"],
    ["/c"],
  );
  assertEquals(command, Deno.execPath());
  assertEquals(args.slice(0, -1), [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    "--deny-import",
    "--no-config",
    "--no-lock",
    "--no-code-cache",
    "--allow-read=/a b,/c",
    "--allow-write=/c",
    "--v8-flags=--max-old-space-size=160,--wasm-max-mem-pages=16," +
    "--wasm-max-table-size=7,--wasm-max-module-size=68157440," +
    "--stack-size=512",
  ]);
  const none = await launchOf(PLAIN, {});
  assert(!none.args.some((arg) => arg.startsWith("--allow")));
});

Deno.test("prepareLaunch() refuses paths that Deno would read otherwise", async () => {
  for (const path of ["/a,/etc", "/a\n/etc", "relative", "", "/a\0"]) {
    const error = await assertRejects(
      () => launchOf(PLAIN, {}, [path]),
      SandboxError,
    );
    assertEquals(error.code, "unsupported");
  }
});

Deno.test("prepareLaunch() refuses cpuMs where nothing enforces it", async () => {
  const error = await assertRejects(
    () => launchOf(PLAIN, { cpuMs: 1_000 }),
    SandboxError,
    "prlimit",
  );
  assertEquals(error.code, "unsupported");
});

Deno.test("a guest's process may do nothing that is not granted", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/in`);
    await Deno.writeTextFile(`${folder}/in/a`, "inside");
    await Deno.writeTextFile(`${folder}/secret`, "outside");
    await Deno.symlink("../secret", `${folder}/in/leak`);
    const program = `
      const tries = {
        inside: () => Deno.readTextFileSync(${
      JSON.stringify(folder)
    } + "/in/a"),
        write: () => Deno.writeTextFileSync(${
      JSON.stringify(folder)
    } + "/in/b", ""),
        secret: () => Deno.readTextFileSync(${
      JSON.stringify(folder)
    } + "/secret"),
        leak: () => Deno.readTextFileSync(${
      JSON.stringify(folder)
    } + "/in/leak"),
        env: () => Deno.env.get("HOME"),
        run: () => new Deno.Command("/bin/true").outputSync(),
        sys: () => Deno.hostname(),
        ffi: () => Deno.dlopen("libc.so.6", {}),
        net: () => Deno.listen({ port: 0 }),
      };
      const found = {};
      for (const [name, attempt] of Object.entries(tries)) {
        try { found[name] = attempt() ?? "yes"; } catch (e) { found[name] = e.name; }
      }
      for (const url of ["npm:cowsay", "jsr:@std/assert", "https://deno.land/x/a.ts", "file:///etc/passwd"]) {
        try { await import(url); found[url] = "yes"; } catch { found[url] = "no"; }
      }
      console.log(JSON.stringify(found));`;
    for (const machine of [PLAIN, new Machine()]) {
      const launch = await launchOf(machine, {}, [`${folder}/in`]);
      const found = JSON.parse(await runIn(launch, program));
      const { leak, ...rest } = found;
      assertEquals(rest, {
        inside: "inside",
        write: "NotCapable",
        secret: "NotCapable",
        env: "NotCapable",
        run: "NotCapable",
        sys: "NotCapable",
        ffi: "NotCapable",
        net: "NotCapable",
        "npm:cowsay": "no",
        "jsr:@std/assert": "no",
        "https://deno.land/x/a.ts": "no",
        "file:///etc/passwd": "no",
      });
      // Deno looks at the path alone; in a namespace there is nothing else
      assertEquals(
        leak,
        launch.report.filesystem === "namespace" ? "NotFound" : "outside",
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a namespace holds nothing of the host's", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const launch = await launchOf(new Machine(), {}, [folder], [folder]);
    if (launch.report.filesystem !== "namespace") return;
    const args = launch.args.map((arg) =>
      arg.startsWith("--allow-read") ? "--allow-all" : arg
    ).filter((arg) => !arg.startsWith("--allow-write"));
    const seen = await runIn(
      { ...launch, args },
      `
      const list = (path) => [...Deno.readDirSync(path)].map((e) => e.name).sort();
      const tries = [];
      for (const path of ["/etc", "/proc", "/home", "/root", "/usr/bin"]) {
        try { list(path); tries.push(path); } catch {}
      }
      try { Deno.writeTextFileSync("/lib64/x", ""); tries.push("write"); } catch {}
      Deno.writeTextFileSync(${JSON.stringify(folder)} + "/made", "here");
      console.log(JSON.stringify(tries));`,
    );
    assertEquals(seen, "[]\n");
    assertEquals(await Deno.readTextFile(`${folder}/made`), "here");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a guest that is granted nothing gets past Deno to nothing", async () => {
  const machine = new Machine();
  const namespace = await machine.namespace({ read: [], write: [] });
  if (namespace === undefined || namespace.hasNetwork) return;
  const launch = await launchOf(machine, {});
  assertEquals(launch.report.filesystem, "namespace");
  assert(launch.report.noNetwork);
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const program = `
    const list = (path) => [...Deno.readDirSync(path)].map((e) => e.name);
    const tries = {
      listed: () => list("/etc"),
      proc: () => list("/proc"),
      secret: () => Deno.readTextFileSync("/etc/passwd"),
      run: () => new Deno.Command("/bin/sh").outputSync(),
      written: () => Deno.writeTextFileSync("/tmp/made", ""),
    };
    const got = [];
    for (const [name, attempt] of Object.entries(tries)) {
      try { attempt(); got.push(name); } catch {}
    }
    try {
      await Deno.connect({ hostname: "127.0.0.1", port: ${server.addr.port} });
      got.push("connected");
    } catch {}
    console.log(JSON.stringify(got));`;
  // as if whoever is in there had switched Deno's permissions off
  const at = launch.args.findIndex((arg) => arg.startsWith("--v8-flags="));
  const args = launch.args.toSpliced(at, 0, "--allow-all");
  assertEquals(await runIn({ ...launch, args }, program), "[]\n");
});

Deno.test("create() says what to pass if no process may be started", async () => {
  const host = new URL("host.ts", import.meta.url).href;
  for (const flags of [[], [`--allow-run=/bin/true`]]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, host],
    }).output();
    const error = JSON.parse(text(stdout));
    assertEquals(error.code, "process-failed");
    assertEquals(error.details.phase, "start");
    assert(error.message.includes("--allow-run="));
    assert(error.message.includes('isolation "inline"'));
  }
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-run=${Deno.execPath()}`, host],
  }).output();
  const { result, report } = JSON.parse(text(stdout));
  assertEquals(result, 5);
  // it may run deno alone, and nothing that would bound it
  assertEquals(report.parentDeath, "watcher");
});

Deno.test("requireRun() refuses a compiled program, which is no deno", async () => {
  const error = await assertRejects(
    () => requireRun("/app/server", true),
    SandboxError,
    '"/app/server" is a compiled program',
  );
  assert(SandboxError.is(error, "process-failed"));
  assertEquals(error.details.phase, "start");
  await requireRun(Deno.execPath());
});

Deno.test("cpuMs and stackBytes bound a guest's process", async () => {
  const machine = new Machine();
  if ((await machine.tools()).prlimit === undefined) return;
  await using source = await open(await numbers(), {
    imports: IMPORTS,
    machine,
    limits: { cpuMs: 1_000, timeoutMs: 20_000, stackBytes: 256 * 1024 },
  });
  await using instance = await source.instantiate({});
  assertEquals(await instance.call("add", [1, 2]), 3);
  const error = await assertRejects(
    () => instance.call("spin", []),
    SandboxError,
  );
  assert(SandboxError.is(error, "limit-exceeded"), error.message);
  assertEquals(error.details.limit, "cpuMs");
  assertEquals(source.features.limits.cpuMs?.level, "hard");
});

Deno.test("start() gives up when it is aborted", async () => {
  const launch = await launchOf(PLAIN, {});
  // a program that never says a word
  const source = new TextEncoder().encode("0000for(;;);");
  new DataView(source.buffer).setUint32(0, source.length - 4, true);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("too slow")), 100);
  await assertRejects(
    () =>
      ChildProcess.start(launch, {
        program: source,
        signal: controller.signal,
      }),
    Error,
    "too slow",
  );
});
