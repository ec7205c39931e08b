import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { Machine } from "../../runtime/process/machine.ts";
import {
  childrenOf,
  decisionOf,
  execute,
  GRANTS,
  isRunning,
  open,
  runTour,
  text,
  tour,
} from "./_process.ts";

const ENCODER = new TextEncoder();

/** What the machine has, and nothing of it. */
const MACHINES = [new Machine(), new Machine({ wrap: false })];

Deno.test("execute() runs a command with its streams and exit code", async () => {
  await using source = await open(await tour(), { capabilities: GRANTS });
  const input = crypto.getRandomValues(new Uint8Array(60_000));
  const echoed = await runTour(source, ["echo"], { stdin: input });
  assertEquals(echoed.exitCode, 0);
  assertEquals(echoed.stdout, input);
  assertEquals((await runTour(source, ["exit", "42"])).exitCode, 42);
  const failed = await runTour(source, ["cat", "/none"]);
  assertEquals(failed.exitCode, 1);
  assert(text(failed.stderr).startsWith("/none: "));
});

Deno.test("execute() pulls a stream and pushes to a slow one", async () => {
  await using source = await open(await tour(), { capabilities: GRANTS });
  let pulled = 0;
  const stdin = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (++pulled > 40) controller.close();
      else controller.enqueue(new Uint8Array(50_000).fill(pulled));
    },
  }, { highWaterMark: 0 });
  let received = 0;
  const stdout = new WritableStream<Uint8Array>({
    async write(chunk) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      received += chunk.length;
    },
  });
  const outcome = await runTour(source, ["echo"], { stdin, stdout });
  assertEquals(outcome.exitCode, 0);
  assertEquals(received, 40 * 50_000);
  assertEquals(outcome.stdout.length, 0);
  assert(!stdout.locked && !stdin.locked);
});

Deno.test("execute() holds back a guest whose output nobody takes", async () => {
  await using source = await open(await tour(), {
    capabilities: GRANTS,
    limits: { timeoutMs: 300 },
  });
  let received = 0;
  const stdout = new WritableStream<Uint8Array>({
    write(chunk) {
      received += chunk.length;
      return new Promise(() => {});
    },
  });
  const error = await assertRejects(
    () => runTour(source, ["flood"], { stdout }),
    SandboxError,
    "timeoutMs",
  );
  assertEquals(error.code, "limit-exceeded");
  assert(received <= 64 * 1024);
});

Deno.test("execute() rejects with what a stream of the caller's throws", async () => {
  await using source = await open(await tour(), { capabilities: GRANTS });
  const cause = new Error("pipe burst");
  const stdin = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(cause),
  });
  assertEquals(
    await assertRejects(() => runTour(source, ["echo"], { stdin })),
    cause,
  );
  const stdout = new WritableStream<Uint8Array>({
    write() {
      throw cause;
    },
  });
  assertEquals(
    await assertRejects(() => runTour(source, ["flood"], { stdout })),
    cause,
  );
});

Deno.test("execute() stops a flood at stdoutBytes", async () => {
  await using source = await open(await tour(), {
    capabilities: GRANTS,
    limits: { stdoutBytes: 100_000 },
  });
  const error = await assertRejects(
    () => runTour(source, ["flood"]),
    SandboxError,
  );
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "stdoutBytes");
});

Deno.test("execute() carries files of memory mounts in and out", async () => {
  await using source = await open(await tour(), {
    capabilities: [...GRANTS, {
      type: "filesystem",
      mounts: [{ guest: "/m", memory: true, maxBytes: 4 << 20 }],
      // deno-lint-ignore no-explicit-any -- parsed by the policy
    } as any],
  });
  const big = crypto.getRandomValues(new Uint8Array(60_000));
  const files = { "/m/in": ENCODER.encode("in"), "/m/big": big };
  const outcome = await runTour(source, ["put", "/m/out", "text"], { files });
  assertEquals([...outcome.files.keys()].sort(), ["/m/big", "/m/in", "/m/out"]);
  assertEquals(outcome.files.get("/m/big"), big);
  assertEquals(text(outcome.files.get("/m/out")), "text");
  const seen = await runTour(source, ["cat", "/m/in"], { files });
  assertEquals(text(seen.stdout), "in");
});

