import { assert, assertEquals, assertRejects } from "@std/assert";
import { V8Runtime } from "../../runtime/mod.ts";
import type {
  HostModule,
  Instance,
  InstantiateOptions,
} from "../../runtime/types.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import { GuestHand } from "../wasi/_guest.ts";
import { wat } from "../wasm.ts";
import { assertAtRest, failure, later } from "./_waits.ts";

/** Modules in the text format, by name; `main` is the main one. */
type Texts = Readonly<Record<string, string>> & { readonly main: string };

/** Compiles and instantiates modules together. */
async function linked(
  runtime: V8Runtime,
  { main, ...others }: Texts,
  options: InstantiateOptions & { limits?: ResourceLimits } = {},
): Promise<Instance> {
  const { limits = {}, ...rest } = options;
  const compile = async (text: string) =>
    await runtime.compile(await wat(text), {
      limits,
      features: { multiMemory: true },
    });
  const modules = await Promise.all(
    Object.entries(others).map(async ([name, text]) =>
      [name, await compile(text)] as const
    ),
  );
  return await runtime.instantiate(await compile(main), {
    linked: Object.fromEntries(modules),
    ...rest,
  });
}

const RHS = `(module
  (func (export "add_one") (param i32) (result i32)
    (i32.add (local.get 0) (i32.const 1))))`;
const LHS = `(module
  (import "rhs" "add_one" (func $add_one (param i32) (result i32)))
  (func (export "add_two") (param i32) (result i32)
    (call $add_one (call $add_one (local.get 0)))))`;
const MAIN = `(module
  (import "lhs" "add_two" (func $add_two (param i32) (result i32)))
  (func (export "run") (param i32) (result i32) (call $add_two (local.get 0))))`;

Deno.test("InstantiateOptions.linked links a chain, in any order", async () => {
  await using runtime = new V8Runtime();
  for (
    const texts of [
      { main: MAIN, lhs: LHS, rhs: RHS },
      { main: MAIN, rhs: RHS, lhs: LHS, unused: RHS },
    ]
  ) {
    const instance = await linked(runtime, texts);
    assertEquals(instance.callSync("run", [40]), 42);
    assertEquals(instance.exports.map(({ name }) => name), ["run"]);
    assertEquals(instance.usage().hostCalls, 0);
  }
});

Deno.test("InstantiateOptions.linked says who misses what", async () => {
  await using runtime = new V8Runtime();
  const error = await failure(
    linked(runtime, { main: MAIN, lhs: LHS }),
    "import-not-granted",
  );
  assert(
    error.message.includes(
      'from module "main"/"lhs": "rhs"."add_one" is not provided',
    ),
    error.message,
  );
  assertEquals(error.details.missing, [
    { module: "rhs", name: "add_one", kind: "function" },
  ]);
  // there, but of another type or kind, or of the rewriter's
  for (
    const rhs of [
      `(module (func (export "add_one") (param i64) (result i32)
        (i32.const 1)))`,
      `(module (global (export "add_one") i32 (i32.const 1)))`,
      `(module)`,
    ]
  ) {
    await failure(
      linked(runtime, { main: MAIN, lhs: LHS, rhs }),
      "import-not-granted",
    );
  }
  await failure(
    linked(runtime, {
      main: `(module (import "x" "m" (memory 2)) (func (export "run")))`,
      x: `(module (memory (export "m") 1 1))`,
    }),
    "import-not-granted",
  );
  for (const name of ["wasm_sandbox:table0", "wasm_sandbox:start"]) {
    const error = await assertRejects(() =>
      linked(runtime, {
        main: `(module (import "x" "${name}" (table 1 funcref)))`,
        x: `(module (table 1 1 funcref) (func $s) (start $s))`,
      })
    );
    assert(/refused|not-granted/.test((error as { code?: string }).code ?? ""));
  }
});

Deno.test("InstantiateOptions.linked takes functions of the host before those of modules", async () => {
  await using runtime = new V8Runtime();
  const instance = await linked(runtime, { main: MAIN, lhs: LHS, rhs: RHS }, {
    imports: { rhs: { add_one: (n: number) => n + 100 } },
  });
  assertEquals(instance.callSync("run", [1]), 201);
  assertEquals(instance.usage().hostCalls, 2);
});

