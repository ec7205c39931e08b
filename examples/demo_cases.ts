/**
 * What the demo tries: guests that work, modules that are refused, and guests
 * that have to be stopped. One case is one row.
 *
 * @module
 */

import { Sandbox, SandboxError, type SandboxOptions } from "../mod.ts";
import { COMPONENT, gcBomb, localsBomb, TEXT } from "./hostile/bytes.ts";

/** Something to try, and what must come of it. */
export interface Case {
  /** What is tried, in a few words. */
  readonly tries: string;
  /** The guest, its limits and what it is granted. */
  readonly options: SandboxOptions;
  /**
   * What to do with the sandbox; by default its export `run` is called. What
   * it gives becomes the outcome.
   */
  readonly run?: (sandbox: Sandbox, options: SandboxOptions) => unknown;
  /** The outcome as the table writes it: what was returned, or the error. */
  readonly expected: string | RegExp;
}

/** A part of the demo. */
export interface Part {
  /** Its name. */
  readonly name: "ran" | "refused" | "stopped";
  /** What it shows. */
  readonly about: string;
  /** What is tried. */
  readonly cases: readonly Case[];
}

/** Soon enough for a demo, and far more than an honest call takes. */
const TIMEOUT_MS = 50;
const FUEL = 1_000_000;

const C: SandboxOptions = { module: url("guests/c/text_stats.wasm") };
const RUST: SandboxOptions = { module: url("guests/rust/slugify.wasm") };
const ASSEMBLYSCRIPT: SandboxOptions = {
  module: url("guests/assemblyscript/primes.wasm"),
};

/** An honest guest that answers, as long as the host stands. */
export const WITNESS: Case = {
  tries: "C: hypot(3, 4)",
  options: C,
  run: call("hypot", [3, 4]),
  expected: "5",
};

const RAN: readonly Case[] = [
  WITNESS,
  {
    tries: "C: text_stats, JSON in and out",
    options: C,
    run: call("text_stats", { text: "to be\nor not to be" }),
    expected: '{"words":6,"lines":2,"bytes":18,"longest":"not"}',
  },
  {
    tries: "C: reverse, bytes in and out",
    options: C,
    run: call("reverse", Uint8Array.of(1, 2, 3, 254, 255)),
    expected: "bytes fffe030201",
  },
  {
    tries: "Rust: slugify, JSON in and out",
    options: RUST,
    run: call("slugify", "Crème Brûlée à la carte!"),
    expected: '"creme-brulee-a-la-carte"',
  },
  {
    tries: "Rust: sum of 1, 2, … 1000",
    options: RUST,
    run: call("sum", Array.from({ length: 1000 }, (_, index) => index + 1)),
    expected: "500500",
  },
  {
    tries: "AssemblyScript: primes below 1,000,000",
    options: ASSEMBLYSCRIPT,
    run: call("countPrimes", [1_000_000]),
    expected: "78498",
  },
  {
    tries: "AssemblyScript: fib(90), 64 bits",
    options: ASSEMBLYSCRIPT,
    run: call("fib", [90]),
    expected: "2880067194370816120n",
  },
  {
    tries: "AssemblyScript: histogram, JSON in and out",
    options: ASSEMBLYSCRIPT,
    run: call("histogram", [3, 1, 3, 3, -7]),
    expected: '{"1":1,"3":3,"-7":1}',
  },
];

const REFUSED: readonly Case[] = [
  {
    tries: "a component instead of a module",
    options: { module: COMPONENT },
    expected: "module-refused: component",
  },
  {
    tries: "text that nobody has assembled",
    options: { module: TEXT },
    expected: "invalid-module",
  },
  {
    tries: "import constructor.constructor",
    options: hostile("constructor"),
    expected: "import-not-granted: 2 imports",
  },
  {
    tries: "import programs and sockets through WASI",
    options: hostile("wasi"),
    expected: "import-not-granted: 2 imports",
  },
  {
    tries: "a name that forges lines of a log",
    options: hostile("forged_log"),
    expected: "import-not-granted: 1 import",
  },
  {
    tries: "arrays of the garbage collector",
    options: { module: gcBomb() },
    expected: "module-refused: feature gc",
  },
  {
    tries: "shared memory, to wait for ever",
    options: hostile("threads"),
    expected: "module-refused: feature threads",
  },
  {
    tries: "4 GiB of memory from the start",
    options: hostile("memory_4gib"),
    expected: "limit-exceeded: memoryBytes",
  },
  {
    tries: "a table of 10 million elements",
    options: hostile("huge_table"),
    expected: "limit-exceeded: tableElements",
  },
  {
    tries: "40,000 locals × 1,000 branches to compile",
    options: { module: localsBomb() },
    expected: "module-refused: function too complex",
  },
];

