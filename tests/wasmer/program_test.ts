import { assert, assertEquals } from "@std/assert";
import { Capabilities } from "../../mod.ts";
import { create, program, run, USUAL, workspace } from "./_wasmer.ts";

/** Writes what it reads, a page at a time. */
const CAT = await program(`
  (block $end (loop $more
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 65536))
    (br_if $end (call $fd_read
      (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (br_if $end (i32.eqz (i32.load (i32.const 8))))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $fd_write
      (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (br $more)))`);

Deno.test("execute() gives every exit code on Wasmer", async () => {
  for (const code of [0, 7, 134, 137, 255, 256, 65_536, 0xffff_ffff]) {
    const module = await program(`(call $proc_exit (i32.const ${code}))`);
    assertEquals((await run(module)).exitCode, code);
  }
});

Deno.test("execute() passes the standard streams on Wasmer", async () => {
  const input = crypto.getRandomValues(new Uint8Array(50_000));
  const stdin = new Blob([input, input, input, input]).stream();
  const { exitCode, stdout } = await run(CAT, {}, { stdin });
  assertEquals(exitCode, 0);
  assertEquals(stdout.length, 4 * input.length);
  assertEquals(stdout.subarray(-input.length), input);
});

Deno.test("execute() writes to a stream on Wasmer", async () => {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const text = new Response(readable).text();
  await run(CAT, {}, { stdin: "hello", stdout: writable });
  await writable.close();
  assertEquals(await text, "hello");
});

Deno.test("execute() gives nothing of streams that are not granted", async () => {
  const { stdout } = await run(CAT, {
    policy: [Capabilities.stdio({ stdin: false })],
  }, { stdin: "secret" });
  assertEquals(stdout.length, 0);
  const { stdout: withheld } = await run(CAT, {
    policy: [Capabilities.stdio({ stdout: false })],
  }, { stdin: "secret" });
  assertEquals(withheld.length, 0);
});

Deno.test("execute() gives arguments and variables that are granted", async () => {
  const counts = await program(`
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (drop (call $environ_sizes_get (i32.const 8) (i32.const 12)))
    (call $proc_exit (i32.add
      (i32.mul (i32.load (i32.const 0)) (i32.const 100))
      (i32.load (i32.const 8))))`);
  const environment = Capabilities.environment({
    variables: { A: "b=c", UNICODE: "ü" },
    pass: ["GIVEN"],
  });
  const policy = [...USUAL, environment];
  const { exitCode } = await run(counts, { policy }, {
    args: ["one", "two words"],
    env: { GIVEN: "x" },
  });
  assertEquals(exitCode, 303);
  assertEquals((await run(counts)).exitCode, 100);
});

/** Opens `name` in the workspace for writing, and writes to it. */
function writer(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return program(
    `(drop (call $path_open (i32.const 4) (i32.const 0) (i32.const 64)
        (i32.const ${name.length}) (i32.const 1) (i64.const 64) (i64.const 64)
        (i32.const 0) (i32.const 32)))
     (i32.store (i32.const 0) (i32.const 64))
     (i32.store (i32.const 4) (i32.const ${name.length}))
     (call $proc_exit (call $fd_write
       (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 8)))`,
    { parts: `(data (i32.const 64) "${name}")` },
  );
}

Deno.test("execute() puts files in and hands files back on Wasmer", async () => {
  const { exitCode, files } = await run(await writer("made.txt"), {
    policy: [...USUAL, Capabilities.random(), workspace()],
  }, { files: { "/workspace/sub/given": "given", "/workspace/empty/": "" } });
  assertEquals(exitCode, 0);
  assertEquals(
    [...files].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])
      .sort(),
    [["/workspace/made.txt", "made.txt"], ["/workspace/sub/given", "given"]],
  );
});

Deno.test("execute() leaves nothing to the next run on Wasmer", async () => {
  await using sandbox = await create(await writer("made.txt"), {
    policy: [...USUAL, Capabilities.random(), workspace()],
  });
  await sandbox.execute([], { files: { "/workspace/first": "1" } });
  const { files } = await sandbox.execute();
  assertEquals([...files.keys()], ["/workspace/made.txt"]);
});

Deno.test("the audit has an event for what a program on Wasmer can use", async () => {
  const events: string[] = [];
  await run(await writer("x"), {
    policy: [...USUAL, Capabilities.random(), workspace()],
    audit: ({ decision, operation, via }) =>
      events.push(`${decision} ${operation} ${via}`),
  });
  assertEquals(events.sort(), [
    "allowed filesystem.write path_open",
    "allowed process.exit proc_exit",
    "allowed random.read path_open",
    "allowed stdio.stderr fd_write",
    "allowed stdio.stdout fd_write",
  ]);
});

Deno.test("enforcement() says what nobody enforces on Wasmer", async () => {
  await using sandbox = await create(CAT);
  const { runtime, isolation, limits, unprotected } = sandbox.enforcement();
  assertEquals([runtime, isolation], ["wasmer", "process"]);
  assert(unprotected.some((gap) => gap.startsWith("files:")));
  for (const name of ["openFiles", "writtenBytes", "fileEntries"] as const) {
    assertEquals(limits[name], undefined);
  }
  for (const name of ["memoryBytes", "timeoutMs", "stdoutBytes"] as const) {
    assertEquals(limits[name]?.level, "hard");
  }
});
