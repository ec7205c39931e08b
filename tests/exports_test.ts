import { assertEquals } from "@std/assert";
import * as core from "../mod.ts";

Deno.test("mod.ts exports what it promises", () => {
  assertEquals(Object.keys(core).sort(), [
    "AuditLog",
    "AuditRecorder",
    "Capabilities",
    "CapabilityKinds",
    "DEFAULT_FEATURES",
    "DEFAULT_LIMITS",
    "LIMIT_NAMES",
    "LIMIT_PRESETS",
    "ProcessPool",
    "Registry",
    "RuntimeFactory",
    "Sandbox",
    "SandboxBuilder",
    "SandboxError",
    "SecurityAuditor",
    "SecurityPolicy",
    "V8Runtime",
    "counted",
    "learnPolicy",
    "resolveLimits",
  ]);
});

Deno.test("mod.ts loads with no configuration, no network and no rights", async () => {
  const program = `
    const { Sandbox } = await import(${
    JSON.stringify(new URL("../mod.ts", import.meta.url).href)
  });
    const module = Uint8Array.fromHex("0061736d010000000105016000017f03020100" +
      "070a0106616e7377657200000a06010400412a0b");
    await using sandbox = await Sandbox.create({ module });
    console.log(await sandbox.call("answer"));
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-prompt",
        "--no-remote",
        "--no-npm",
        "--allow-import",
        file,
      ],
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(new TextDecoder().decode(stdout), "42\n");
    assertEquals(code, 0);
  } finally {
    await Deno.remove(file);
  }
});
