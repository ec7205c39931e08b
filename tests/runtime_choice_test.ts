import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  Capabilities,
  Sandbox,
  SandboxError,
  type SandboxOptions,
} from "../mod.ts";
import {
  type Runtime,
  RuntimeFactory,
  type RuntimeFeatures,
  type RuntimeNeed,
  V8Runtime,
} from "../runtime/mod.ts";
import { wat } from "./wasm.ts";

const MODULE = await wat(
  '(module (func (export "answer") (result i32) i32.const 42))',
);

/** What became of the runtimes of one test. */
interface Seen {
  readonly made: string[];
  readonly disposed: string[];
}

/** V8, which says of itself that it offers something else. */
function lesser(
  name: string,
  { made, disposed }: Seen,
  change: Partial<RuntimeFeatures>,
): Runtime {
  const v8 = new V8Runtime();
  made.push(name);
  return {
    name,
    features: { ...v8.features, ...change },
    compile: (...args) => v8.compile(...args),
    instantiate: (...args) => v8.instantiate(...args),
    openProcess: (...args) => v8.openProcess(...args),
    [Symbol.asyncDispose]() {
      disposed.push(name);
      return v8[Symbol.asyncDispose]();
    },
  };
}

/** Names in order, the first of which lack something. */
function factory(seen: Seen): RuntimeFactory {
  const { limits } = new V8Runtime().features;
  const { fuel: _fuel, ...withoutFuel } = limits;
  return new RuntimeFactory()
    .register("v8", () => lesser("v8", seen, { sync: false }), {
      override: true,
    })
    .register("wasmtime", () => {
      throw new SandboxError("runtime-unavailable", "Cannot use it: not here", {
        details: { runtime: "wasmtime", reason: "not here", suggestion: "" },
      });
    }, { override: true })
    .register("wasmer", () => lesser("wasmer", seen, { limits: withoutFuel }), {
      override: true,
    })
    .register("last", () => lesser("last", seen, {}));
}

function noted(): Seen {
  return { made: [], disposed: [] };
}

function create(
  seen: Seen,
  options: Partial<SandboxOptions>,
): Promise<Sandbox> {
  return Sandbox.create({
    module: MODULE,
    runtime: "auto",
    runtimes: factory(seen),
    ...options,
  });
}

Deno.test("Sandbox.create() chooses the first runtime that offers what is asked for", async () => {
  const seen = noted();
  await using sandbox = await create(seen, {
    need: ["sync"],
    limits: { fuel: 9 },
  });
  const { runtime, passedOver = [] } = sandbox.enforcement();
  assertEquals(runtime, "last");
  assertEquals(await sandbox.call("answer"), 42);
  assertEquals(passedOver.map((each) => each.runtime), [
    "v8",
    "wasmtime",
    "wasmer",
  ]);
  assertStringIncludes(passedOver[0]?.reason ?? "", '"sync"');
  assertStringIncludes(passedOver[1]?.reason ?? "", "not here");
  assertStringIncludes(passedOver[2]?.reason ?? "", "fuel");
});

Deno.test("Sandbox.create() disposes the runtimes that it passes over, and the chosen one at the end", async () => {
  const seen = noted();
  const sandbox = await create(seen, { need: ["sync"], limits: { fuel: 9 } });
  assertEquals(seen, {
    made: ["v8", "wasmer", "last"],
    disposed: ["v8", "wasmer"],
  });
  await sandbox[Symbol.asyncDispose]();
  assertEquals(seen.disposed, ["v8", "wasmer", "last"]);
});

Deno.test("Sandbox.create() takes the first runtime if nothing is asked for, and no other", async () => {
  const seen = noted();
  await using sandbox = await create(seen, {});
  assertEquals(seen.made, ["v8"]);
  assertEquals(sandbox.enforcement().passedOver, []);
});

