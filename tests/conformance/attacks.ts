/**
 * Runs an outside suite of hostile guests: a folder with a `manifest.json` and
 * the modules that it names. Guests of numbers and messages run inline; those
 * that want WASI are skipped.
 *
 * @module
 */

import { Sandbox, SandboxError } from "../../mod.ts";

/** What the manifest tells of one guest; what is not used is left out. */
interface Attack {
  readonly name: string;
  readonly file: string;
  readonly abi: string;
  readonly entry: string;
  readonly call: readonly string[];
  readonly tiers: readonly string[];
  readonly policy: {
    readonly limits: {
      readonly memoryPages: number;
      readonly tableElements: number;
      readonly timeoutMs: number;
    };
  };
  readonly expected: {
    readonly verdict: string;
    readonly result?: number | string;
    readonly maxMs?: number;
    readonly maxHostRssGrowthMb?: number;
    readonly alsoEntries?: readonly string[];
  };
}

/** What became of a guest. */
interface Outcome {
  readonly result?: unknown;
  readonly error?: unknown;
  readonly ms: number;
  readonly grownMb: number;
}

/** The suite's verdicts, in this package's errors. */
const VERDICTS: Readonly<Record<string, (error: unknown) => boolean>> = {
  "timeout": (error) => isLimit(error, ["timeoutMs", "fuel"]),
  "memory-limit": (error) => isLimit(error, ["memoryBytes", "tableElements"]),
  "rejected": (error) =>
    SandboxError.is(error, "invalid-module") ||
    SandboxError.is(error, "module-refused") ||
    SandboxError.is(error, "import-not-granted"),
  "bad-guest-data": (error) => SandboxError.is(error, "guest-protocol"),
  "trap": (error) => SandboxError.is(error, "trap"),
};

/** The one function that guests of numbers may import here. */
const IMPORTS = { "wasi_snapshot_preview1": { sched_yield: () => 0 } };

// (module (func (export "answer") (result i32) i32.const 42))
const ANSWER = Uint8Array.fromHex(
  "0061736d010000000105016000017f03020100" +
    "070a0106616e7377657200000a06010400412a0b",
);

/**
 * Runs the guests of a suite.
 *
 * @param folder Where the manifest is.
 * @param say Takes a line for each guest.
 * @returns How many got their verdict, and how many did not.
 */
export async function runAttacks(
  folder: string,
  say: (line: string) => void,
): Promise<{ passed: number; failed: number }> {
  const { attacks }: { attacks: readonly Attack[] } = JSON.parse(
    await Deno.readTextFile(`${folder}/manifest.json`),
  );
  const tally = { passed: 0, failed: 0 };
  for (const attack of attacks) {
    if (attack.abi !== "raw" || !attack.tiers.includes("inline")) {
      say(
        `${attack.name}: skipped, this package does not run ${attack.abi} yet`,
      );
      continue;
    }
    for (const entry of [attack.entry, ...attack.expected.alsoEntries ?? []]) {
      const outcome = await attempt(folder, attack, entry);
      const problems = [...judge(attack, outcome), ...await hostProblems()];
      tally[problems.length === 0 ? "passed" : "failed"]++;
      const verdict = problems.join("; ") || attack.expected.verdict;
      say(`${attack.name}, ${entry}: ${verdict} (${outcome.ms.toFixed(0)} ms)`);
    }
  }
  return tally;
}

async function attempt(
  folder: string,
  { file, call: [input], policy: { limits } }: Attack,
  entry: string,
): Promise<Outcome> {
  const start = performance.now();
  const { rss } = Deno.memoryUsage();
  const measure = () => ({
    ms: performance.now() - start,
    grownMb: (Deno.memoryUsage().rss - rss) / 1e6,
  });
  try {
    await using sandbox = await Sandbox.create({
      module: `${folder}/${file}`,
      limits: {
        memoryBytes: limits.memoryPages * 65_536,
        tableElements: limits.tableElements,
        timeoutMs: limits.timeoutMs,
      },
      imports: IMPORTS,
      abi: { alloc: "alloc", free: "dealloc" },
    });
    const value = input?.startsWith("json:")
      ? JSON.parse(input.slice("json:".length))
      : undefined;
    return { result: await sandbox.call(entry, value), ...measure() };
  } catch (error) {
    return { error, ...measure() };
  }
}

function* judge({ expected }: Attack, outcome: Outcome): Iterable<string> {
  const { verdict, result, maxMs, maxHostRssGrowthMb } = expected;
  const { error } = outcome;
  if (verdict === "returns") {
    if (error !== undefined || !fits(outcome.result, result)) {
      yield `gave ${outcome.result ?? error}, not ${result}`;
    }
  } else if (!VERDICTS[verdict]?.(error)) {
    yield `ended with ${error ?? outcome.result}, not ${verdict}`;
  }
  if (maxMs !== undefined && outcome.ms > maxMs) yield `took ${outcome.ms} ms`;
  if (
    maxHostRssGrowthMb !== undefined && outcome.grownMb > maxHostRssGrowthMb
  ) yield `grew the host by ${outcome.grownMb} MB`;
  // deno-lint-ignore no-control-regex -- what must not get out
  if (/[\x00-\x09\x0b-\x1f]/.test(Deno.inspect(error, { colors: false }))) {
    yield "an error shows raw control characters";
  }
}

/** The suite writes results as a number, `<= N (why)` or `N (why) or …`. */
function fits(result: unknown, expected: number | string | undefined): boolean {
  if (typeof result !== "number") return false;
  const [, most, exact] = /^(?:<= (\d+)|(-?\d+))/.exec(String(expected)) ?? [];
  return most === undefined ? result === Number(exact) : result <= Number(most);
}

function isLimit(error: unknown, limits: readonly string[]): boolean {
  return SandboxError.is(error, "limit-exceeded") &&
    limits.includes(error.details.limit);
}

/** The host serves on, and no code of a guest's ran in it. */
async function hostProblems(): Promise<string[]> {
  const problems: string[] = [];
  await using sandbox = await Sandbox.create({ module: ANSWER });
  if (sandbox.callSync("answer") !== 42) {
    problems.push("the host answers wrong");
  }
  if ("__PWNED" in globalThis) problems.push("the guest ran code in the host");
  return problems;
}
