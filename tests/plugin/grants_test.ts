import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { CapabilityKinds } from "../../security/kinds.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import type { Capability } from "../../security/types.ts";
import { notCovered } from "../../wrappers/plugin/covers.ts";
import type { PluginInfo } from "../../wrappers/plugin.ts";
import { counter, Folder, guest, open, REPLY } from "./_plugins.ts";

/** Whether one list of capabilities covers another. */
function covers(granted: object[], asked: object[]): boolean {
  const [one, other] = [granted, asked].map((each) =>
    SecurityPolicy.from(each as unknown as Capability[])
  );
  assert(one !== undefined && other !== undefined);
  return notCovered(one, other, new CapabilityKinds()).length === 0;
}

const HOST = { guest: "/data", host: "/srv/data" };

Deno.test("notCovered() knows what covers what", () => {
  const yes: [object[], object[]][] = [
    [[], []],
    [[{ type: "clock" }], []],
    [[{ type: "clock", mode: "real" }], [{ type: "clock" }]],
    [[{ type: "clock" }], [{ type: "clock", resolutionNs: 5e9 }]],
    [[{ type: "clock" }], [{ type: "clock", mode: "virtual" }]],
    [[{ type: "random" }], [{ type: "random", seed: 1 }]],
    [[{ type: "stdio" }], [{ type: "stdio", stdin: false }]],
    [[{ type: "environment", pass: ["A", "B"] }], [{
      type: "environment",
      pass: ["B"],
    }]],
    [[{ type: "filesystem", mounts: [{ ...HOST, access: "read-write" }] }], [{
      type: "filesystem",
      mounts: [HOST],
    }]],
    [[{ type: "network", hosts: ["*.example.com"] }], [{
      type: "network",
      hosts: ["a.example.com", "*.b.example.com"],
    }]],
    [[{
      type: "network",
      hosts: [{ host: "a.com", methods: ["GET"] }, {
        host: "a.com",
        methods: ["POST"],
      }],
    }], [{
      type: "network",
      hosts: [{ host: "a.com", methods: ["GET", "POST"] }],
    }]],
    [[{ type: "host_functions", functions: ["a", "b"] }], [{
      type: "host_functions",
      functions: ["a"],
      maxCalls: { a: 3 },
    }]],
    [[{ type: "custom_access", resources: ["a"], maxOperations: 9 }], [
      { type: "custom_access", resources: ["a/b"], maxOperations: 4 },
      { type: "custom_access", resources: ["a"], maxOperations: 5 },
    ]],
  ];
  for (const [granted, asked] of yes) {
    assert(covers(granted, asked), JSON.stringify([granted, asked]));
  }
});

Deno.test("notCovered() finds what is more", () => {
  const no: [object[], object[]][] = [
    [[], [{ type: "clock" }]],
    [[{ type: "clock" }], [{ type: "clock", mode: "real" }]],
    [[{ type: "clock" }], [{ type: "clock", resolutionNs: 10 }]],
    [[{ type: "clock", mode: "virtual" }], [{ type: "clock" }]],
    [[{ type: "random", seed: 1 }], [{ type: "random" }]],
    [[{ type: "stdio", stdin: false }], [{ type: "stdio" }]],
    [[{ type: "process", exit: false }], [{ type: "process" }]],
    [[{ type: "environment", variables: { A: "1" } }], [{
      type: "environment",
      pass: ["A"],
    }]],
    [[{ type: "environment", variables: { A: "1" } }], [{
      type: "environment",
      variables: { ["__proto__"]: "1" },
    }]],
    [[{ type: "filesystem", mounts: [HOST] }], [{
      type: "filesystem",
      mounts: [{ ...HOST, access: "read-write" }],
    }]],
    [[{ type: "filesystem", mounts: [HOST] }], [{
      type: "filesystem",
      mounts: [{ ...HOST, symlinks: "within" }],
    }]],
    [[{ type: "filesystem", mounts: [HOST] }], [{
      type: "filesystem",
      mounts: [{ guest: "/data", host: "/srv/data/below" }],
    }]],
    [[{ type: "filesystem", mounts: [HOST] }], [{
      type: "filesystem",
      mounts: [HOST, { guest: "/", host: "/" }],
    }]],
    [[{
      type: "filesystem",
      mounts: [{ guest: "/t", memory: true, maxBytes: 9 }],
    }], [{
      type: "filesystem",
      mounts: [{ guest: "/t", memory: true, maxBytes: 10 }],
    }]],
    [[{ type: "network", hosts: ["*.example.com"] }], [{
      type: "network",
      hosts: ["example.com"],
    }]],
    [[{ type: "network", hosts: ["*.example.com"] }], [{
      type: "network",
      hosts: ["evilexample.com"],
    }]],
    [[{ type: "network", hosts: ["a.example.com"] }], [{
      type: "network",
      hosts: ["*.example.com"],
    }]],
    [[{ type: "network", hosts: ["a.com"] }], [{
      type: "network",
      hosts: ["a.com:8443"],
    }]],
    [[{ type: "network", hosts: [{ host: "a.com", methods: ["GET"] }] }], [{
      type: "network",
      hosts: ["a.com"],
    }]],
    [[{ type: "host_functions", functions: ["a"], maxCalls: { a: 3 } }], [{
      type: "host_functions",
      functions: ["a"],
    }]],
    [[{ type: "custom_access", resources: ["a"], maxOperations: 9 }], [
      { type: "custom_access", resources: ["a"], maxOperations: 5 },
      { type: "custom_access", resources: ["a"], maxOperations: 6 },
    ]],
    [[{ type: "custom_access", resources: ["a"] }], [{
      type: "custom_access",
      resources: ["ab"],
    }]],
    [[{ type: "custom_access", resources: ["a"] }], [{
      type: "custom_access",
      resources: ["a"],
      readOnly: false,
    }]],
  ];
  for (const [granted, asked] of no) {
    assert(!covers(granted, asked), JSON.stringify([granted, asked]));
  }
});

