/**
 * Tries mutated modules in as many processes as there are cores. A process
 * each, so that one which the engine ends is seen to have failed.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { readSeeds, tryMutant } from "./mutate.ts";

const DEFAULT_COUNT = 1_000_000;
/** A child reports after so many mutants. */
const REPORT_EVERY = 2000;

/** What a child prints, a line each: how many it has tried and accepted. */
interface Report {
  readonly done: number;
  readonly accepted: number;
  readonly error?: string;
}

interface Share {
  readonly from: number;
  readonly count: number;
}

/**
 * Tries mutants.
 *
 * @param args `--count`, `--from` and `--processes`.
 * @returns Whether all were refused or made valid.
 */
export async function soakMutants(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: "string", default: String(DEFAULT_COUNT) },
      from: { type: "string", default: "0" },
      processes: {
        type: "string",
        default: String(navigator.hardwareConcurrency),
      },
    },
  });
  const processes = Number(values.processes);
  const count = Number(values.count);
  const start = performance.now();
  const reports: Report[] = [];
  const failures = await Promise.all(
    shares(Number(values.from), count, processes).map((share, index) =>
      runChild(share, (report) => {
        reports[index] = report;
        progress(reports, count);
      })
    ),
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const [done, accepted] = sum(reports);
  say(`${done} mutants, ${accepted} accepted, in ${seconds} s`);
  const errors = failures.filter((failure) => failure !== undefined);
  errors.forEach(say);
  return errors.length === 0;
}

function shares(from: number, count: number, processes: number): Share[] {
  const size = Math.ceil(count / processes);
  return Array.from({ length: processes }, (_, index) => ({
    from: from + index * size,
    count: Math.max(0, Math.min(size, count - index * size)),
  }));
}

/** Runs a child for its share, and returns how it failed, if it did. */
async function runChild(
  { from, count }: Share,
  onReport: (report: Report) => void,
): Promise<string | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", import.meta.url, `${from}`, `${count}`],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let last: Report = { done: 0, accepted: 0 };
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onReport(last = JSON.parse(line));
  }
  const { code } = await child.status;
  if (last.error !== undefined) return last.error;
  if (code === 0) return undefined;
  const first = from + last.done;
  return `A process ended with code ${code}, between mutants ${first} ` +
    `and ${first + REPORT_EVERY}`;
}

/** A child: tries its share and reports. */
async function tryShare({ from, count }: Share): Promise<number> {
  const seeds = await readSeeds();
  let accepted = 0;
  for (let done = 0; done < count; done++) {
    try {
      if (tryMutant(seeds, from + done)) accepted++;
    } catch (error) {
      say(JSON.stringify({ done, accepted, error: String(error) }));
      return 1;
    }
    if ((done + 1) % REPORT_EVERY === 0) {
      say(JSON.stringify({ done: done + 1, accepted }));
    }
  }
  say(JSON.stringify({ done: count, accepted }));
  return 0;
}

function sum(reports: readonly Report[]): [done: number, accepted: number] {
  return reports.reduce<[number, number]>(
    ([done, accepted], report) => [
      done + report.done,
      accepted + report.accepted,
    ],
    [0, 0],
  );
}

/** Shows how far it is, on a terminal only. */
function progress(reports: readonly Report[], count: number): void {
  if (!Deno.stderr.isTerminal()) return;
  const [done, accepted] = sum(reports);
  const line = `\r${done} of ${count} mutants, ${accepted} accepted `;
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

function say(line: string): void {
  // deno-lint-ignore no-console -- what the task prints
  console.log(line);
}

if (import.meta.main) {
  const [from = 0, count = 0] = Deno.args.map(Number);
  Deno.exit(await tryShare({ from, count }));
}
