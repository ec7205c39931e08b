import { assert, assertEquals, assertRejects } from "@std/assert";
import process from "node:process";
import {
  childProcesses,
  measureCpu,
  measureRss,
  noProcessLeft,
  untilIdle,
} from "../../testing/mod.ts";

/** Takes so much processor time, however busy the machine is. */
function spin(ms: number): string {
  const start = process.cpuUsage();
  for (let used = 0; used < ms * 1_000;) {
    const { user, system } = process.cpuUsage(start);
    used = user + system;
  }
  return "spun";
}

function sleeper(): Deno.ChildProcess {
  return new Deno.Command("sleep", { args: ["60"] }).spawn();
}

Deno.test("measureCpu() tells work from waiting", async () => {
  const busy = await measureCpu(() => spin(300));
  assertEquals(busy.result, "spun");
  assert(busy.cpuMs >= 300, `${busy.cpuMs} ms`);
  await untilIdle();
  const { cpuMs } = await measureCpu(() =>
    new Promise((resolve) => setTimeout(resolve, 300))
  );
  assert(cpuMs < 200, `${cpuMs} ms`);
});

Deno.test("measureRss() sees memory that is held", async () => {
  const { result, grownBytes } = await measureRss(() =>
    new Uint8Array(256 * 2 ** 20).fill(1)
  );
  assertEquals(result.at(-1), 1);
  assert(grownBytes > 128 * 2 ** 20, `${grownBytes}`);
});

Deno.test("untilIdle() fails while something goes on", async () => {
  const timer = setInterval(() => spin(100), 1);
  try {
    await assertRejects(() => untilIdle(), Error, "still takes");
  } finally {
    clearInterval(timer);
  }
  await untilIdle();
});

Deno.test({
  name: "childProcesses() lists what this process has started",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const child = sleeper();
    assert(childProcesses().includes(child.pid));
    child.kill("SIGKILL");
    await child.status;
    assert(!childProcesses().includes(child.pid));
  },
});

Deno.test({
  name: "noProcessLeft() fails if one is left",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const ended = await noProcessLeft(async () => {
      const child = sleeper();
      child.kill("SIGKILL");
      return (await child.status).signal;
    });
    assertEquals(ended, "SIGKILL");
    const left: Deno.ChildProcess[] = [];
    const error = await assertRejects(
      () => noProcessLeft(() => void left.push(sleeper())),
      Error,
      "processes are left",
    );
    for (const child of left) {
      assert(error.message.includes(`${child.pid}`));
      child.kill("SIGKILL");
      await child.status;
    }
  },
});
