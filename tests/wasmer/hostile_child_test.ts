import { assert, assertEquals, assertRejects } from "@std/assert";
import { Capabilities, SandboxError } from "../../mod.ts";
import { ChildProcess } from "../../runtime/process/child_process.ts";
import type { CommandOutcome } from "../../runtime/guest_source.ts";
import { WasmerInstance } from "../../runtime/wasmer/instance.ts";
import { resolveLimits } from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import { childrenOf, services, until } from "../process/_process.ts";
import { evil } from "../process/_evil.ts";
import { USUAL, workspace } from "./_wasmer.ts";
import { KINDS } from "./evil.ts";

const CAPABILITIES = SecurityPolicy.from([
  ...USUAL,
  Capabilities.random(),
  workspace({ maxBytes: 1_000 }),
]).capabilities;

/** Runs a program in a process that lies, and sees that nothing of it stays. */
async function runIn(
  what: string,
  capabilities = CAPABILITIES,
): Promise<CommandOutcome> {
  const launch = evil(what);
  const child = await ChildProcess.start({
    ...launch,
    args: launch.args.map((each) =>
      each.endsWith("/evil.ts") ? import.meta.resolve("./evil.ts") : each
    ),
  }, { program: new Uint8Array() });
  const exports = [{
    name: "_start",
    kind: "function",
    signature: { params: [], results: [] },
  }] as const;
  const instance = await WasmerInstance.create({
    child,
    module: {
      byteLength: 0,
      imports: [],
      exports,
      memories: [],
      features: [],
      hasStart: false,
    },
    capabilities,
    limits: resolveLimits({ timeoutMs: 2_000, stdoutBytes: 100_000 }),
    services: services({}),
    onEvent() {},
  }, {});
  const memory = Deno.memoryUsage().rss;
  try {
    return await instance.execute({
      args: ["guest"],
      env: {},
      files: {},
      stdin: new Uint8Array(1_000),
    });
  } finally {
    await instance[Symbol.asyncDispose]();
    await until(() => childrenOf(Deno.pid).length === 0);
    assert(Deno.memoryUsage().rss - memory < 200 * 2 ** 20, "host's memory");
  }
}

for (const what of KINDS.lies) {
  Deno.test(`execute() takes no lie of Wasmer's process: ${what}`, async () => {
    const error = await assertRejects(() => runIn(what), SandboxError);
    if (what === "endless reading") {
      assert(SandboxError.is(error, "limit-exceeded"), error.message);
      return;
    }
    assert(SandboxError.is(error, "process-failed"), error.message);
    assertEquals(error.details.phase, "protocol");
  });
}

for (const what of KINDS.deaths) {
  Deno.test(`execute() notices the end of Wasmer's process: ${what}`, async () => {
    const error = await assertRejects(() => runIn(what), SandboxError);
    assert(SandboxError.is(error, "process-failed"), error.message);
    assertEquals(error.details.phase, "run");
  });
}

for (const what of KINDS.stays) {
  Deno.test(`execute() ends Wasmer's process at the deadline: ${what}`, async () => {
    const start = performance.now();
    const error = await assertRejects(() => runIn(what), SandboxError);
    assert(performance.now() - start < 6_000);
    if (what === "closed streams") return;
    assert(SandboxError.is(error, "limit-exceeded"), error.message);
    assertEquals(error.details.limit, "timeoutMs");
  });
}

for (const what of KINDS.afterwards) {
  Deno.test(`execute() hears nothing of Wasmer's process behind its end: ${what}`, async () => {
    const { files } = await runIn(what);
    assertEquals([...files.keys()], ["/workspace/a"]);
  });
}

Deno.test("execute() takes no files of Wasmer's process without a mount", async () => {
  const error = await assertRejects(
    () => runIn("a second end", SecurityPolicy.from(USUAL).capabilities),
    SandboxError,
  );
  assertEquals(error.code, "process-failed");
});
