import { assertEquals } from "@std/assert";
import * as communication from "../communication/mod.ts";
import * as core from "../mod.ts";
import * as authors from "../runtime/authors.ts";
import * as testing from "../testing/mod.ts";
import * as cliTool from "../wrappers/cli_tool.ts";
import * as extism from "../wrappers/extism/mod.ts";
import * as custom from "../wrappers/custom_wrapper.ts";
import * as manifest from "../wrappers/manifest/mod.ts";
import * as wrappers from "../wrappers/mod.ts";
import * as mcpServer from "../wrappers/mcp_server.ts";
import * as plugin from "../wrappers/plugin.ts";

Deno.test("mod.ts exports what it promises", () => {
  assertEquals(Object.keys(core).sort(), [
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
  ]);
});

Deno.test("communication/mod.ts exports what it promises", () => {
  assertEquals(Object.keys(communication).sort(), [
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
  ]);
});

Deno.test("runtime/authors.ts exports what it promises", () => {
  assertEquals(Object.keys(authors).sort(), [
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
  ]);
});

Deno.test("testing/mod.ts exports what it promises", () => {
  assertEquals(Object.keys(testing).sort(), [
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
  ]);
});

Deno.test("wrappers/extism/mod.ts exports what it promises", () => {
  assertEquals(Object.keys(extism).sort(), [
    "CallContext",
    "PluginOutput",
    "createPlugin",
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

Deno.test("wrappers/mcp_server.ts exports what it promises", () => {
  assertEquals(Object.keys(mcpServer).sort(), ["MCP_SERVER", "McpServer"]);
});

Deno.test("wrappers/plugin.ts exports what it promises", () => {
  assertEquals(Object.keys(plugin).sort(), ["PLUGIN", "PluginHost"]);
});

Deno.test("wrappers/mod.ts exports what it promises", () => {
  assertEquals(Object.keys(wrappers).sort(), [
    "GUEST_PROPERTIES",
    "Gate",
    "GuestPool",
    "WrapperFactory",
    "checkWrapperOptions",
    "guestOptionsOf",
  ]);
  assertEquals(typeof new wrappers.WrapperFactory().register, "function");
});

Deno.test("wrappers/custom_wrapper.ts exports what it promises", () => {
  assertEquals(Object.keys(custom).sort(), ["CUSTOM", "CustomWrapper"]);
});

Deno.test("wrappers/manifest/mod.ts exports what it promises", () => {
  assertEquals(Object.keys(manifest).sort(), [
    "MANIFEST_VERSION",
    "manifestSchema",
    "openManifest",
    "parseManifest",
    "readManifestFile",
  ]);
});

Deno.test("wrappers/cli_tool.ts exports what it promises", () => {
  assertEquals(Object.keys(cliTool).sort(), [
    "CLI_TOOL",
    "CliTool",
    "installTool",
    "listTools",
    "pipeTools",
    "uninstallTool",
  ]);
});
