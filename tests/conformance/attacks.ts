/**
 * Runs an outside suite of hostile guests: a folder with a `manifest.json`, the
 * modules that it names, and a script that lays out the folders which those
 * that want files expect. Each guest runs inline and in a process, on every
 * runtime; the verdicts are printed side by side.
 *
 * @module
 */

import {
  Capabilities,
  type Capability,
  Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../../mod.ts";
import type { Engine } from "./engines.ts";
import { snapshot } from "./snapshot.ts";

/** What the manifest tells of one guest; what is not used is left out. */
interface Attack {
  readonly name: string;
  readonly file: string;
  readonly abi: string;
  readonly entry: string;
  readonly call: readonly string[];
  readonly tiers: readonly string[];
  /** Which folders it expects: an argument of the suite's script. */
  readonly setup: string | null;
  readonly policy: Policy;
  readonly hostEnv?: Readonly<Record<string, string>>;
  readonly expected: {
    readonly verdict: string;
    readonly result?: number | string;
    readonly exit?: number | readonly number[];
    readonly exitNot?: number;
    readonly stdoutNot?: string;
    readonly maxMs?: number;
    readonly maxHostRssGrowthMb?: number;
    readonly alsoEntries?: readonly string[];
  };
}

interface Policy {
  readonly fs: readonly {
    readonly guest: string;
    readonly host: string;
    readonly write: boolean;
  }[];
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly limits: {
    readonly memoryPages: number;
    readonly tableElements: number;
    readonly timeoutMs: number;
    readonly stdoutBytes: number;
    readonly fds: number;
    readonly writeBytes: number;
  };
}

/** One attempt: where, through which export, and with which folders. */
interface Attempt {
  readonly entry: string;
  readonly isolation: "inline" | "process";
  /** Name of the runtime. */
  readonly runtime: string;
  /** The folder that was laid out. */
  readonly layout: string;
}

/** What became of a guest. */
interface Outcome {
  readonly result?: unknown;
  readonly output: string;
  readonly error?: unknown;
  readonly ms: number;
  readonly grownMb: number;
}

/** The suite's verdicts, in this package's errors. */
const VERDICTS: Readonly<Record<string, (error: unknown) => boolean>> = {
  "timeout": (error) => isLimit(error, ["timeoutMs", "fuel"]),
  "memory-limit": (error) => isLimit(error, ["memoryBytes", "tableElements"]),
  "output-limit": (error) => isLimit(error, ["stdoutBytes", "timeoutMs"]),
  "rejected": (error) =>
    SandboxError.is(error, "invalid-module") ||
    SandboxError.is(error, "module-refused") ||
    SandboxError.is(error, "import-not-granted"),
  "bad-guest-data": (error) => SandboxError.is(error, "guest-protocol"),
  "trap": (error) => SandboxError.is(error, "trap"),
};

const ISOLATIONS = ["inline", "process"] as const;

// (module (func (export "answer") (result i32) i32.const 42))
const ANSWER = Uint8Array.fromHex(
  "0061736d010000000105016000017f03020100" +
    "070a0106616e7377657200000a06010400412a0b",
);

/**
 * Runs the guests of a suite.
 *
 * @param folder Where the manifest is.
 * @param engines The runtimes, and where their guests can run.
 * @param say Takes a line for each guest.
 * @returns How many got their verdict, and how many did not.
 */
export async function runAttacks(
  folder: string,
  engines: readonly Engine[],
  say: (line: string) => void,
): Promise<{ passed: number; failed: number }> {
  const { attacks }: { attacks: readonly Attack[] } = JSON.parse(
    await Deno.readTextFile(`${folder}/manifest.json`),
  );
  const tally = { passed: 0, failed: 0 };
  for (const attack of attacks) {
    for (const entry of [attack.entry, ...attack.expected.alsoEntries ?? []]) {
      for (const isolation of ISOLATIONS) {
        if (!attack.tiers.includes(isolation)) continue;
        const verdicts: string[] = [];
        for (const { name, isolations } of engines) {
          if (!isolations.includes(isolation)) continue;
          const place = { entry, isolation, runtime: name };
          const { problems, verdict } = await tryAttack(folder, attack, place);
          tally[problems.length === 0 ? "passed" : "failed"]++;
          verdicts.push(`${name} ${problems.join("; ") || verdict}`);
        }
        say(`${attack.name}, ${entry}, ${isolation}: ${verdicts.join(", ")}`);
      }
    }
  }
  return tally;
}

async function tryAttack(
  folder: string,
  attack: Attack,
  place: Omit<Attempt, "layout">,
): Promise<{ readonly problems: string[]; readonly verdict: string }> {
  const scratch = await Deno.makeTempDir();
  const layout = `${scratch}/layout`;
  try {
    if (attack.setup !== null) await layOut(folder, layout, attack.setup);
    const guarded = [`${layout}/outside`, `${layout}/ro`];
    const before = await Promise.all(guarded.map(snapshot));
    const outcome = await attempt(folder, attack, { ...place, layout });
    const after = await Promise.all(guarded.map(snapshot));
    const verdict = verdictOf(attack, outcome);
    const problems = [
      ...judge({ ...attack.expected, verdict }, outcome),
      ...before.every((text, index) => text === after[index])
        ? []
        : ["it changed what lies outside"],
      ...await hostProblems(place.runtime),
    ];
    return { problems, verdict };
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function layOut(
  folder: string,
  layout: string,
  setup: string,
): Promise<void> {
  const { success } = await new Deno.Command("bash", {
    args: [`${folder}/layout.sh`, layout, setup],
  }).output();
  if (!success) throw new Error(`The suite's layout.sh failed for ${setup}`);
}

async function attempt(
  folder: string,
  attack: Attack,
  { entry, isolation, runtime, layout }: Attempt,
): Promise<Outcome> {
  const { file, call: [input], policy, hostEnv = {} } = attack;
  for (const [name, value] of Object.entries(hostEnv)) {
    Deno.env.set(name, value);
  }
  const start = performance.now();
  const { rss } = Deno.memoryUsage();
  let output = "";
  const measure = () => ({
    output,
    ms: performance.now() - start,
    grownMb: (Deno.memoryUsage().rss - rss) / 1e6,
  });
  try {
    await using sandbox = await Sandbox.create({
      module: `${folder}/${file}`,
      runtime,
      isolation,
      policy: policyOf(attack, layout),
      limits: limitsOf(policy),
      abi: { alloc: "alloc", free: "dealloc" },
    });
    if (attack.abi === "wasi-command") {
      const [name = "guest", ...args] = policy.args;
      const take = () =>
        new WritableStream<Uint8Array>({
          write: (chunk) => void (output += new TextDecoder().decode(chunk)),
        });
      const { exitCode } = await sandbox.execute(args, {
        name,
        stdout: take(),
        stderr: take(),
      });
      return { result: exitCode, ...measure() };
    }
    const value = input?.startsWith("json:")
      ? JSON.parse(input.slice("json:".length))
      : undefined;
    return { result: await sandbox.call(entry, value), ...measure() };
  } catch (error) {
    return { error, ...measure() };
  } finally {
    for (const name of Object.keys(hostEnv)) Deno.env.delete(name);
  }
}

function limitsOf({ limits }: Policy): Record<string, number> {
  return {
    memoryBytes: limits.memoryPages * 65_536,
    tableElements: limits.tableElements,
    timeoutMs: limits.timeoutMs,
    stdoutBytes: limits.stdoutBytes,
    openFiles: limits.fds,
    writtenBytes: limits.writeBytes,
  };
}

function policyOf(
  { abi, policy: { fs, env } }: Attack,
  layout: string,
): SecurityPolicy {
  const capabilities: Capability[] = abi === "wasi-command"
    ? [...Capabilities.program(), Capabilities.environment({ variables: env })]
    : [];
  if (fs.length > 0) {
    capabilities.push(Capabilities.filesystem({
      mounts: fs.map(({ guest, host, write }) => ({
        guest,
        host: host.replace("$T", layout),
        access: write ? "read-write" : "read",
      })),
    }));
  }
  return SecurityPolicy.from(capabilities);
}

/** The suite leaves it open whether some guests are rejected. */
function verdictOf({ expected }: Attack, { error }: Outcome): string {
  const mayBeRejected = String(expected.result).endsWith(" or rejected");
  return mayBeRejected && VERDICTS.rejected?.(error)
    ? "rejected"
    : expected.verdict;
}

function* judge(
  expected: Attack["expected"],
  outcome: Outcome,
): Iterable<string> {
  const { verdict, maxMs, maxHostRssGrowthMb, stdoutNot, exitNot } = expected;
  const { error, result } = outcome;
  if (verdict === "returns") {
    if (error !== undefined || !fits(result, expected.result)) {
      yield `gave ${result ?? error}, not ${expected.result}`;
    }
  } else if (verdict === "exit") {
    if (![expected.exit].flat().some((code) => code === result)) {
      yield `ended with ${
        result ?? error
      }, not ${expected.exit}: ${outcome.output}`;
    }
  } else if (!VERDICTS[verdict]?.(error)) {
    yield `ended with ${error ?? result}, not ${verdict}`;
  }
  if (exitNot !== undefined && result === exitNot) yield "the attack worked";
  if (stdoutNot !== undefined && outcome.output.includes(stdoutNot)) {
    yield `wrote ${outcome.output}`;
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
async function hostProblems(runtime: string): Promise<string[]> {
  const problems: string[] = [];
  await using sandbox = await Sandbox.create({ module: ANSWER, runtime });
  if (sandbox.callSync("answer") !== 42) {
    problems.push("the host answers wrong");
  }
  if ("__PWNED" in globalThis) problems.push("the guest ran code in the host");
  return problems;
}
