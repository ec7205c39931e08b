/**
 * One Extism plug-in, unchanged, on this package and on Extism's own SDK.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";
import { wat } from "../tests/wasm.ts";
import { type CallContext, createPlugin } from "../wrappers/extism/mod.ts";
import {
  type Benchmark,
  interleave,
  print,
  ratio,
  type Samples,
  type Side,
  summarize,
  table,
} from "./measure.ts";

const PLUGIN = `(module
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "input_load_u8"
    (func $load (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64"
    (func $load8 (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store8 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/user" "answer" (func $answer (param i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "nothing") (result i32) (i32.const 0))
  ;; looks at each byte
  (func (export "count") (result i32)
    (local $at i64) (local $end i64) (local $n i64)
    (local.set $end (call $length))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $at) (local.get $end)))
      (local.set $n (i64.add (local.get $n)
        (i64.extend_i32_u (call $load (local.get $at)))))
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br $next)))
    (local.set $at (call $alloc (i64.const 8)))
    (call $store8 (local.get $at) (local.get $n))
    (call $output (local.get $at) (i64.const 8))
    (i32.const 0))
  ;; gives the input back, eight bytes at a time, as the PDKs do
  (func (export "echo") (result i32)
    (local $at i64) (local $end i64) (local $out i64)
    (local.set $end (call $length))
    (local.set $out (call $alloc (local.get $end)))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $at) (local.get $end)))
      (call $store8 (i64.add (local.get $out) (local.get $at))
        (call $load8 (local.get $at)))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br $next)))
    (call $output (local.get $out) (local.get $end))
    (i32.const 0))
  (func $word (param $value i64) (result i64) (local $at i64)
    (local.set $at (call $alloc (i64.const 8)))
    (call $store8 (local.get $at) (local.get $value))
    (local.get $at))
  ;; 100 functions of the host
  (func (export "ask") (result i32) (local $n i32)
    (local.set $n (i32.const 100))
    (loop $next
      (drop (call $answer (call $word (i64.const 0x3131313131313131))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 0))
  ;; 100 variables written and read
  (func (export "vars") (result i32) (local $n i32)
    (local.set $n (i32.const 100))
    (loop $next
      (call $var_set (call $word (i64.const 0x3232323232323232))
        (call $word (i64.const 0x3333333333333333)))
      (drop (call $var_get (call $word (i64.const 0x3232323232323232))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 0)))`;

/** The same work by the guest ABI of this package; it has no variables. */
const OWN = `(module
  (import "wasm_sandbox" "call"
    (func $call (param i32 i32 i32 i32) (result i64)))
  (import "wasm_sandbox" "take" (func $take (param i32 i32) (result i32)))
  (memory (export "memory") 64)
  (data (i32.const 0) "answer")
  (data (i32.const 16) "11111111")
  (func (export "wasm_sandbox_alloc") (param i32) (result i32)
    (i32.const 65536))
  (func (export "nothing") (param i32 i32) (result i64) (i64.const 0))
  (func (export "count") (param $at i32) (param $length i32) (result i64)
    (local $end i32) (local $n i64)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $n (i64.add (local.get $n)
        (i64.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (i64.store (i32.const 32) (local.get $n))
    (i64.const 0x2000000008))
  (func (export "echo") (param $at i32) (param $length i32) (result i64)
    (memory.copy (i32.const 0x200000) (local.get $at) (local.get $length))
    (i64.or (i64.const 0x20000000000000)
      (i64.extend_i32_u (local.get $length))))
  (func (export "ask") (param i32 i32) (result i64) (local $n i32)
    (local.set $n (i32.const 100))
    (loop $next
      (drop (call $take (i32.const 1024) (i32.wrap_i64 (call $call
        (i32.const 0) (i32.const 6) (i32.const 16) (i32.const 8)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.const 0)))`;

/** What all of them have in common. */
interface Plugin {
  call(name: string, input?: string | Uint8Array): Promise<unknown>;
  reset(): Promise<unknown>;
  close(): Promise<void>;
}

type Create = (
  manifest: { readonly wasm: { readonly data: Uint8Array<ArrayBuffer> }[] },
  options: object,
) => Promise<Plugin>;

const FUNCTIONS = {
  "extism:host/user": {
    answer: (context: CallContext, handle: bigint) =>
      context.store(context.read(handle)?.string() ?? "?"),
  },
};