Deno.test("notCovered() asks foreign kinds, and in doubt says no", () => {
  const kinds = new CapabilityKinds().register({
    type: "printing",
    actions: ["print"],
    schema: {},
    notProtected: [],
    parse: (input) => input as Capability,
    permits: () => true,
    denoPermissions: () => ({}),
    describe: () => ["It may print."],
  });
  const of = (...list: object[]) =>
    SecurityPolicy.from(list as unknown as Capability[], kinds);
  const printing = { type: "printing", pages: 1 };
  assertEquals(notCovered(of(printing), of(printing), kinds).length, 0);
  const more = { type: "printing", pages: 2 };
  assertEquals(notCovered(of(printing), of(more), kinds).length, 1);
});

const ASKS_CLOCK = "version: 1\ncapabilities: [{ type: clock }]\n";
const ASKS_MORE =
  "version: 1\nlimits: { memoryBytes: 128MiB }\ncapabilities: [{ type: clock, mode: real }]\n";

Deno.test("what asks for more than was granted is refused until it is approved", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await folder.put("sum.yaml", ASKS_CLOCK);
  const { host, events } = await open({ directory: folder.path });
  await using _ = host;
  const first = host.get("sum");
  assertEquals(first?.state, "awaiting-approval");
  assertEquals(first?.request?.exceeds.length, 1);
  const error = await assertRejects(
    () => host.call("sum", "add", 1),
    SandboxError,
  );
  assert(SandboxError.is(error, "plugin-unavailable"));
  assertEquals(error.details.state, "awaiting-approval");
  assertEquals(events.map(({ type }) => type), ["approval-needed"]);

  await assertRejects(() => host.approve("sum", "0".repeat(64)), SandboxError);
  await assertRejects(
    () => host.approve("sum", first?.request?.moduleSha256 ?? ""),
    SandboxError,
  );
  const { capabilities } = await host.approve("sum", requestOf(first));
  assertEquals(capabilities.map(({ type }) => type), ["clock"]);
  assertEquals(await host.call("sum", "add", 1), 1);

  // less, or as much, needs nobody
  await folder.put("sum.wasm", await counter(2));
  await host.reload("sum");
  assertEquals(host.get("sum")?.version, "2.0.0");
});

Deno.test("a plugin that is named and asks for too much waits as well", async () => {
  const { host } = await open({
    plugins: {
      sum: { module: await counter(1), policy: [{ type: "random" }] },
    },
  });
  await using _ = host;
  assertEquals(host.get("sum")?.state, "awaiting-approval");
  const error = await assertRejects(
    async () =>
      host.load("other", {
        module: await counter(1),
        policy: [{ type: "random" }],
      }),
    SandboxError,
    "asks for more than was granted: It may get random bytes",
  );
  assertEquals(error.code, "plugin-unavailable");
  for (const name of ["sum", "other"]) {
    await host.approve(name, requestOf(host.get(name)));
    assertEquals(await host.call(name, "add", 1), 1);
  }
});

