import { assert, assertRejects } from "@std/assert";
import type {
  Enforcement,
  HostFunction,
  HostImports,
  Instance,
  Module,
  WasmResult,
  WasmValue,
} from "../../runtime/mod.ts";
import type { LimitName, ResourceLimits } from "../../security/limits.ts";
import { Capabilities, SandboxError } from "../../mod.ts";
import { testRuntime } from "../../testing/mod.ts";
import { broken, type Fault } from "./_broken.ts";

/** Limits without one of them. */
function dropped<T extends { limits?: ResourceLimits }>(
  name: LimitName,
): (options: T) => T {
  return (options) => {
    if (options.limits === undefined) return options;
    const { [name]: _dropped, ...limits } = options.limits;
    return { ...options, limits };
  };
}

/** A runtime that takes a limit, and drops it. */
function drops(name: LimitName): Fault {
  return { compiling: dropped(name), instantiating: dropped(name) };
}

/** A runtime that gives other results. */
function gives(change: (result: WasmResult) => WasmResult): Fault {
  const each = (
    { call, callSync }: Pick<Instance, "call" | "callSync">,
  ): Partial<Instance> => ({
    call: async (...args) => change(await call(...args)),
    callSync: (...args) => change(callSync(...args)),
  });
  return {
    instance: (instance) =>
      each({
        call: (...args) => instance.call(...args),
        callSync: (...args) => instance.callSync(...args),
      }),
  };
}

/** A runtime that fails otherwise, or not at all. */
function fails(instead: (error: unknown, instance: Instance) => WasmResult) {
  return {
    instance: (instance: Instance): Partial<Instance> => ({
      call: async (...args) => {
        try {
          return await instance.call(...args);
        } catch (error) {
          return instead(error, instance);
        }
      },
    }),
  };
}

/** A runtime that puts something around each function of the host. */
function around(wrap: (fn: HostFunction) => HostFunction): Fault {
  const each = (namespace: HostImports[string]) =>
    Object.fromEntries(
      Object.entries(namespace).map(([name, value]) => [
        name,
        typeof value === "function" ? wrap(value) : value,
      ]),
    );
  return {
    instantiating: ({ imports = {}, ...options }) => ({
      ...options,
      imports: Object.fromEntries(
        Object.entries(imports).map(([name, one]) => [name, each(one)]),
      ),
    }),
  };
}

function claims(name: LimitName, entry: Enforcement): Fault {
  return {
    features: (features) => ({
      ...features,
      limits: { ...features.limits, [name]: entry },
    }),
  };
}

const HARD: Enforcement = { level: "hard", by: "nobody, in truth" };
const kept: Instance[] = [];
const shared = new WeakMap<Module, Instance>();
const latest: { module?: Module } = {};