Deno.test("InstantiateOptions.linked links functions in a circle, the main module's too", async () => {
  await using runtime = new V8Runtime();
  const instance = await linked(runtime, {
    main: `(module
      (import "a" "even" (func $even (param i32) (result i32)))
      (import "main" "zero" (func $zero (result i32)))
      (func (export "zero") (result i32) (i32.const 0))
      (func (export "base") (param i64 f32 f64) (result i64) (local.get 0))
      (func (export "run") (param i32) (result i32)
        (i32.add (call $zero) (call $even (local.get 0)))))`,
    a: `(module
      (import "b" "odd" (func $odd (param i32) (result i32)))
      (import "main" "base" (func $base (param i64 f32 f64) (result i64)))
      (func (export "even") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (call $odd (i32.sub (local.get 0) (i32.const 1))))
          (else (i32.wrap_i64
            (call $base (i64.const 1) (f32.const 2) (f64.const 3)))))))`,
    b: `(module
      (import "a" "even" (func $even (param i32) (result i32)))
      (func (export "odd") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (call $even (i32.sub (local.get 0) (i32.const 1))))
          (else (i32.const 0)))))`,
  });
  assertEquals([10, 11, 0, 1].map((n) => instance.callSync("run", [n])), [
    1,
    0,
    1,
    0,
  ]);
  const deep = await failure(instance.call("run", [1e6]), "limit-exceeded");
  assertEquals(deep.details.limit, "stack");
});

Deno.test("InstantiateOptions.linked refuses a circle of memories, and too many of functions", async () => {
  await using runtime = new V8Runtime();
  await failure(
    linked(runtime, {
      main: `(module (import "a" "m" (memory 1)) (memory (export "m") 1))`,
      a: `(module (import "main" "m" (memory 1)) (memory (export "m") 1))`,
    }),
    "module-refused",
  );
  await failure(
    linked(runtime, {
      main: `(module (import "main" "g" (global i32))
        (global (export "g") i32 (i32.const 1)))`,
      a: `(module)`,
    }),
    "module-refused",
  );
  const names = Array.from({ length: 1_001 }, (_, index) => `f${index}`);
  const imports = names.map((name) => `(import "main" "${name}" (func))`);
  const exports = names.map((name) => `(func (export "${name}"))`);
  const main = `(module ${imports.join(" ")} ${exports.join(" ")})`;
  await failure(linked(runtime, { main, a: "(module)" }), "module-refused");
  // a function in one direction, a memory in the other
  const instance = await linked(runtime, {
    main: `(module (import "a" "set" (func $set))
      (memory (export "m") 1)
      (func (export "run") (result i32) (call $set) (i32.load (i32.const 8))))`,
    a: `(module (import "main" "m" (memory 1))
      (func (export "set") (i32.store (i32.const 8) (i32.const 77))))`,
  });
  assertEquals(instance.callSync("run", []), 77);
});

Deno.test("InstantiateOptions.linked lets memories, tables and globals cross", async () => {
  await using runtime = new V8Runtime();
  const instance = await linked(runtime, {
    main: `(module
      (import "lib" "memory" (memory 1))
      (import "lib" "table" (table 2 funcref))
      (import "lib" "count" (global $count (mut i64)))
      (import "lib" "base" (global $base i32))
      (import "lib" "reads" (func $reads (result i32)))
      (type $answer (func (result i32)))
      (func $mine (result i32) (i32.const 5))
      (elem (i32.const 1) $mine)
      (data (i32.const 64) "hello")
      (func (export "run") (result i32)
        (global.set $count (i64.add (global.get $count) (i64.const 1)))
        (i32.add (global.get $base) (i32.add
          (call_indirect (type $answer) (i32.const 0))
          (call_indirect (type $answer) (i32.const 1)))))
      (export "memory" (memory 0)) (export "count" (global $count))
      (export "lib_reads" (func $reads)))`,
    lib: `(module
      (memory (export "memory") 1) (table (export "table") 2 2 funcref)
      (global (export "count") (mut i64) (i64.const 0))
      (global (export "base") i32 (i32.const 1000))
      (func $theirs (result i32) (i32.const 30)) (elem (i32.const 0) $theirs)
      (func (export "reads") (result i32) (i32.load8_u (i32.const 64))))`,
  });
  assertEquals(instance.callSync("run", []), 1035);
  assertEquals(instance.callSync("lib_reads", []), 104);
  const { memoryBytes, tableElements } = instance.usage();
  assertEquals([memoryBytes, tableElements], [65_536, 2]);
});