Deno.test("a policy file that asks for more after approval of a smaller one is refused", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await folder.put("sum.yaml", ASKS_CLOCK);
  const { host } = await open({ directory: folder.path });
  await using _ = host;
  const small = requestOf(host.get("sum"));
  await folder.put("sum.yaml", ASKS_MORE);
  // what was looked at is what is approved, whatever the file says by now
  const approved = await host.approve("sum", small);
  assertEquals(
    JSON.stringify(approved.capabilities),
    '[{"type":"clock","mode":"coarse","resolutionNs":1000000,"startMs":0}]',
  );
  await assertRejects(() => host.reload("sum"), SandboxError, "memoryBytes");
  const info = host.get("sum");
  assertEquals(info?.state, "serving");
  assertEquals(info?.request?.exceeds.length, 2);
  assertEquals(info?.capabilities, approved.capabilities);
  await assertRejects(() => host.approve("sum", small), SandboxError);
  await host.approve("sum", requestOf(info));
  assertEquals(host.get("sum")?.capabilities, info?.request?.capabilities);
});

Deno.test("a module that changes needs the approval of another request", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await folder.put("sum.yaml", ASKS_CLOCK);
  const { host } = await open({ directory: folder.path });
  await using _ = host;
  const old = requestOf(host.get("sum"));
  await folder.put("sum.wasm", await counter(2));
  await assertRejects(() => host.reload("sum"), SandboxError);
  await assertRejects(() => host.approve("sum", old), SandboxError);
  assertEquals(host.get("sum")?.state, "awaiting-approval");
});

Deno.test("a change within the grants needs approval, if it asks for more than before", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host } = await open({
    directory: folder.path,
    grants: { policy: [{ type: "clock" }] },
  });
  await using _ = host;
  assertEquals(host.get("sum")?.state, "serving");
  await folder.put("sum.yaml", ASKS_CLOCK);
  await assertRejects(() => host.reload("sum"), SandboxError, "asks for more");
  assertEquals(await host.call("sum", "add", 1), 1);
});

Deno.test("a policy file cannot take a guest out of its process", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await folder.put("sum.yaml", "version: 1\nisolation: inline\n");
  const { host } = await open({
    directory: folder.path,
    grants: { isolation: "process" },
  });
  await using _ = host;
  assertEquals(host.get("sum")?.request?.exceeds, [
    'isolation is "inline", and "process" is granted.',
  ]);
});

Deno.test("a plugin may call only the functions of the host that it asks for", async () => {
  const called: string[] = [];
  const module = await guest(
    { go: `(call $f) ${REPLY.null}` },
    "",
    '(import "env" "f" (func $f))',
  );
  const policy = [{ type: "host_functions", functions: ["env.f"] }];
  const { host } = await open({
    defaults: { imports: { env: { f: () => void called.push("f") } } },
    grants: { policy },
  });
  await using _ = host;
  const error = await assertRejects(
    () => host.load("a", { module }),
    SandboxError,
  );
  assertEquals(error.code, "import-not-granted");
  await host.load("b", { module, policy });
  await host.call("b", "go", null);
  assertEquals(called, ["f"]);
  // named functions are the same
  await host.load("c", { module: await counter(1) });
  await assertRejects(() => host.call("c", "ask", null), SandboxError);
});

Deno.test("limits that are granted hold for plugins that name none", async () => {
  const module = await guest({
    grow:
      `(if (i32.lt_s (memory.grow (i32.const 200)) (i32.const 0)) (then unreachable)) ${REPLY.null}`,
  });
  const { host } = await open({
    grants: { limits: { memoryBytes: 2 ** 20, hostCalls: 5 } },
    plugins: { a: { module } },
  });
  await using _ = host;
  await assertRejects(() => host.call("a", "grow", null), SandboxError);
  await assertRejects(
    () => host.load("b", { module, limits: { memoryBytes: 2 ** 21 } }),
    SandboxError,
    "memoryBytes is 2097152, and 1048576 is granted",
  );
});

function requestOf(info: PluginInfo | undefined): string {
  assert(info?.request !== undefined, "nothing waits");
  return info.request.sha256;
}
