/**
 * Runs outside conformance suites against the package.
 *
 * ```sh
 * deno task conformance <folder> [--runner core-run.ts]
 * ```
 *
 * The folder is where the suites were unpacked. The core scripts, in
 * `core/json`, are run once as they are, then through gate and rewriter in each
 * mode; every command must end as it ended without them. Then they are run on
 * each runtime through its own interface, see `core_numbers.ts`. The WASI programs, in
 * `wasi-p1`, are run on every runtime that is at hand, in both isolations. A
 * folder that holds hostile guests has a `manifest.json`; see `attacks.ts`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { RuntimeFactory } from "../../runtime/mod.ts";
import { runAttacks } from "./attacks.ts";
import { LEFT_OUT, type Log, runNumbers, UNEXPECTED } from "./core_numbers.ts";
import { type Engine, enginesAtHand } from "./engines.ts";

/** How the hook of the core scripts is to instrument modules, by the query it gets. */
const MODES = ["deadline", "fuel", "deadline&fuel"] as const;

/** How WASI programs are run, and the adapter's arguments for it. */
const PLACES: Readonly<
  Record<Engine["isolations"][number], readonly [string, readonly string[]]>
> = {
  process: ["in a process, on directories of the host", []],
  inline: ["inline, on memory mounts", ["--memory"]],
};

/** A command that is known to end in another way, and why that is right. */
interface KnownDifference {
  readonly file: string;
  readonly index: number;
  readonly reason: string;
}

const KNOWN: readonly KnownDifference[] = [];

const NEEDS_GC = "it has constants or types of the proposal gc, which V8 " +
  "takes without that and Wasmtime does not";

/** What Wasmtime does in another way than V8, both through this package. */
const KNOWN_OF_WASMTIME: readonly KnownDifference[] = [
  ...[82, 83, 113].map((index) => ["global/global.json", index] as const),
  ...[15, 16].map((index) => ["elem/elem.json", index] as const),
  ...[9, 10].map((index) => ["data/data.json", index] as const),
  ["type-equivalence/type-equivalence.json", 3] as const,
].map(([file, index]) => ({ file, index, reason: NEEDS_GC }));

/** Scripts of a proposal that Wasmtime lacks, which it says. */
const LEGACY = /^legacy\//;

interface Difference {
  readonly file: string;
  /** Number of the command, from 0. */
  readonly index: number;
  readonly raw: string;
  readonly rewritten: string;
}

/** How many commands ended alike, and how many did not. */
interface Tally {
  passed: number;
  failed: number;
}

/**
 * Runs the suites in a folder.
 *
 * @param args The arguments of the command line.
 * @returns The exit code: 1 if a difference is not known.
 */
export async function main(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { runner: { type: "string" } },
  });
  const [folder] = positionals;
  if (folder === undefined || !await exists(folder)) {
    const why = folder === undefined ? "no folder given" : `no ${folder}`;
    say(`skipped: ${why} (unpack the suites and pass their folder)`);
    return 0;
  }
  const tally = { passed: 0, failed: 0 };
  const engines = await enginesAtHand(say);
  if (await exists(`${folder}/manifest.json`)) {
    const { passed, failed } = await runAttacks(folder, engines, say);
    tally.passed += passed;
    tally.failed += failed;
  }
  if (await exists(`${folder}/wasi-p1`)) await runWasi(folder, engines, tally);
  if (await exists(`${folder}/core/json`)) {
    await runCore(
      folder,
      values.runner ?? await findRunner(folder, "core-run.ts"),
      tally,
    );
    await compareEngines(`${folder}/core/json`, engines, tally);
  } else say(`core: skipped, no ${folder}/core/json`);
  say(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed > 0 ? 1 : 0;
}

async function runCore(
  folder: string,
  runner: string,
  tally: Tally,
): Promise<void> {
  const scripts = await Deno.realPath(`${folder}/core/json`);
  const raw = await runScripts(runner, scripts);
  const commands = Object.values(raw).reduce(
    (sum, { length }) => sum + length,
    0,
  );
  if (commands === 0) throw new Error(`There are no scripts in ${scripts}`);
  for (const mode of MODES) {
    const log = await runScripts(runner, scripts, mode);
    const differences = compare(raw, log);
    const unknown = differences.filter((difference) => !reasonOf(difference));
    tally.failed += unknown.length;
    tally.passed += Math.max(0, commands - unknown.length);
    say(
      `core, ${mode.replace("&", " and ")}: ${commands} commands, ` +
        `${differences.length} differences (${unknown.length} unknown)`,
    );
    for (const difference of differences) say(`  ${describe(difference)}`);
  }
}