Deno.test("InstantiateOptions.linked keeps all memories and tables under one cap", async () => {
  await using runtime = new V8Runtime();
  const page = 65_536;
  const growing = (import_: string) =>
    `(module ${import_} (memory 1)
      (func (export "grow") (result i32) (local $n i32)
        (loop (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1))
          (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br 1))))
        (local.get $n)))`;
  const limits = { memoryBytes: 10 * page, tableElements: 100 };
  const instance = await linked(runtime, {
    main: growing(
      `(import "a" "grow" (func $a (result i32)))
       (import "b" "grow" (func $b (result i32)))
       (export "a" (func $a)) (export "b" (func $b))`,
    ),
    a: growing(""),
    b: growing(""),
  }, { limits });
  for (const name of ["a", "b", "grow"]) instance.callSync(name, []);
  assert(instance.usage().memoryBytes <= limits.memoryBytes);
  assert(instance.usage().memoryBytes >= 8 * page);
  const error = await failure(
    linked(
      runtime,
      { main: "(module (memory 6))", a: "(module (memory 6))" },
      { limits },
    ),
    "limit-exceeded",
  );
  assertEquals(error.details.limit, "memoryBytes");
  const table = "(module (table 1 funcref))";
  const tables = await failure(
    linked(runtime, { main: table, a: table }, { limits }),
    "limit-exceeded",
  );
  assertEquals(tables.details.limit, "tableElements");
  // each has a share
  const share = { ...limits, tableElements: 50 };
  const compile = async () =>
    await runtime.compile(await wat(table), { limits: share });
  const shared = await runtime.instantiate(await compile(), {
    linked: { a: await compile() },
    limits,
  });
  assertEquals(shared.usage().tableElements, 2);
});

Deno.test("InstantiateOptions.linked stops a loop in any module, and in start functions", async () => {
  await using runtime = new V8Runtime();
  const limits = { timeoutMs: 60 };
  const main = `(module (import "a" "spin" (func $spin))
    (func (export "run") (try (do (call $spin)) (catch_all))))`;
  const a = `(module (func (export "spin") (loop (br 0))))`;
  const start = performance.now();
  const instance = await linked(runtime, { main, a }, { limits });
  const error = await failure(instance.call("run", []), "limit-exceeded");
  assertEquals(error.details.limit, "timeoutMs");
  await failure(
    linked(runtime, {
      main,
      a: `(module (func $spin (export "spin") (loop (br 0))) (start $spin))`,
    }, { limits }),
    "limit-exceeded",
  );
  assert(performance.now() - start < 2_000);
  await assertAtRest();
});

Deno.test("InstantiateOptions.linked runs start functions in the order of dependencies", async () => {
  await using runtime = new V8Runtime();
  const order: number[] = [];
  const unit = (n: number, imports: string) =>
    `(module ${imports} (import "env" "note" (func $note (param i32)))
      (func $start (call $note (i32.const ${n}))) (start $start)
      (func (export "f")))`;
  await linked(runtime, {
    main: unit(3, `(import "a" "f" (func))`),
    a: unit(2, `(import "b" "f" (func))`),
    b: unit(1, ""),
  }, { imports: { env: { note: (n: number) => void order.push(n) } } });
  assertEquals(order, [1, 2, 3]);
  await failure(
    linked(runtime, {
      main: "(module)",
      a: "(module (func $start unreachable) (start $start))",
    }),
    "trap",
  );
});

Deno.test("InstantiateOptions.linked knows hostile names as names only", async () => {
  await using runtime = new V8Runtime();
  const names = ["__proto__", "constructor", "toString", "then"];
  for (const name of names) {
    const lib = `(module (func (export "${name}") (result i32) (i32.const 9)))`;
    const main = (module: string, field: string) =>
      `(module (import "${module}" "${field}" (func $f (result i32)))
        (func (export "run") (result i32) (call $f)))`;
    const others = { [name]: lib };
    const instance = await linked(runtime, {
      main: main(name, name),
      ...others,
    });
    assertEquals(instance.callSync("run", []), 9);
    for (const missing of names) {
      if (missing === name) continue;
      for (const pair of [[name, missing], [missing, name]] as const) {
        await failure(
          linked(runtime, { main: main(...pair), ...others }),
          "import-not-granted",
        );
      }
    }
  }
});

