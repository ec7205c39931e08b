import { assertEquals } from "@std/assert";
import CONFIG from "../deno.json" with { type: "json" };

/** What each entry exports beside types, which `deno doc` shows. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  ".": [
    "AuditLog",
    "AuditRecorder",
    "Capabilities",
    "CapabilityKinds",
    "DEFAULT_FEATURES",
    "DEFAULT_LIMITS",
    "FAULT_STATUS",
    "GuestFault",
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
  ],
  "./runtime": [
    "DEFAULT_FEATURES",
    "ProcessPool",
    "RuntimeFactory",
    "V8Runtime",
    "counted",
  ],
  "./runtime-authors": [
    "ALLOC_EXPORT",
    "FREE_EXPORT",
    "broken",
    "checkArguments",
    "checkedResult",
    "exportNotFound",
    "featureMask",
    "hasTypes",
    "instanceBusy",
    "isMessageHandler",
    "quote",
    "readReply",
    "readSource",
    "reasonOf",
    "requestBytes",
    "resolveLimits",
    "shorterTimeout",
    "unsupported",
  ],
  "./wasmtime": [
    "WasmtimeRuntime",
    "findLibrary",
    "installWasmtime",
  ],
  "./wasmer": [
    "WasmerRuntime",
  ],
  "./communication": [
    "CANCEL_METHOD",
    "ChannelFactory",
    "FAULT_STATUS",
    "GuestFault",
    "MAX_JSON_DEPTH",
    "MemoryChannel",
    "MessageQueue",
    "RPC_ERRORS",
    "RpcChannel",
    "RpcFault",
    "RpcPeer",
    "bytes",
    "checkSchema",
    "describeIssues",
    "guestEnd",
    "hostEnd",
    "json",
    "jsonOf",
    "validate",
  ],
  "./security": [
    "AuditLog",
    "AuditRecorder",
    "Capabilities",
    "CapabilityKinds",
    "DEFAULT_LIMITS",
    "LIMIT_NAMES",
    "LIMIT_PRESETS",
    "SecurityAuditor",
    "SecurityPolicy",
    "learnPolicy",
    "resolveLimits",
  ],
  "./audit": [
    "AuditFile",
    "AuditLog",
    "AuditRecorder",
    "auditFiles",
    "auditKeyId",
    "auditSigner",
    "generateAuditKeys",
    "learnPolicy",
    "verifyAudit",
    "verifyAuditLines",
  ],
  "./policy": [
    "POLICY_VERSION",
    "explainPolicy",
    "importExtismManifest",
    "parsePolicy",
    "policySchema",
    "readPolicyFile",
    "stringifyPolicy",
  ],
  "./wrappers": [
    "GUEST_PROPERTIES",
    "Gate",
    "GuestPool",
    "WrapperFactory",
    "checkWrapperOptions",
    "guestOptionsOf",
  ],
  "./custom-wrapper": [
    "CUSTOM",
    "CustomWrapper",
  ],
  "./cli-tool": [
    "CLI_TOOL",
    "CliTool",
    "installTool",
    "listTools",
    "pipeTools",
    "uninstallTool",
  ],
  "./http-server": [
    "DEFAULT_CGI_HEADERS",
    "HTTP_SERVER",
    "HttpServer",
  ],
  "./plugin": [
    "PLUGIN",
    "PluginHost",
  ],
  "./manifest": [
    "MANIFEST_VERSION",
    "manifestSchema",
    "openManifest",
    "parseManifest",
    "readManifestFile",
  ],
  "./mcp-server": [
    "MCP_SERVER",
    "McpServer",
  ],
  "./extism": [
    "CallContext",
    "PluginOutput",
    "createPlugin",
  ],
  "./templates": [
    "HandlebarsTemplate",
    "TemplateFactory",
    "planProject",
    "writeProject",
  ],
  "./testing": [
    "HOSTILE_GUESTS",
    "childProcesses",
    "fakeGuest",
    "measureCpu",
    "measureRss",
    "noProcessLeft",
    "testCapabilityKind",
    "testChannel",
    "testHostileGuests",
    "testRuntime",
    "testTemplate",
    "testWrapper",
    "untilIdle",
  ],
  "./cli": [],
};

Deno.test("every entry is in the table", () => {
  assertEquals(Object.keys(CONFIG.exports), Object.keys(EXPORTS));
});

for (const [entry, file] of Object.entries(CONFIG.exports)) {
  Deno.test(`${entry} exports what it promises`, async () => {
    const names = Object.keys(await import(`../${file.slice(2)}`)).sort();
    assertEquals(names, EXPORTS[entry]);
  });
}

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
