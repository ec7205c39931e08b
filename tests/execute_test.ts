import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Capabilities,
  type Capability,
  type ExecuteOptions,
  Sandbox,
  SandboxError,
  type SandboxOptions,
} from "../mod.ts";
import { wat } from "./wasm.ts";

const PROGRAMS = new URL("../examples/programs/", import.meta.url);
const WORDFREQ = new URL("rust/wordfreq.wasm", PROGRAMS);
const LOGREPORT = new URL("c/logreport.wasm", PROGRAMS);

const TYPES = `
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "hi\\n")
  (func $say
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 3))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))`;

/** Says "hi" and ends with the code 7. */
const HELLO = await wat(`(module ${TYPES}
  (func (export "_start") (call $say) (call $exit (i32.const 7))))`);
/** Says "hi" for ever. */
const FLOOD = await wat(`(module ${TYPES}
  (func (export "_start") (loop (call $say) (br 0))))`);
/** Says "hi", then traps, spins or returns a number it has kept. */
const MIXED = await wat(`(module ${TYPES}
  (global $n (mut i32) (i32.const 0))
  (func (export "_start")
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (call $say)
    (call $exit (global.get $n)))
  (func (export "bump") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (global.get $n))
  (func (export "leave") (call $exit (i32.const 3))))`);

const PROGRAM: readonly Capability[] = [
  ...Capabilities.program(),
  Capabilities.environment({}),
];