for (const machine of MACHINES) {
  const { filesystem } = await reportOf(machine);
  Deno.test(`execute() reaches host directories, ${filesystem}`, async () => {
    const parent = await Deno.makeTempDir();
    const folder = `${parent}/a b\t\\c#'"$(x)é`;
    try {
      await Deno.mkdir(`${folder}/in`, { recursive: true });
      await Deno.mkdir(`${folder}/out`);
      await Deno.writeTextFile(`${folder}/in/a`, "given");
      await Deno.writeTextFile(`${folder}/secret`, "secret");
      await Deno.symlink("../secret", `${folder}/in/leak`);
      const events: string[] = [];
      await using source = await open(await tour(), {
        machine,
        onEvent: (event) => events.push(decisionOf(event)),
        capabilities: [...GRANTS, {
          type: "filesystem",
          mounts: [
            { guest: "/in", host: `${folder}/in` },
            {
              guest: "/out",
              host: `${folder}/out`,
              access: "read-write",
              symlinks: "within",
            },
          ],
          // deno-lint-ignore no-explicit-any -- parsed by the policy
        } as any],
      });
      const run = (...args: string[]) => runTour(source, args);
      assertEquals(text((await run("cat", "/in/a")).stdout), "given");
      assertEquals((await run("cat", "/in/leak")).exitCode, 1);
      assertEquals((await run("put", "/in/b", "no")).exitCode, 1);
      assertEquals((await run("put", "/out/b", "yes")).exitCode, 0);
      assertEquals(await Deno.readTextFile(`${folder}/out/b`), "yes");
      assertEquals((await run("link", "b", "/out/l")).exitCode, 0);
      assertEquals(await Deno.readLink(`${folder}/out/l`), "b");
      assertEquals(text((await run("cat", "/out/l")).stdout), "yes");
      assertEquals((await run("link", "../secret", "/out/m")).exitCode, 1);
      assertEquals((await run("link", "/etc/passwd", "/out/n")).exitCode, 1);
      assertEquals((await run("link", "x", "/in/l")).exitCode, 1);
      assert(events.includes("allowed filesystem.read /in/a"));
      assert(events.includes("denied filesystem.write /in/b"));
      const made = await Array.fromAsync(Deno.readDir(`${folder}/out`));
      assertEquals(made.length, 2);
    } finally {
      await Deno.remove(parent, { recursive: true });
    }
  });
}

Deno.test("execute() sends every event, however many", async () => {
  let denied = 0;
  await using source = await open(await tour(), {
    capabilities: [...GRANTS, {
      type: "filesystem",
      mounts: [{ guest: "/m", memory: true }],
      // deno-lint-ignore no-explicit-any -- parsed by the policy
    } as any],
    onEvent: ({ capability }) => {
      if (capability === "filesystem") denied++;
    },
  });
  const outcome = await runTour(source, ["probe", "/m/x", "5000"]);
  assertEquals(text(outcome.stdout), "0\n");
  assert(denied >= 5_000, `${denied}`);
});

Deno.test("execute() ends when it is aborted, and the process is gone", async () => {
  await using source = await open(await tour(), { capabilities: GRANTS });
  await using instance = await source.instantiate({});
  const pids = childrenOf(Deno.pid);
  const controller = new AbortController();
  const reason = new Error("stop");
  setTimeout(() => controller.abort(reason), 50);
  const { signal } = controller;
  assertEquals(
    await assertRejects(() => execute(instance, ["spin"], {}, { signal })),
    reason,
  );
  assertEquals(pids.length, 1);
  assert(!pids.some(isRunning));
});

async function reportOf(
  machine: Machine,
): Promise<{ readonly filesystem: string }> {
  const namespace = await machine.namespace({ read: ["/tmp"], write: [] });
  return { filesystem: namespace === undefined ? "checked" : "namespace" };
}
