/** Writes docs/performance.md out of figures. */

import type { PerformanceFigures } from "./_figures.ts";
import {
  bulk,
  calls,
  cold,
  computing,
  deadlines,
  firstUse,
  hostCalls,
  messages,
  processes,
  servers,
  tools,
} from "./_performance_tables.ts";

/** The benchmarks whose figures the page has. */
export const BENCHMARKS: readonly string[] = [
  "kernels",
  "calls",
  "cold",
  "deadline",
  "process",
  "host-calls",
  "bulk",
  "streams",
  "tools",
  "http",
];

/**
 * Renders the page.
 *
 * @param figures What was measured.
 * @returns The page, all of it.
 */
export function performancePage(figures: PerformanceFigures): string {
  return [
    "# Performance",
    introduction(figures),
    ...section("Computing", COMPUTING, computing(figures)),
    ...section("Calls", CALLS, calls(figures), messages(figures)),
    ...section("First results", COLD, cold(figures), firstUse(figures)),
    ...section("Deadlines", DEADLINES, deadlines(figures)),
    ...section("Functions of the host", HOST, hostCalls(figures)),
    ...section("Large messages and streams", BULK, bulk(figures)),
    ...section("Processes", PROCESSES, processes(figures)),
    ...section("Programs", PROGRAMS, tools(figures)),
    ...section("Web servers", SERVERS, servers(figures)),
    "## Other engines\n\n[runtimes.md](runtimes.md#what-each-costs) has what Wasmtime and Wasmer cost, in the same way.",
  ].join("\n\n") + "\n";
}

function section(
  title: string,
  about: string,
  ...tables: readonly string[]
): readonly string[] {
  return [`## ${title}`, about, ...tables];
}

function introduction({ machine, quick }: PerformanceFigures): string {
  const { target, cores, deno, v8 } = machine;
  return `Generated from \`bench/performance.json\`. What limits and checks cost, against the same work without them: medians of ${
    quick ? "a quick run" : "a full run"
  } on ${target}, ${cores} cores that other programs used too, Deno ${deno}, V8 ${v8}. Both sides take turns, so a ratio says more than a time, and differences below a tenth say nothing.

To measure again and write this page, which takes some five minutes:

\`\`\`sh
deno task docs:performance
\`\`\`

\`deno task bench NAME\` prints one benchmark, and says whether it meets its target; \`wasm-sandbox bench module.wasm --call NAME\` compares on a module of your own ([cli.md](cli.md)).`;
}

const COMPUTING =
  "C programs that compute for 10 to 30 ms, × bare V8. Less than 1 is possible: V8 inlines differently.";

const CALLS =
  "A call of `add(i32, i32)`, many in a row; and messages of the guest ABI against the least that works by hand (encode, allocate, call, decode, free), which trusts the guest in everything.";

const COLD =
  "From a module's bytes to the first result, in milliseconds: `WebAssembly.instantiate` and a call, against `Sandbox.create`, a call and dispose. Then, once in a process, what it takes to load this package and to get a first result.";

const DEADLINES =
  "Guests that never end, with a deadline of 100 ms, in the calling thread: by how much it is passed, in milliseconds. On a machine whose cores are all busy it is more.";

const HOST =
  "A guest asks its host with a small JSON message and takes the answer; a bare import takes and gives numbers.";

const BULK =
  "1 MiB to a guest and back, against a copy, and against a bare process that copies its standard input to its output. Then a long file through a guest of 16 MiB, and by how much the host's memory grows meanwhile.";

const PROCESSES =
  "Guests in a process of their own, against a `deno run` of an empty file: from nothing to ready for the module, in milliseconds. A namespace is the root directory with nothing but what is granted.";

const PROGRAMS =
  "A WASI program that copies its input to its output, against the machine's own `cat` in a process. A tool in a process keeps the process between runs.";

const SERVERS =
  "Small JSON answers by `HttpServer`, over sockets with 16 connections on one machine with the client, against a handler of Deno's that gives a fixed text; and the same without sockets, one at a time. `reuse` keeps a guest between requests, `fresh` gives each its own, a command is a WASI program anew for each request.";