/** Runs all scripts on each runtime, and compares it with the first. */
async function compareEngines(
  folder: string,
  engines: readonly Engine[],
  tally: Tally,
): Promise<void> {
  const scripts = await Deno.realPath(folder);
  const logs: Log[] = [];
  for (const { name } of engines) {
    await using runtime = await new RuntimeFactory().create(name);
    logs.push(await runNumbers(runtime, scripts));
  }
  const [first = {}, ...others] = logs;
  const all = Object.values(first).flat();
  const run = all.filter((text) => text !== LEFT_OUT).length;
  const unexpected = all.filter((text) => text.startsWith(UNEXPECTED)).length;
  others.forEach((log, index) => {
    const differences = compare(first, log, (text) => text);
    const unknown = differences.filter((each) =>
      !LEGACY.test(each.file) &&
      reasonOf(each, KNOWN_OF_WASMTIME) === undefined
    );
    tally.failed += unknown.length;
    tally.passed += run - unknown.length;
    say(
      `core, ${engines[index + 1]?.name} as ${engines[0]?.name}: ${run} ` +
        `commands, ${differences.length} differences (${unknown.length} ` +
        `unknown); ${all.length - run} left out, and ${unexpected} return ` +
        "something else on both, for want of what is left out",
    );
    for (const each of unknown) say(`  ${describe(each)}`);
  });
}

/** Runs WASI programs through the suite's own driver. */
async function runWasi(
  folder: string,
  engines: readonly Engine[],
  tally: Tally,
): Promise<void> {
  const driver = await findRunner(folder, "wasi-driver.ts");
  const suite = await Deno.realPath(`${folder}/wasi-p1`);
  const adapter = new URL("./wasi_adapter.ts", import.meta.url).pathname;
  const places = engines.flatMap(({ name, isolations }) =>
    isolations.map((isolation) => {
      const [place, flags] = PLACES[isolation];
      return [`on ${name}, ${place}`, [...flags, "--runtime", name]] as const;
    })
  );
  for (const [place, flags] of places) {
    const out = await Deno.makeTempFile({ suffix: ".json" });
    const command = [
      ...[Deno.execPath(), "run", "-A", "--quiet", "--no-check"],
      ...["--no-lock", "--no-config", adapter, ...flags],
    ].join(" ");
    try {
      await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--quiet", "--no-check", "--no-lock"],
          ...["--no-config", driver, "--suite", suite],
          ...["--cmd", command, "--out", out],
        ],
        stdout: "null",
        stderr: "inherit",
      }).output();
      const { passed, failed, results }: WasiLog = JSON.parse(
        await Deno.readTextFile(out),
      );
      tally.passed += passed;
      tally.failed += failed;
      say(`wasi, ${place}: ${passed} passed, ${failed} failed`);
      for (const { id, pass, why } of results) {
        if (!pass) say(`  ${id}: ${why}`);
      }
    } finally {
      await Deno.remove(out);
    }
  }
}

/** What the suite's driver writes. */
interface WasiLog {
  readonly passed: number;
  readonly failed: number;
  readonly results: readonly {
    readonly id: string;
    readonly pass: boolean;
    readonly why: string;
  }[];
}

/** Runs all scripts in a child, and returns what became of each command. */
async function runScripts(
  runner: string,
  scripts: string,
  mode?: string,
): Promise<Log> {
  const log = await Deno.makeTempFile({ suffix: ".json" });
  const hook = `${import.meta.resolve("./core_hook.ts")}?${mode}`;
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        "--no-check",
        "--no-lock",
        "--no-config",
        runner,
        "--dir",
        scripts,
        "--log",
        log,
        ...(mode === undefined ? [] : ["--transform", hook]),
      ],
      stdout: "null",
      stderr: "inherit",
    }).output();
    if (code !== 0) throw new Error(`The runner ended with code ${code}`);
    return JSON.parse(await Deno.readTextFile(log));
  } finally {
    await Deno.remove(log);
  }
}

/**
 * Compares what became of each command. The text behind the first word is not
 * compared: a check may trap with another message.
 *
 * @param raw Outcomes without the rewriter.
 * @param rewritten Outcomes with it.
 * @param textOf What of an outcome is compared.
 * @returns Where they differ.
 */
export function compare(
  raw: Log,
  rewritten: Log,
  textOf: (outcome: string) => string = firstWord,
): Difference[] {
  const differences: Difference[] = [];
  for (
    const file of new Set([...Object.keys(raw), ...Object.keys(rewritten)])
  ) {
    const before = raw[file] ?? [];
    const after = rewritten[file] ?? [];
    for (
      let index = 0;
      index < Math.max(before.length, after.length);
      index++
    ) {
      const one = before[index] ?? "missing";
      const other = after[index] ?? "missing";
      if (textOf(one) !== textOf(other)) {
        differences.push({ file, index, raw: one, rewritten: other });
      }
    }
  }
  return differences;
}

function firstWord(text: string): string {
  return text.split(" ", 1)[0] ?? "";
}

function reasonOf(
  { file, index }: Difference,
  list: readonly KnownDifference[] = KNOWN,
): string | undefined {
  return list.find((known) => known.file === file && known.index === index)
    ?.reason;
}

function describe(difference: Difference): string {
  const { file, index, raw, rewritten } = difference;
  const reason = reasonOf(difference) ?? "unknown";
  return `${file} #${index}: "${raw}" became "${rewritten}" (${reason})`;
}

/** The suites' own runners lie beside their archives. */
async function findRunner(folder: string, name: string): Promise<string> {
  const places = [
    `${folder}/${name}`,
    `${folder}/../${name}`,
  ];
  for (const place of places) {
    if (await exists(place)) return await Deno.realPath(place);
  }
  throw new Error(
    `Cannot run the suite: no ${name} at ${places.join(", ")} ` +
      "(put it there)",
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- what the task prints
  console.log(line);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