const STOPPED: readonly Case[] = [
  {
    tries: "endless loop",
    options: hostile("endless_loop"),
    expected: "limit-exceeded: timeoutMs",
  },
  {
    tries: "endless start function",
    options: hostile("endless_start"),
    expected: "limit-exceeded: timeoutMs",
  },
  {
    tries: "two functions, endless tail calls",
    options: hostile("mutual_tail_calls"),
    expected: "limit-exceeded: timeoutMs",
  },
  {
    tries: "memory.fill of 64 MiB, over and over",
    options: hostile("fill_chain"),
    expected: "limit-exceeded: timeoutMs",
  },
  {
    tries: "endless loop that catches everything",
    options: hostile("swallow_everything"),
    expected: "limit-exceeded: timeoutMs",
  },
  {
    tries: "throw and catch, over and over",
    options: hostile("throw_and_catch"),
    expected: "limit-exceeded: timeoutMs",
  },
  {
    tries: "endless recursion that catches",
    options: hostile("endless_recursion"),
    expected: "limit-exceeded: stack",
  },
  {
    tries: `endless loop, ${FUEL} of fuel, counted twice`,
    options: hostile("endless_loop", { fuel: FUEL }),
    run: burnTwice,
    expected: /^{"first":(\d+),"second":\1}$/,
  },
  {
    tries: "grow memory until it says -1 (cap: 1 MiB)",
    options: hostile("grow_memory", { memoryBytes: 1_048_576 }),
    expected: "[16,-1]",
  },
  {
    tries: "grow a table until it says -1 (cap: 10,000)",
    options: hostile("grow_table", { tableElements: 10_000 }),
    expected: "[10000,-1]",
  },
  {
    tries: "allocate a request outside of memory",
    options: {
      ...hostile("lying_pointers"),
      abi: { alloc: "alloc_outside" },
    },
    run: call("wrap_around", "hello"),
    expected: "guest-protocol",
  },
  {
    tries: "reply with bytes beyond 4 GiB",
    options: hostile("lying_pointers"),
    run: call("wrap_around", "hello"),
    expected: "guest-protocol",
  },
  {
    tries: "reply with all of 4 GiB",
    options: hostile("lying_pointers"),
    run: call("whole_address_space", "hello"),
    expected: "guest-protocol",
  },
  {
    tries: "reply with text that is no UTF-8",
    options: hostile("lying_pointers"),
    run: call("broken_text", "hello"),
    expected: "guest-protocol",
  },
  {
    tries: "exports named then, __proto__, toJSON and nothing",
    options: hostile("odd_names"),
    run: callEach(["then", "__proto__", "toJSON", ""]),
    expected: "[1,2,3,4]",
  },
  {
    tries: "catch what a host function throws, go on",
    options: {
      ...hostile("swallow_host_error"),
      imports: {
        host: {
          fail: () => {
            throw new Error("the disk is full");
          },
        },
      },
    },
    expected: "host-function-failed: host.fail",
  },
];

/** Everything that the demo tries. */
export const PARTS: readonly Part[] = [
  { name: "ran", about: "guests that do their work", cases: RAN },
  { name: "refused", about: "modules that never get to run", cases: REFUSED },
  { name: "stopped", about: "guests that do their worst", cases: STOPPED },
];

/** A file beside this one. */
function url(path: string): URL {
  return new URL(path, import.meta.url);
}

function hostile(
  name: string,
  limits: SandboxOptions["limits"] = {},
): SandboxOptions {
  return {
    module: url(`hostile/${name}.wasm`),
    limits: { timeoutMs: TIMEOUT_MS, ...limits },
  };
}

function call(name: string, input: unknown): NonNullable<Case["run"]> {
  return (sandbox) => sandbox.call(name, input);
}

function callEach(names: readonly string[]): NonNullable<Case["run"]> {
  return (sandbox) => Promise.all(names.map((name) => sandbox.call(name)));
}

/** Lets two sandboxes use up their fuel: the count must be the same. */
async function burnTwice(
  first: Sandbox,
  options: SandboxOptions,
): Promise<unknown> {
  await using second = await Sandbox.create(options);
  return { first: await burn(first), second: await burn(second) };
}

async function burn(sandbox: Sandbox): Promise<number | undefined> {
  await sandbox.call("run").catch(() => {});
  if (!SandboxError.is(sandbox.failure, "limit-exceeded")) return undefined;
  const { limit } = sandbox.failure.details;
  return limit === "fuel" ? sandbox.usage().limits.fuel?.used : undefined;
}