Deno.test("InstantiateOptions.linked refuses what cannot be: names, doubles, fuel, strangers", async () => {
  await using runtime = new V8Runtime();
  await using other = new V8Runtime();
  const bytes = await wat("(module)");
  const main = await runtime.compile(bytes);
  const module = await runtime.compile(bytes);
  const host: HostModule = { name: "host", signatures: {}, link: () => ({}) };
  const refused: readonly InstantiateOptions[] = [
    { linked: { main: module } },
    { linked: { host: module }, hostModules: [host] },
    { linked: { a: module, b: module } },
    { linked: { a: main } },
    { linked: { a: {} as typeof module } },
  ];
  for (const options of refused) {
    await assertRejects(() => runtime.instantiate(main, options), TypeError);
  }
  const fuel = { fuel: 1000 };
  const counted = await runtime.compile(bytes, { limits: fuel });
  await assertRejects(
    () => runtime.instantiate(main, { linked: { a: counted } }),
    TypeError,
    "fuel differs",
  );
  const error = await failure(
    runtime.instantiate(await runtime.compile(bytes, { limits: fuel }), {
      linked: { a: counted },
    }),
    "unsupported",
  );
  assert(error.message.includes("linked"));
  await runtime.instantiate(main, { linked: {} });
  await other.instantiate(main, { linked: { a: module } });
});

Deno.test("InstantiateOptions.linked gives host modules the memory of the module that calls", async () => {
  await using runtime = new V8Runtime();
  const seen: number[] = [];
  const host: HostModule = {
    name: "host",
    signatures: { peek: { params: [], results: [] } },
    link: (guest) => ({
      peek: () =>
        void seen.push(guest.memory().length, guest.memory()[0] ?? -1),
    }),
  };
  const instance = await linked(runtime, {
    main: `(module (import "host" "peek" (func $peek))
      (import "side" "peek" (func $side)) (memory (export "memory") 2)
      (data (i32.const 0) "A")
      (func (export "run") (call $peek) (call $side) (call $peek)))`,
    side: `(module (import "host" "peek" (func $peek))
      (memory (export "memory") 1) (data (i32.const 0) "B")
      (func (export "peek") (call $peek)))`,
  }, { hostModules: [host] });
  instance.callSync("run", []);
  assertEquals(seen, [131_072, 65, 65_536, 66, 131_072, 65]);
});

Deno.test("InstantiateOptions.linked lets a linked module wait, across a circle", async () => {
  await using runtime = new V8Runtime();
  const host: HostModule = {
    name: "host",
    signatures: { wait: { params: ["i32"], results: ["i32"] } },
    suspending: ["wait"],
    link: () => ({ wait: (n: number) => later(1, n * 2) }),
  };
  const instance = await linked(runtime, {
    main:
      `(module (import "side" "twice" (func $twice (param i32) (result i32)))
      (func (export "one") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 1)))
      (func (export "run") (param i32) (result i32) (call $twice (local.get 0))))`,
    side: `(module (import "host" "wait" (func $wait (param i32) (result i32)))
      (import "main" "one" (func $one (param i32) (result i32)))
      (func (export "twice") (param i32) (result i32)
        (call $one (call $wait (call $one (call $wait (local.get 0)))))))`,
  }, { hostModules: [host] });
  assertEquals(await instance.call("run", [10]), 43);
  await assertAtRest();
});

Deno.test("InstantiateOptions.linked ends all modules with a trap that nobody catches", async () => {
  await using runtime = new V8Runtime();
  const instance = await linked(runtime, {
    main: `(module (import "side" "f" (func $f (result i32)))
      (func (export "run") (result i32)
        (try (result i32) (do (call $f)) (catch_all (i32.const 1)))))`,
    side: `(module (import "env" "fail" (func $fail))
      (func (export "f") (result i32) (call $fail) (i32.const 2)))`,
  }, {
    imports: {
      env: {
        fail: () => {
          throw new Error("no");
        },
      },
    },
  });
  await failure(instance.call("run", []), "host-function-failed");
  await failure(instance.call("run", []), "instance-dead");
});

Deno.test("InstantiateOptions.linked gives a WASI program at the side its own memory", async () => {
  using hand = new GuestHand();
  await using runtime = new V8Runtime();
  // writes "hi A" or "hi B" from its own memory, to the one standard output
  const writer = (letter: string, imports: string, run: string) =>
    `(module
      (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32))) ${imports}
      (memory (export "memory") 1)
      (data (i32.const 8) "hi ${letter}\\n")
      (func $say (export "say") (result i32)
        (i32.store (i32.const 0) (i32.const 8))
        (i32.store (i32.const 4) (i32.const 5))
        (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
      (func (export "run") (result i32) ${run}))`;
  const instance = await linked(runtime, {
    main: writer(
      "A",
      '(import "side" "say" (func $side (result i32)))',
      "(drop (call $say)) (call $side)",
    ),
    side: writer("B", "", "(i32.const 0)"),
  }, { hostModules: hand.wasi.modules });
  assertEquals(instance.callSync("run", []), 0);
  assertEquals(hand.stdout, "hi A\nhi B\n");
});
