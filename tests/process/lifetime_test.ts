import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { Capability } from "../../security/types.ts";
import {
  childrenOf,
  IMPORTS,
  isRunning,
  numbers,
  open,
  text,
  until,
} from "./_process.ts";

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("200 guests that are made and killed leave nothing behind", async () => {
  const module = await numbers();
  const folder = await Deno.makeTempDir();
  const mount = { guest: "/data", host: folder, access: "read-write" };
  const files: Capability & { readonly mounts: unknown } = {
    type: "filesystem",
    mounts: [mount],
  };
  const cycle = async (index: number) => {
    await using source = await open(module, {
      imports: IMPORTS,
      limits: { timeoutMs: 10_000 },
      // every other one has a root directory of its own, where that is possible
      capabilities: index % 2 === 0 ? [files] : [],
    });
    await using instance = await source.instantiate({});
    if (index % 4 < 2) {
      await instance.call("spin", [], { timeoutMs: 1 }).catch(() => {});
    } else assertEquals(await instance.call("add", [index, 1]), index + 1);
  };
  await cycle(0);
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  const before = descriptors();
  for (let index = 0; index < 200; index += 4) {
    await Promise.all([0, 1, 2, 3].map((step) => cycle(index + step)));
  }
  assertEquals(childrenOf(Deno.pid), []);
  assertEquals(descriptors(), before);
  assertEquals(await Deno.readTextFile("/proc/self/mountinfo"), mounts);
  // fails if anything is in it
  await Deno.remove(folder);
});

Deno.test("100 guests at a time, one of them hostile: 99 right answers", async () => {
  const module = await numbers();
  const guests = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const source = await open(module, {
        imports: IMPORTS,
        limits: { timeoutMs: 30_000 },
      });
      return { source, instance: await source.instantiate({}), index };
    }),
  );
  const start = performance.now();
  const results = await Promise.allSettled(
    guests.map(({ instance, index }) =>
      index === 42
        ? instance.call("spin", [], { timeoutMs: 3_000 })
        : instance.call("add", [index, 1_000])
    ),
  );
  for (const [index, result] of results.entries()) {
    if (index === 42) assertEquals(result.status, "rejected");
    else assertEquals(result, { status: "fulfilled", value: index + 1_000 });
  }
  assert(performance.now() - start < 8_000);
  await Promise.all(guests.map(({ source }) => source[Symbol.asyncDispose]()));
  assertEquals(childrenOf(Deno.pid), []);
});

for (const wrap of ["wrapped", "plain"]) {
  Deno.test(`a busy guest dies with its host, ${wrap}`, async () => {
    const host = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        new URL("host.ts", import.meta.url).href,
        "spin",
        wrap,
      ],
      stdout: "piped",
    }).spawn();
    const reader = host.stdout.getReader();
    const { value } = await reader.read();
    const { pid } = JSON.parse(text(value));
    await until(() => isRunning(pid));
    // until it spins
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert(isRunning(pid));
    host.kill("SIGKILL");
    await host.status;
    await until(() => !isRunning(pid), 2_000);
    await reader.cancel();
  });
}

Deno.test("dispose is idempotent, and use after it has a name", async () => {
  const source = await open(await numbers(), { imports: IMPORTS });
  const instance = await source.instantiate({});
  await source[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
  await instance[Symbol.asyncDispose]();
  for (
    const use of [
      () => source.instantiate({}),
      () => instance.call("add", [1, 2]),
    ]
  ) {
    const error = await assertRejects(use, SandboxError);
    assertEquals(error.code, "disposed");
  }
});

Deno.test("an idle guest keeps no program from ending", async () => {
  const program = `
    import { Machine } from ${
    JSON.stringify(
      new URL("../../runtime/process/machine.ts", import.meta.url).href,
    )
  };
    import { prepareLaunch } from ${
    JSON.stringify(
      new URL("../../runtime/process/launch.ts", import.meta.url).href,
    )
  };
    import { ProcessPool } from ${
    JSON.stringify(
      new URL("../../runtime/process/pool.ts", import.meta.url).href,
    )
  };
    import { resolveLimits } from ${
    JSON.stringify(new URL("../../security/limits.ts", import.meta.url).href)
  };
    const launch = await prepareLaunch({ limits: resolveLimits({}), read: [], write: [], fileBytes: 0 }, new Machine());
    const child = await new ProcessPool({ spares: 2 }).acquire(launch);
    console.log(child.pid);`;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      `data:application/javascript,${encodeURIComponent(program)}`,
    ],
  }).output();
  assertEquals(code, 0);
  await until(() => !isRunning(Number(text(stdout))), 2_000);
});
