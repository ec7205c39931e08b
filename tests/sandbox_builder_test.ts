import { assert, assertEquals } from "@std/assert";
import { ChannelFactory } from "../communication/mod.ts";
import { CapabilityKinds } from "../security/kinds.ts";
import { RuntimeFactory } from "../runtime/mod.ts";
import type { ProcessPool } from "../runtime/process/pool.ts";
import type { Sandbox } from "../sandbox.ts";
import { SandboxBuilder } from "../sandbox_builder.ts";
import type { SandboxOptions } from "../sandbox_options.ts";
import { SecurityPolicy } from "../security/policy.ts";

const MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const RUNTIMES = new RuntimeFactory();
const CHANNELS = new ChannelFactory();
const KINDS = new CapabilityKinds();
const POLICY = SecurityPolicy.strict();
const POOL = {
  acquire: () => Promise.reject(new Error("not used")),
} as unknown as ProcessPool;
const SINK = () => {};
const FUNCTION = () => 1;

/** Each step, and the options that it stands for. */
const STEPS: Readonly<
  Record<
    Exclude<keyof SandboxBuilder, "build">,
    readonly [
      step: (builder: SandboxBuilder) => SandboxBuilder,
      options: Partial<SandboxOptions>,
    ]
  >
> = {
  module: [(it) => it.module(MODULE), { module: MODULE }],
  modulePath: [(it) => it.modulePath("a.wasm"), { module: "a.wasm" }],
  runtime: [
    (it) => it.runtime("v8", RUNTIMES),
    { runtime: "v8", runtimes: RUNTIMES },
  ],
  isolation: [(it) => it.isolation("inline"), { isolation: "inline" }],
  securityPolicy: [
    (it) => it.securityPolicy(POLICY, KINDS),
    { policy: POLICY, capabilityKinds: KINDS },
  ],
  audit: [(it) => it.audit(SINK), { audit: SINK }],
  processPool: [(it) => it.processPool(POOL), { pool: POOL }],
  memoryLimit: [
    (it) => it.memoryLimit(65_536),
    { limits: { memoryBytes: 65_536 } },
  ],
  timeout: [(it) => it.timeout(10), { limits: { timeoutMs: 10 } }],
  fuel: [(it) => it.fuel(99), { limits: { fuel: 99 } }],
  resourceLimits: [
    (it) => it.resourceLimits({ openFiles: 3 }),
    { limits: { openFiles: 3 } },
  ],
  features: [
    (it) => it.features({ simd: false }),
    { features: { simd: false } },
  ],
  imports: [
    (it) => it.imports({ host: { f: FUNCTION } }),
    { imports: { host: { f: FUNCTION } } },
  ],
  hostFunctions: [
    (it) => it.hostFunctions({ f: FUNCTION }),
    { hostFunctions: { f: FUNCTION } },
  ],
  communicationChannel: [
    (it) => it.communicationChannel("memory", CHANNELS),
    { channel: "memory", channels: CHANNELS },
  ],
  http: [
    (it) => it.http({ maxRedirects: 2 }),
    { http: { maxRedirects: 2 } },
  ],
  linked: [(it) => it.linked({ lib: MODULE }), { linked: { lib: MODULE } }],
  guestAbi: [
    (it) => it.guestAbi({ alloc: "a", free: "f" }),
    { abi: { alloc: "a", free: "f" } },
  ],
  instancePolicy: [
    (it) => it.instancePolicy("fresh"),
    { instance: "fresh" },
  ],
};

/** What a builder would make a sandbox from. */
async function optionsOf(
  step: (builder: SandboxBuilder) => SandboxBuilder,
): Promise<SandboxOptions> {
  const made: SandboxOptions[] = [];
  const builder = new SandboxBuilder((options) => {
    made.push(options);
    return Promise.resolve({} as Sandbox);
  });
  await step(builder.module(MODULE)).build();
  const [options] = made;
  if (options === undefined) throw new Error("nothing was made");
  return options;
}

for (const [name, [step, options]] of Object.entries(STEPS)) {
  Deno.test(`SandboxBuilder.${name}() sets what it says, and no more`, async () => {
    assertEquals(await optionsOf(step), { module: MODULE, ...options });
  });
}

Deno.test("SandboxBuilder keeps what earlier steps have set", async () => {
  const options = await optionsOf((builder) =>
    Object.values(STEPS).reduce((before, [step]) => step(before), builder)
  );
  assertEquals(options.limits, {
    memoryBytes: 65_536,
    timeoutMs: 10,
    fuel: 99,
    openFiles: 3,
  });
  assertEquals(options.module, "a.wasm");
  assert(options.policy === POLICY);
});

Deno.test("SandboxBuilder has no step that is not tested here", () => {
  const steps = Object.getOwnPropertyNames(SandboxBuilder.prototype)
    .filter((name) => name !== "constructor" && name !== "build");
  assertEquals(steps.sort(), Object.keys(STEPS).sort());
});