/** Each fault, and the case that finds it. */
const FAULTS:
  readonly (readonly [name: string, fault: Fault, found: string])[] = [
    [
      "takes fuel and counts none",
      {
        ...drops("fuel"),
        instance: (instance) => ({
          usage: () => ({ ...instance.usage(), fuel: 0 }),
        }),
      },
      "directly keeps fuel: what runs is counted, the same each time",
    ],
    [
      "takes fuel and never ends it",
      drops("fuel"),
      "directly keeps fuel: the start function is stopped",
    ],
    [
      "counts fuel another way each time",
      {
        instance: (instance) => ({
          usage: () => ({
            ...instance.usage(),
            fuel: (instance.usage().fuel ?? 0) + Math.random(),
          }),
        }),
      },
      "directly keeps fuel: it ends at the same count each time",
    ],
    [
      "sets no fuel",
      { instance: () => ({ setFuel() {} }) },
      "directly keeps fuel: it can be set anew",
    ],
    [
      "drops memoryBytes",
      drops("memoryBytes"),
      "directly keeps memoryBytes: memory grows to the cap, no further",
    ],
    [
      "drops memoryBytes in sandboxes too",
      drops("memoryBytes"),
      "inline keeps the limit memoryBytes, or refuses it",
    ],
    [
      "drops tableElements",
      drops("tableElements"),
      "inline keeps tableElements: tables grow to the cap, no further",
    ],
    [
      "drops messageBytes",
      drops("messageBytes"),
      "directly keeps messageBytes: requests and replies",
    ],
    [
      "drops moduleBytes",
      drops("moduleBytes"),
      "inline keeps moduleBytes: to the byte",
    ],
    [
      "drops functionBytes",
      drops("functionBytes"),
      "inline keeps the limit functionBytes, or refuses it",
    ],
    [
      "drops hostCalls",
      drops("hostCalls"),
      "inline keeps hostCalls: to the call",
    ],
    [
      "drops the deadline of a call",
      {
        instance: (instance) => ({
          call: (name, args) => instance.call(name, args),
        }),
      },
      "directly keeps timeoutMs: one call may have less",
    ],
    [
      "claims a limit that it refuses",
      claims("cpuMs", HARD),
      "inline keeps the limit cpuMs, or refuses it",
    ],
    [
      "claims a limit that it takes and drops",
      {
        ...claims("stackBytes", HARD),
        ...drops("stackBytes"),
      },
      "inline keeps the limit stackBytes, or refuses it",
    ],
    [
      "enforces a limit that it does not claim",
      {
        features: (
          { limits: { hostCalls: _unclaimed, ...limits }, ...rest },
        ) => ({ ...rest, limits }),
      },
      "refuses limits that it does not claim",
    ],
    [
      "does not say who enforces a limit",
      claims("fuel", { level: "hard", by: " " }),
      "tells what it is",
    ],
    [
      "swallows traps",
      fails(() => 0),
      "directly ends a guest that traps: divide by zero",
    ],
    [
      "lets the engine's errors out",
      fails(() => {
        throw new WebAssembly.RuntimeError("unreachable");
      }),
      "directly ends a guest that traps: unreachable",
    ],
    [
      "says that what trapped lives on",
      {
        instance: () => ({ failure: undefined }),
      },
      "directly ends a guest that traps: call of another type",
    ],
    [
      "tells one failure as another",
      fails((error) => {
        if (!SandboxError.is(error, "limit-exceeded")) throw error;
        throw new SandboxError("trap", "Cannot complete it: it trapped", {
          details: { export: "recursion", kind: "trap" },
        });
      }),
      "directly ends a guest that recurses without end",
    ],
    [
      "gives an i64 without its sign",
      gives((value) =>
        typeof value === "bigint" ? BigInt.asUintN(64, value) : value
      ),
      "directly takes and gives every i64",
    ],
    [
      "gives an i32 without its sign",
      gives((value) =>
        typeof value === "number" && Number.isInteger(value)
          ? value >>> 0
          : value
      ),
      "inline takes and gives every i32",
    ],
    [
      "loses the sign of zero",
      gives((value) => typeof value === "number" ? value + 0 : value),
      "directly takes and gives every f32",
    ],
    [
      "rounds an f64 to an f32",
      gives((value) => typeof value === "number" ? Math.fround(value) : value),
      "directly takes and gives every f64",
    ],
    [
      "gives one result as an array",
      gives((value) => Array.isArray(value) ? value[0] : value),
      "directly gives several results as an array, and none as undefined",
    ],
    [
      "takes arguments that do not fit",
      {
        instance: (instance) => ({
          call: (name, args, options) =>
            instance.call(
              name,
              args.map((each) =>
                typeof each === "string" ? Number(each) : each
              ) as WasmValue[],
              options,
            ),
        }),
      },
      "directly refuses arguments that do not fit, and lives on",
    ],
    [
      "accepts a module of another runtime",
      {
        compiled: (module) => latest.module = module,
        instantiate: (v8, module, options) =>
          v8.instantiate(latest.module ?? module, options),
      },
      "instantiate() refuses modules that it did not compile",
    ],
    [
      "gives one instance to all",
      {
        async instantiate(v8, module, options) {
          const instance = shared.get(module) ??
            await v8.instantiate(module, options);
          shared.set(module, instance);
          return instance;
        },
        instance: () => ({
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      },
      "directly keeps the state of an instance, and of no other",
    ],
    [
      "starts each instance twice",
      {
        async instantiate(v8, module, options) {
          await v8.instantiate(module, options);
          return await v8.instantiate(module, options);
        },
      },
      "directly runs the start function, once for each instance",
    ],
    [
      "keeps instances alive that are disposed",
      {
        instance: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
      },
      "lets an instance go, once and for all",
    ],
    [
      "never frees what is disposed",
      {
        instance: (instance) => {
          kept.push(instance);
          return { [Symbol.asyncDispose]: () => Promise.resolve() };
        },
      },
      "directly keeps nothing of guests that were let go",
    ],
    [
      "outlives its disposal",
      { outlives: true },
      "ends with all its instances, once and for all",
    ],
    [
      "ignores signals",
      {
        compiling: ({ signal: _signal, ...options }) => options,
      },
      "compile() ends with the signal's reason",
    ],
    [
      "takes what its host throws for a result",
      around((fn) => (...args) => {
        try {
          return fn(...args);
        } catch {
          return 0;
        }
      }),
      "directly ends a guest whose host throws",
    ],
    [
      "takes any result of its host",
      around((fn) => (...args) => {
        const result = fn(...args);
        return typeof result === "string" ? Number(result) : result;
      }),
      "inline ends a guest whose host gives something else",
    ],
    [
      "grants what is inherited",
      {
        instantiating: ({ imports = {}, ...options }) => ({
          ...options,
          imports: { env: { ...imports.env, started: () => 1 } },
        }),
      },
      "directly grants imports by name and kind, and nothing that is inherited",
    ],
    [
      "believes a guest that lies",
      {
        instance: () => ({
          exchange: <T>(_name: string, request: T) =>
            Promise.resolve(request as never),
        }),
      },
      "directly ends a guest that lies: a reply past the end",
    ],
    [
      "claims a proposal that it refuses",
      {
        features: ({ wasm, ...rest }) => ({ ...rest, wasm: [...wasm, "gc"] }),
      },
      "takes gc only if it claims it, and if it is allowed",
    ],
    [
      "takes a proposal that it does not claim",
      {
        features: ({ wasm, ...rest }) => ({
          ...rest,
          wasm: wasm.filter((each) => each !== "simd"),
        }),
      },
      "takes simd only if it claims it, and if it is allowed",
    ],
    [
      "claims an isolation that nobody knows",
      {
        features: (features) => ({ ...features, isolations: [] }),
      },
      "tells what it is",
    ],
    [
      "grants more in a process than is asked for",
      {
        opening: ({ capabilities, ...parts }) => ({
          ...parts,
          capabilities: [...capabilities, Capabilities.random()],
        }),
      },
      "in a process gives random bytes if they are granted",
    ],
    [
      "grants files in a process that nobody granted",
      {
        opening: ({ capabilities, ...parts }) => ({
          ...parts,
          capabilities: [...capabilities, Capabilities.memory("/")],
        }),
      },
      "in a process gives no files that are not granted",
    ],
    [
      "drops a limit of its processes",
      {
        opening: ({ limits, ...parts }) => ({
          ...parts,
          limits: { ...limits, stdoutBytes: 2 ** 20 },
        }),
      },
      "in a process keeps the limit stdoutBytes, or refuses it",
    ],
    [
      "forgets the deadline of its processes",
      {
        opening: ({ limits, ...parts }) => ({
          ...parts,
          limits: { ...limits, timeoutMs: 2_500 },
        }),
      },
      "in a process keeps the limit timeoutMs, or refuses it",
    ],
  ];

async function casesOf(
  fault: Fault,
): Promise<ReadonlyMap<string, () => Promise<void>>> {
  const cases = new Map<string, () => Promise<void>>();
  await testRuntime("It", () => broken(fault), {
    test: (name, run) => {
      assert(!cases.has(name), `two cases are called "${name}"`);
      cases.set(name, run);
    },
  });
  return cases;
}

for (const [name, fault, found] of FAULTS) {
  Deno.test(`testRuntime() finds a runtime that ${name}`, async () => {
    const run = (await casesOf(fault)).get(`It ${found}`);
    assert(run !== undefined, `no case is called "${found}"`);
    const error = await assertRejects(run);
    const isSaid = String(error).includes("The runtime does not conform");
    assert(isSaid || SandboxError.is(error), `it fails with ${error}`);
    for (const instance of kept.splice(0)) {
      await instance[Symbol.asyncDispose]();
    }
  });
}

for (const found of new Set(FAULTS.map(([, , found]) => found))) {
  Deno.test(`testRuntime() takes what has no fault: ${found}`, async () => {
    const run = (await casesOf({})).get(`It ${found}`);
    assert(run !== undefined, `no case is called "${found}"`);
    await run();
  });
}
