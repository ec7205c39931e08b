/**
 * Calls into guests and out of them, and instances, on each engine.
 *
 * @module
 */

import type { Runtime } from "../runtime/types.ts";
import { wat } from "../tests/wasm.ts";
import type { RunOptions } from "./measure.ts";
import type { WasmtimePeer } from "./runtimes_peer.ts";
import {
  compare,
  type Engines,
  type Findings,
  SAME_CONFIG,
  SIDES,
  timed,
  timedAsync,
  type TimedSide,
} from "./runtimes_sides.ts";

const GUEST = `(module
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "ask") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (call $add (local.get $sum) (i32.const 1)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))`;

const IMPORTS = { host: { add: (a: number, b: number) => a + b | 0 } };

/** How often one sample calls: the binding takes some 20 µs for a call. */
const PEER_CALLS = 5_000;
const CALLS = 100_000;
const AWAITED_CALLS = 5_000;
const CYCLES = 300;

/** What was found. */
export interface CallFigures {
  /** Calls of an export that adds two numbers. */
  readonly call: Findings;
  /** Calls of a function of the host that adds two numbers. */
  readonly hostCall: Findings;
  /** Making an instance of a module that is compiled, and letting it go. */
  readonly cycle: Findings;
}

/** A side: what it takes for each, in milliseconds for one; some are left out. */
interface Contestant {
  readonly name: string;
  readonly call?: TimedSide["run"];
  readonly hostCall?: TimedSide["run"];
  readonly cycle?: TimedSide["run"];
}

/** Measures calls. */
export async function measureCalls(
  { v8, wasmtime, peer }: Engines,
  { quick }: RunOptions,
): Promise<CallFigures> {
  const bytes = await wat(GUEST);
  await using resources = new AsyncDisposableStack();
  const contestants: readonly Contestant[] = [
    ...(peer === undefined ? [] : [await binding(peer, bytes)]),
    ...(wasmtime === undefined
      ? []
      : await ours(SIDES.wasmtime, wasmtime, bytes, resources)),
    ...await ours(SIDES.v8, v8, bytes, resources),
    raw(bytes),
  ];
  const measure = (
    work: "call" | "hostCall" | "cycle",
    title: string,
    unit: "ns" | "µs",
  ) =>
    compare({
      title,
      unit,
      base: SIDES.peer,
      targets: work === "cycle" ? {} : { [SIDES.wasmtime]: 1 },
      rounds: quick ? 5 : 25,
      sides: contestants.flatMap(({ name, [work]: run }) =>
        run === undefined ? [] : [{ name, run }]
      ),
    });
  const call = await measure("call", "a call of add(k, 2)", "ns");
  const hostCall = await measure("hostCall", "a call of the host", "ns");
  const cycle = await measure("cycle", "create and dispose", "µs");
  return { call, hostCall, cycle };
}

async function binding(
  peer: WasmtimePeer,
  module: Uint8Array<ArrayBuffer>,
): Promise<Contestant> {
  const guest = "calls";
  await peer.load({ guest, module, config: SAME_CONFIG });
  const add = { guest, name: "add", args: [1, 2] };
  const ask = { guest, name: "ask", args: [PEER_CALLS] };
  return {
    name: SIDES.peer,
    call: async () => await peer.call(add, PEER_CALLS) / PEER_CALLS,
    hostCall: async () => await peer.call(ask, 1) / PEER_CALLS,
    cycle: async () => await peer.cycle(guest, CYCLES) / CYCLES,
  };
}

async function ours(
  name: string,
  runtime: Runtime,
  bytes: Uint8Array<ArrayBuffer>,
  resources: AsyncDisposableStack,
): Promise<readonly Contestant[]> {
  const module = await runtime.compile(bytes);
  const options = { imports: IMPORTS };
  const instance = resources.use(await runtime.instantiate(module, options));
  const cycles = async () => {
    for (let k = 0; k < CYCLES; k++) {
      await using _ = await runtime.instantiate(module, options);
    }
  };
  return [{
    name,
    call: () =>
      timed(() => {
        for (let k = 0; k < CALLS; k++) instance.callSync("add", [k, 2]);
      }) / CALLS,
    hostCall: () => timed(() => instance.callSync("ask", [CALLS])) / CALLS,
    cycle: async () => await timedAsync(cycles) / CYCLES,
  }, {
    name: `${name}, awaited`,
    call: async () =>
      await timedAsync(async () => {
        for (let k = 0; k < AWAITED_CALLS; k++) {
          await instance.call("add", [k, 2]);
        }
      }) / AWAITED_CALLS,
  }];
}

function raw(bytes: Uint8Array<ArrayBuffer>): Contestant {
  const module = new WebAssembly.Module(bytes);
  const make = () => new WebAssembly.Instance(module, IMPORTS).exports;
  const { add, ask } = make() as {
    add: (a: number, b: number) => number;
    ask: (n: number) => number;
  };
  return {
    name: SIDES.raw,
    call: () =>
      timed(() => {
        for (let k = 0; k < CALLS; k++) add(k, 2);
      }) / CALLS,
    hostCall: () => timed(() => ask(CALLS)) / CALLS,
    cycle: () =>
      timed(() => {
        for (let k = 0; k < CYCLES; k++) make();
      }) / CYCLES,
  };
}
