import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { Capabilities } from "../../security/capabilities.ts";
import { evil, MODULE, openEvil } from "./_evil.ts";
import { childrenOf, execute, isRunning, open, until } from "./_process.ts";
import { KINDS } from "./evil.ts";

/** How a process that breaks the rules may end. */
const ENDS: Readonly<Record<string, string>> = {
  "exit code": "exit code 7",
  "half a frame": "exit code 0",
  "a kill": "SIGKILL",
  "out of memory": "out of memory",
};

for (const what of KINDS.calls) {
  Deno.test(`call() survives a child of this sort: ${what}`, async () => {
    await using source = await openEvil(what);
    await using instance = await source.instantiate({});
    if (what === "honest" || what === "errors later") {
      assertEquals(await instance.call("add", [2, 3]), 5);
      return;
    }
    const error = await assertRejects(
      () => instance.call("add", [2, 3]),
      SandboxError,
    );
    assert(SandboxError.is(error, "process-failed"), error.message);
    const isEnd = Object.hasOwn(ENDS, what);
    assertEquals(error.details.phase, isEnd ? "run" : "protocol");
    if (isEnd) assertStringIncludes(error.message, ENDS[what] ?? "");
    assertEquals(instance.failure, error);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u001f]/.test(error.message));
  });
}

for (const what of ["honest", ...KINDS.files]) {
  Deno.test(`execute() looks at where files are: ${what}`, async () => {
    await using source = await openEvil(what, {
      capabilities: [Capabilities.memory("/data")],
    });
    await using instance = await source.instantiate({});
    const run = execute(instance, []);
    if (what === "honest") {
      assertEquals([...(await run).files.keys()], ["/data/a"]);
      return;
    }
    const error = await assertRejects(() => run, SandboxError);
    assert(SandboxError.is(error, "process-failed"), error.message);
    assertEquals(error.details.phase, "protocol");
  });
}

for (const what of KINDS.forever) {
  Deno.test(`call() ends a child at the deadline: ${what}`, async () => {
    await using source = await openEvil(what, {
      limits: { timeoutMs: 300, hostCalls: 1_000 },
    });
    await using instance = await source.instantiate({});
    const start = performance.now();
    const error = await assertRejects(
      () => instance.call("add", [2, 3]),
      SandboxError,
    );
    assert(performance.now() - start < 1_500);
    if (what.startsWith("endless ")) {
      assertEquals(error.code, "process-failed");
    } else assertEquals(error.code, "limit-exceeded");
  });
}

for (const what of ["no protocol", "noise", "a lie of the module"]) {
  Deno.test(`create() refuses a child of this sort: ${what}`, async () => {
    const error = await assertRejects(() => openEvil(what), SandboxError);
    assert(SandboxError.is(error, "process-failed"));
    assertEquals(error.details.phase, "protocol");
  });
}

Deno.test("create() tells what cannot be started", async () => {
  const launch = { ...evil(""), command: "/no/such/program" };
  const error = await assertRejects(
    () => open(MODULE, { launch }),
    SandboxError,
    "/no/such/program",
  );
  assert(SandboxError.is(error, "process-failed"));
  assertEquals(error.details.phase, "start");
});

Deno.test("the death of an idle child is noticed", async () => {
  await using source = await openEvil("honest");
  await using instance = await source.instantiate({});
  const before = childrenOf(Deno.pid);
  assertEquals(before.length, 1);
  for (const pid of before) Deno.kill(pid, "SIGKILL");
  await until(() => !before.some(isRunning));
  const error = await assertRejects(
    () => instance.call("add", [2, 3]),
    SandboxError,
  );
  assertEquals(error.code, "process-failed");
  await using next = await source.instantiate({});
  assertEquals(await next.call("add", [2, 3]), 5);
});