/** The benchmark. */
export const extism: Benchmark = {
  name: "extism",
  about:
    "One plug-in, unchanged, in this thread: this package against Extism's\n" +
    "SDK, the published one and the last before it is; and the same work by\n" +
    "the guest ABI of this package. All but the first column: how many times\n" +
    "as long as the plug-in takes here.",
  async run({ quick }) {
    const data = await wat(PLUGIN);
    const own = await wat(OWN);
    const makers: [string, Create][] = [
      ["ours", createPlugin as Create],
      ["own ABI", () => ownGuest(own)],
    ];
    for (const version of ["1.0.3", "2.0.0-rc13"]) {
      try {
        // not a literal: only who runs this benchmark needs the package
        const { default: create } = await import(
          ["npm:@extism", `extism@${version}`].join("/")
        );
        makers.push([`SDK ${version}`, create]);
      } catch (error) {
        print(`SDK ${version} skipped: ${error}`);
      }
    }
    const make = (create: Create) =>
      create({ wasm: [{ data }] }, {
        functions: FUNCTIONS,
        useWasi: false,
      });
    const plugins = await Promise.all(makers.map(([, create]) => make(create)));
    const rounds = quick ? 5 : 21;
    const figures: Record<string, Record<string, number>> = {};
    for (const { name, times, run } of works(make, makers)) {
      const sides: readonly Side[] = plugins.map((plugin, index) => ({
        name,
        async run() {
          if (index === 1 && name === "100 variables") return;
          // the SDK keeps every block until then, and fails after 65,536
          if (index > 1) await plugin.reset();
          for (let k = 0; k < times; k++) await run(plugin, index);
        },
      }));
      const samples = await interleave(sides, { rounds });
      figures[name] = rowOf(makers, samples, times);
    }
    for (const plugin of plugins) await plugin.close();
    print(show(makers, figures));
    return figures;
  },
};

async function ownGuest(module: Uint8Array<ArrayBuffer>): Promise<Plugin> {
  const sandbox = await Sandbox.create({
    module,
    hostFunctions: { answer: { codec: "bytes", handler: (input) => input } },
  });
  const none = new Uint8Array();
  return {
    call: (name, input = none) => sandbox.call(name, input),
    reset: () => sandbox.reset(),
    close: () => sandbox[Symbol.asyncDispose](),
  };
}

interface Work {
  readonly name: string;
  readonly times: number;
  run(plugin: Plugin, index: number): Promise<unknown>;
}

function works(
  make: (create: Create) => Promise<Plugin>,
  makers: readonly [string, Create][],
): readonly Work[] {
  const short = new Uint8Array(64).fill(7);
  const middle = new Uint8Array(65_536).fill(7);
  const long = new Uint8Array(2 ** 20).fill(7);
  return [
    {
      name: "create and close",
      times: 20,
      async run(_, index) {
        const create = makers[index]?.[1];
        if (create !== undefined) await (await make(create)).close();
      },
    },
    {
      name: "a call of nothing",
      times: 500,
      run: (plugin) => plugin.call("nothing", short),
    },
    {
      name: "64 KiB, each byte",
      times: 5,
      run: (plugin) => plugin.call("count", middle),
    },
    {
      name: "1 MiB and back",
      times: 2,
      run: (plugin) => plugin.call("echo", long),
    },
    {
      name: "100 host functions",
      times: 20,
      run: (plugin) => plugin.call("ask"),
    },
    {
      name: "100 variables",
      times: 20,
      run: (plugin) => plugin.call("vars"),
    },
  ];
}

function rowOf(
  makers: readonly [string, Create][],
  samples: readonly Samples[],
  times: number,
): Record<string, number> {
  const [ours = []] = samples;
  const row: Record<string, number> = {
    ours: summarize(ours).median * 1e3 / times,
  };
  for (const [index, [name]] of makers.entries()) {
    if (index > 0) row[name] = ratio(samples[index] ?? [], ours).median;
  }
  return row;
}

function show(
  makers: readonly [string, Create][],
  figures: Readonly<Record<string, Record<string, number>>>,
): string {
  const others = makers.slice(1).map(([name]) => name);
  return table(
    ["work", "ours µs", ...others, ""],
    Object.entries(figures).map(([name, row]) => [
      name,
      row["ours"]?.toFixed(1) ?? "",
      ...others.map((other) =>
        (row[other] ?? 0) < 0.001 ? "–" : `${row[other]?.toFixed(2)} ×`
      ),
      verdict(row, others),
    ]),
  );
}

/** Whether the faster of our two is ahead of every other. */
function verdict(
  row: Readonly<Record<string, number>>,
  [own = "", ...others]: readonly string[],
): string {
  const theirs = row[own] ?? 1;
  const best = theirs < 0.001 ? 1 : Math.min(1, theirs);
  return others.every((other) => (row[other] ?? 0) > best) ? "ahead" : "BEHIND";
}