function create(
  module: SandboxOptions["module"],
  options: Partial<SandboxOptions> = {},
): Promise<Sandbox> {
  return Sandbox.create({ module, policy: PROGRAM, ...options });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

Deno.test("Sandbox.execute() gives exit code and output", async () => {
  await using sandbox = await create(HELLO);
  assertEquals(sandbox.isolation, "inline");
  for (let run = 0; run < 3; run++) {
    const { exitCode, stdout, stderr, files } = await sandbox.execute();
    assertEquals({ exitCode, stdout: text(stdout), stderr, files }, {
      exitCode: 7,
      stdout: "hi\n",
      stderr: new Uint8Array(),
      files: new Map(),
    });
  }
});

Deno.test("Sandbox.execute() passes arguments, variables and standard input that are not ASCII", async () => {
  await using sandbox = await create(WORDFREQ, {
    policy: [
      ...Capabilities.program(),
      Capabilities.environment({ pass: ["WORDFREQ_MIN"] }),
    ],
  });
  const { exitCode, stdout } = await sandbox.execute(["--top", "2"], {
    stdin: "Über über 🤼 naïve Ÿ naïve über",
    env: { WORDFREQ_MIN: "2" },
  });
  assertEquals(exitCode, 0);
  assertEquals(JSON.parse(text(stdout)).top, [["über", 3], ["naïve", 2]]);
  const usage = await sandbox.execute(["--ñ"], { env: { WORDFREQ_MIN: "1" } });
  assertEquals(usage.exitCode, 2);
});

Deno.test("Sandbox.execute() takes files in and gives files out", async () => {
  await using sandbox = await create(LOGREPORT, {
    policy: [
      ...PROGRAM,
      Capabilities.filesystem({
        mounts: [
          { guest: "/logs", memory: true, access: "read" },
          { guest: "/out", memory: true },
        ],
      }),
    ],
  });
  const { exitCode, files, stderr } = await sandbox.execute([], {
    files: {
      "/logs/a.log": "2026-03-01T12:00:00Z ERROR Äpfel\n",
      "/logs/deep/": new Uint8Array(),
    },
  });
  assertEquals(exitCode, 0, text(stderr));
  const report = files.get("/out/report.json");
  assert(report);
  assertEquals(JSON.parse(text(report)).errors, ["Äpfel"]);
  assert(files.has("/logs/a.log"));
  const again = await sandbox.execute();
  assertEquals(
    again.files.has("/logs/a.log"),
    false,
    "files of the run before",
  );
});

Deno.test("Sandbox.execute() writes to streams and leaves them open", async () => {
  await using sandbox = await create(HELLO);
  let written = "";
  const stdout = new WritableStream<Uint8Array>({
    write: (chunk) => void (written += text(chunk)),
    close: () => void (written += "closed"),
  });
  await sandbox.execute([], { stdout });
  const result = await sandbox.execute([], { stdout });
  assertEquals(written, "hi\nhi\n");
  assertEquals(result.stdout, new Uint8Array());
});

Deno.test("Sandbox.execute() refuses what the policy does not grant, and says what to grant", async () => {
  await using sandbox = await create(HELLO, {
    policy: [Capabilities.process({ arguments: false }), Capabilities.stdio()],
  });
  const cases: [readonly string[], ExecuteOptions, string][] = [
    [["x"], {}, "process.arguments"],
    [[], { env: { NAME: "x" } }, "environment.read"],
  ];
  for (const [args, options, operation] of cases) {
    const error = await assertRejects(
      () => sandbox.execute(args, options),
      SandboxError,
      "grant",
    );
    assert(SandboxError.is(error, "capability-not-granted"));
    assertEquals(error.details.operation, operation);
  }
  await assertRejects(
    () => sandbox.execute([], { files: { "/x": "y" } }),
    TypeError,
    "/x",
  );
  assertEquals((await sandbox.execute()).exitCode, 7);
});

Deno.test("Sandbox.execute() refuses options and texts that make no sense", async () => {
  await using sandbox = await create(HELLO);
  await assertRejects(
    () => sandbox.execute([], { stdinn: "" } as ExecuteOptions),
    TypeError,
    "stdinn",
  );
  await assertRejects(() => sandbox.execute(["a\0b"]), TypeError, "NUL");
  await assertRejects(
    () => sandbox.execute([1 as unknown as string]),
    TypeError,
    "no string",
  );
  await using library = await create(await wat('(module (func (export "f")))'));
  const error = await assertRejects(() => library.execute(), SandboxError);
  assert(SandboxError.is(error, "export-not-found"));
});

Deno.test("Sandbox.execute() ends what writes without end, and the host goes on", async () => {
  await using sandbox = await create(FLOOD, { limits: { stdoutBytes: 1000 } });
  const error = await assertRejects(() => sandbox.execute(), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "stdoutBytes");
  assertEquals(error.details.allowed, 1000);
  let written = "";
  await assertRejects(() =>
    sandbox.execute([], {
      stdout: new WritableStream({
        write: (chunk) => void (written += text(chunk)),
      }),
    })
  );
  assertEquals(written.length, 999, "what was written before");
});

Deno.test("Sandbox.execute() is under the deadline, standard input included", async () => {
  await using sandbox = await create(FLOOD, {
    limits: { stdoutBytes: 2 ** 31, timeoutMs: 50 },
  });
  const error = await assertRejects(() => sandbox.execute(), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "timeoutMs");
  let cancelled = false;
  const stdin = new ReadableStream<Uint8Array>({
    cancel: () => void (cancelled = true),
  });
  const late = await assertRejects(() => sandbox.execute([], { stdin }));
  assert(SandboxError.is(late, "limit-exceeded"));
  assert(cancelled);
});

Deno.test("Sandbox.execute() rejects with the caller's own reason", async () => {
  await using sandbox = await create(HELLO);
  const reason = new Error("mine");
  const signal = AbortSignal.abort(reason);
  assertEquals(
    await sandbox.execute([], { signal }).catch((error) => error),
    reason,
  );
  const controller = new AbortController();
  const running = sandbox.execute([], {
    stdin: new ReadableStream(),
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(reason), 10);
  assertEquals(await running.catch((error) => error), reason);
  assertEquals((await sandbox.execute()).exitCode, 7);
});

Deno.test("Sandbox.execute() begins anew each time, beside calls that do not", async () => {
  await using sandbox = await create(MIXED);
  assertEquals(await sandbox.call("bump"), 1);
  assertEquals(await sandbox.call("bump"), 2);
  const codes = await Promise.all(
    Array.from({ length: 3 }, () => sandbox.execute()),
  );
  assertEquals(codes.map(({ exitCode }) => exitCode), [1, 1, 1]);
  const error = await assertRejects(() => sandbox.call("bump"), SandboxError);
  assert(SandboxError.is(error, "instance-dead"));
  await sandbox.reset();
  assertEquals(await sandbox.call("bump"), 1);
});

Deno.test("Sandbox.call() of a guest that ends itself says with which code", async () => {
  await using sandbox = await create(MIXED);
  const error = await assertRejects(() => sandbox.call("leave"), SandboxError);
  assert(SandboxError.is(error, "guest-exit"));
  assertEquals(error.details.exitCode, 3);
});

Deno.test("Sandbox limits calls of host functions, instances and messages", async () => {
  await using flood = await create(FLOOD, { limits: { hostCalls: 10 } });
  const calls = await assertRejects(() => flood.execute(), SandboxError);
  assert(SandboxError.is(calls, "limit-exceeded"));
  assertEquals(calls.details.limit, "hostCalls");
  assertEquals(flood.usage().limits.stdoutBytes?.used, 30);
  assertEquals(flood.usage().limits.hostCalls, { allowed: 10, used: 10 });

  await using few = await create(HELLO, { limits: { instances: 2 } });
  await few.execute();
  await few.execute();
  const instances = await assertRejects(() => few.execute(), SandboxError);
  assert(SandboxError.is(instances, "limit-exceeded"));
  assertEquals(instances.details.limit, "instances");

  await using terse = await Sandbox.create({
    module: new URL("../examples/guests/rust/slugify.wasm", import.meta.url),
    limits: { messages: 3 },
  });
  assertEquals(await terse.call("slugify", "A b"), "a-b");
  const messages = await assertRejects(
    () => terse.call("slugify", "A b"),
    SandboxError,
  );
  assert(SandboxError.is(messages, "limit-exceeded"));
  assertEquals(messages.details.limit, "messages");
});

Deno.test("Sandbox.create() refuses limits that nobody enforces", async () => {
  for (
    const limits of [{ cpuMs: 1000 }, { stackBytes: 2 ** 18 }]
  ) {
    const error = await assertRejects(
      () => create(HELLO, { limits }),
      SandboxError,
    );
    assert(SandboxError.is(error, "unsupported"), Object.keys(limits)[0]);
  }
});

Deno.test("Sandbox.audit holds what was decided", async () => {
  const seen: string[] = [];
  await using sandbox = await create(LOGREPORT, {
    policy: [...PROGRAM, Capabilities.memory("/logs")],
    audit: ({ decision, operation, resource, sandbox: id }) => {
      assertEquals(id, sandbox.id);
      seen.push(`${decision} ${operation} ${resource}`);
    },
  });
  const { exitCode } = await sandbox.execute();
  assertEquals(exitCode, 1, "it cannot write to /out");
  const kept = sandbox.audit.events().map(({ decision, operation, resource }) =>
    `${decision} ${operation} ${resource}`
  );
  assertEquals(kept, seen);
  assert(seen.includes("allowed filesystem.read /logs"), seen.join("\n"));
});

Deno.test("Sandbox.enforcement() names who enforces each grant and limit", async () => {
  await using sandbox = await create(HELLO);
  const { grants, limits, unprotected } = sandbox.enforcement();
  assertEquals(Object.keys(grants).sort(), [
    "clock",
    "environment",
    "process",
    "random",
    "stdio",
  ]);
  assertEquals(limits.stdoutBytes?.level, "hard");
  assert(unprotected.length > 3);
});

Deno.test("Sandbox.execute() is not held up by a standard input of empty pieces", async () => {
  await using sandbox = await create(HELLO, { limits: { timeoutMs: 100 } });
  const stdin = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array()),
  });
  const error = await assertRejects(() => sandbox.execute([], { stdin }));
  assert(SandboxError.is(error, "limit-exceeded"));
});