Deno.test("Sandbox.create() says why each runtime was passed over if none is left", async () => {
  const error = await assertRejects(
    () => create(noted(), { need: ["wasix"] }),
    SandboxError,
    'Cannot choose a runtime: none offers "wasix"',
  );
  assert(SandboxError.is(error, "unsupported"));
  for (const name of ["v8: ", "wasmtime: ", "wasmer: ", "last: "]) {
    assertStringIncludes(error.message, name);
  }
});

Deno.test("Sandbox.create() does not look for another runtime if the guest is at fault", async () => {
  const seen = noted();
  await assertRejects(
    () => create(seen, { module: new Uint8Array([0, 1, 2]) }),
    SandboxError,
  );
  assertEquals([seen.made, seen.disposed], [["v8"], ["v8"]]);
});

Deno.test("Sandbox.create() reads a response once, for all runtimes", async () => {
  await using sandbox = await create(noted(), {
    module: new Response(MODULE),
    need: ["sync"],
  });
  assertEquals(sandbox.callSync("answer"), 42);
});

Deno.test("Sandbox.create() chooses the isolation that the runtime has", async () => {
  const runtime = lesser("apart", noted(), { isolations: ["process"] });
  await using _end = runtime;
  await using sandbox = await Sandbox.create({ module: MODULE, runtime });
  assertEquals(sandbox.isolation, "process");
  const error = await assertRejects(
    () => Sandbox.create({ module: MODULE, runtime, isolation: "inline" }),
    SandboxError,
    'the runtime "apart"',
  );
  assert(SandboxError.is(error, "unsupported"));
});

Deno.test("Sandbox.create() does not run host directories on a runtime that has no process", async () => {
  const runtime = lesser("near", noted(), { isolations: ["inline"] });
  await using _end = runtime;
  const folder = await Deno.makeTempDir();
  try {
    await assertRejects(
      () =>
        Sandbox.create({
          module: MODULE,
          runtime,
          policy: [
            Capabilities.filesystem({ mounts: [{ guest: "/", host: folder }] }),
          ],
        }),
      SandboxError,
      'isolation "process"',
    );
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("Sandbox.create() refuses a named runtime that lacks what is needed", async () => {
  const error = await assertRejects(
    () => Sandbox.create({ module: MODULE, need: ["cpuMs"] }),
    SandboxError,
    "cpuMs",
  );
  assert(SandboxError.is(error, "unsupported"));
  assertEquals(error.details, { runtime: "v8", feature: '"cpuMs"' });
});

Deno.test("Sandbox.create() counts limits that the sandbox itself keeps as offered", async () => {
  await using sandbox = await Sandbox.create({
    module: MODULE,
    need: ["messages", "instances", "streamBytes", "simd", "calls"],
  });
  assertEquals(sandbox.enforcement().runtime, "v8");
});

Deno.test("Sandbox.create() suggests the nearest need, and the nearest runtime", async () => {
  const wrong = ["fuels", 3] as unknown as readonly RuntimeNeed[];
  const error = await assertRejects(() =>
    Sandbox.create({ module: MODULE, need: wrong })
  );
  assertInstanceOf(error, TypeError);
  assertStringIncludes(error.message, 'did you mean "fuel"?');
  assertStringIncludes(error.message, '"3"');
  await assertRejects(
    () => Sandbox.create({ module: MODULE, runtime: "wasmtme" }),
    SandboxError,
    'did you mean "wasmtime"?',
  );
});

Deno.test("SandboxBuilder.runtime() takes needs and a factory", async () => {
  const seen = noted();
  await using sandbox = await Sandbox.builder()
    .module(MODULE)
    .runtime("auto", { need: ["sync"], runtimes: factory(seen) })
    .build();
  assertEquals(sandbox.enforcement().runtime, "wasmer");
  await using other = await Sandbox.builder()
    .module(MODULE)
    .runtime("last", factory(seen))
    .build();
  assertEquals(other.enforcement().runtime, "last");
});

Deno.test('RuntimeFactory.register() keeps the name "auto" free', () => {
  assertThrows(
    () => new RuntimeFactory().register("auto", () => new V8Runtime()),
    TypeError,
    '"auto"',
  );
});
