/**
 * A server in this process under load from two others: wrk, and clients that
 * check the answer to each of their own requests.
 *
 * @module
 */

import type { HttpServerOptions } from "../../wrappers/http_server.ts";
import { findWrk, load, type WrkReport } from "../_wrk.ts";
import type { ClientReport } from "./_load_client.ts";
import { countsOf, SCRIPT, type ScriptCounts } from "./_load_script.ts";
import { listen } from "./_server.ts";

/** What is run. */
export interface LoadTestOptions {
  readonly seconds: number;
  /** Options of the server, beside those of the load. */
  readonly server?: Partial<HttpServerOptions>;
}

/** What came of it. */
export interface LoadTestReport {
  readonly wrk: Pick<
    WrkReport,
    "perSecond" | "requests" | "socketErrors" | "p50Ms" | "p99Ms"
  >;
  readonly script: ScriptCounts;
  readonly clients: ClientReport;
  /** Requests that the server has taken, and those that it has answered. */
  readonly taken: number;
  readonly finished: number;
  /** What this process has grown by since the first tenth. */
  readonly grownBytes: number;
  /** Its resident memory in each tenth of the time, in MiB. */
  readonly tenthsMiB: readonly number[];
}

const CONNECTIONS = 16;
const SAMPLE_MS = 200;

/** Bounds that the hostile requests run into. */
const BOUNDS = {
  limits: { timeoutMs: 20, memoryBytes: 4 * 2 ** 20 },
  maxRequestBytes: 100_000,
  bodyTimeoutMs: 500,
} as const;

/**
 * Puts a server under load.
 *
 * @param options How long, and what server.
 * @returns What came of it; undefined where there is no wrk.
 */
export async function underLoad(
  { seconds, server: more = {} }: LoadTestOptions,
): Promise<LoadTestReport | undefined> {
  const wrk = await findWrk();
  if (wrk === undefined) return undefined;
  let finished = 0;
  await using it = await listen("actor", {
    ...BOUNDS,
    ...more,
    onAccess: () => void finished++,
  });
  const memory = new MemorySamples();
  const [report, clients] = await Promise.all([
    load(wrk, it.url, { seconds, connections: CONNECTIONS, script: SCRIPT }),
    runClients(it.port, seconds),
  ]);
  const { grownBytes, tenthsMiB } = memory.end();
  // those that wrk has left behind, too
  await it.server.drain();
  const { requests: taken } = it.server.stats();
  const { perSecond, requests, socketErrors, p50Ms, p99Ms } = report;
  return {
    wrk: { perSecond, requests, socketErrors, p50Ms, p99Ms },
    script: countsOf(report.output),
    clients,
    taken,
    finished,
    grownBytes,
    tenthsMiB,
  };
}

async function runClients(
  port: number,
  seconds: number,
): Promise<ClientReport> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--quiet",
      "--allow-net=127.0.0.1",
      new URL("./_load_client.ts", import.meta.url).href,
      String(port),
      String(seconds),
    ],
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Resident memory of this process, looked at again and again. */
class MemorySamples {
  readonly #samples: number[] = [];
  readonly #timer = setInterval(
    () => this.#samples.push(Deno.memoryUsage().rss),
    SAMPLE_MS,
  );

  /** The medians of all tenths, and the growth from the second to the last. */
  end(): Pick<LoadTestReport, "grownBytes" | "tenthsMiB"> {
    clearInterval(this.#timer);
    const { length } = this.#samples;
    const tenths = Array.from({ length: 10 }, (_, tenth) =>
      median(
        this.#samples.slice(tenth * length / 10, (tenth + 1) * length / 10),
      ));
    return {
      grownBytes: (tenths.at(-1) ?? NaN) - (tenths[1] ?? NaN),
      tenthsMiB: tenths.map((bytes) => Math.round(bytes / 2 ** 20)),
    };
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/**
 * Says what was wrong.
 *
 * @param report What came of the load.
 * @param maxGrowthBytes How much the process may have grown.
 * @returns A line for each thing; none if all went well.
 */
export function problemsOf(
  { wrk, script, clients, taken, finished, grownBytes }: LoadTestReport,
  maxGrowthBytes: number,
): readonly string[] {
  const { sent, hostile, answered, failed } = script;
  const left = sent - answered - failed;
  const checks: readonly (readonly [boolean, string])[] = [
    [script.wrong === 0, `${script.wrong} wrong answers: ${script.first}`],
    [wrk.socketErrors === 0, `wrk lost ${wrk.socketErrors} connections`],
    [answered > 0 && hostile > 0, "there was no load"],
    // a good request that failed would be one too many
    [failed <= hostile, `${failed} failed, of ${hostile} that should`],
    [
      left >= 0 && left <= 2 * CONNECTIONS,
      `${left} requests of wrk have no answer`,
    ],
    [clients.wrong === 0, `${clients.wrong} wrong answers: ${clients.first}`],
    [clients.answered > 0, "the clients have no answers"],
    [taken === finished, `${taken} requests taken, ${finished} answered`],
    [grownBytes <= maxGrowthBytes, `it has grown by ${grownBytes} bytes`],
  ];
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem);
}

/** What a run is asked to keep within, of a minute. */
const MAX_GROWTH_BYTES = 16 * 2 ** 20;

/**
 * The program of `deno task soak http`: `[--seconds 60] [--isolation inline]`.
 *
 * @param args The options.
 * @returns Whether all went well.
 */
export async function soakHttp(args: readonly string[]): Promise<boolean> {
  const value = (name: string) =>
    args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
  const isProcess = value("--isolation") === "process";
  const report = await underLoad({
    seconds: Number(value("--seconds") ?? 60),
    server: isProcess
      // with more processes than processors a good call may have to wait for one
      ? { isolation: "process", limits: { ...BOUNDS.limits, timeoutMs: 250 } }
      : {},
  });
  if (report === undefined) {
    say("there is no wrk");
    return false;
  }
  say(JSON.stringify(report, undefined, 2));
  const problems = problemsOf(report, MAX_GROWTH_BYTES);
  for (const problem of problems) say(problem);
  return problems.length === 0;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}