Deno.test("Sandbox.create() says which directory of a policy is not there", async () => {
  const folder = await Deno.makeTempDir();
  const cases = [
    [`${folder}/nope`, "does not exist"],
    [`${folder}/file`, "no directory"],
  ] as const;
  try {
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const isolation of ["inline", "process"] as const) {
      for (const [host, why] of cases) {
        const error = await assertRejects(
          () =>
            create(HELLO, {
              isolation,
              policy: [Capabilities.directory(host, "/data", "read")],
            }),
          SandboxError,
          why,
        );
        assert(SandboxError.is(error, "invalid-capability"));
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Sandbox.execute() says which variable this program may not read", async () => {
  const program = `
    const { Capabilities, Sandbox } = await import(${
    JSON.stringify(new URL("../mod.ts", import.meta.url).href)
  });
    await using sandbox = await Sandbox.create({
      module: new URL(${JSON.stringify(WORDFREQ.href)}),
      policy: [
        ...Capabilities.program(),
        Capabilities.environment({ pass: ["WORDFREQ_MIN"] }),
      ],
    });
    try {
      await sandbox.execute();
    } catch (error) {
      console.log(error.name, error.message);
    }
    const env = { WORDFREQ_MIN: "1" };
    console.log((await sandbox.execute([], { env })).exitCode);
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-config", "--no-check"],
      ...[
        "--allow-read",
        `data:text/typescript,${encodeURIComponent(program)}`,
      ],
    ],
  }).output();
  assertEquals(text(stderr), "");
  const [refused, exitCode] = text(stdout).trim().split("\n");
  assert(refused?.includes("--allow-env=WORDFREQ_MIN"), text(stdout));
  assertEquals(exitCode, "0");
});
