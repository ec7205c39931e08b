/**
 * Calls of good and bad tools by many sessions over HTTP, and looks for wrong
 * answers and for what is left behind.
 *
 * @module
 */

import { childrenOf } from "../process/_process.ts";
import { threads } from "../cycles.ts";
import {
  call,
  HOSTILE,
  hostileTools,
  overHttp,
  type Peer,
  serverOf,
  textOf,
} from "./_peers.ts";

/** What came of it. */
export interface McpSoakReport {
  /** Calls that were made. */
  readonly calls: number;
  /** Answers that were not what they had to be, and the first of them. */
  readonly wrong: number;
  readonly first?: string;
  /** What the process has grown by, once it was warm. */
  readonly grownBytes: number;
  /** Processes and threads that are there more than before. */
  readonly processes: number;
  readonly threads: number;
}

/** Calls until compiled code and the young generation have their size. */
const WARM_UP_CALLS = 1_000;

/** Growth that is noise: of few calls, and of many. */
const NOISE_BYTES = { few: 64 * 2 ** 20, many: 16 * 2 ** 20 };

/** Calls of one session. */
const SESSION_CALLS = 20;

/** Tools that fail, and by what the client knows. */
const BAD: readonly (readonly [string, string])[] = [
  ["crash", "it crashed"],
  ["not_json", "its reply is not"],
  ["huge", "messageBytes"],
  ["bomb", "The tool bomb failed"],
];

/** Makes calls. */
export async function soakCalls(calls: number): Promise<McpSoakReport> {
  await run(40);
  const before = { processes: childrenOf(Deno.pid).length, threads: threads() };
  const warmUp = Math.min(WARM_UP_CALLS, Math.ceil(calls / 5));
  const first = await run(warmUp);
  const rss = Deno.memoryUsage().rss;
  const rest = await run(calls - warmUp);
  const wrong = [...first, ...rest];
  return {
    calls,
    wrong: wrong.length,
    ...(wrong[0] !== undefined && { first: wrong[0] }),
    grownBytes: Deno.memoryUsage().rss - rss,
    processes: childrenOf(Deno.pid).length - before.processes,
    threads: threads() - before.threads,
  };
}

/** Runs a server for so many calls; gives what was wrong. */
async function run(calls: number): Promise<readonly string[]> {
  await using server = await serverOf({
    guests: {
      hostile: { module: HOSTILE, limits: { memoryBytes: 32 * 2 ** 20 } },
    },
    tools: hostileTools(["echo", "spin", ...BAD.map(([name]) => name)]),
  });
  await using service = server.serve({ port: 0 });
  const wrong: string[] = [];
  for (let made = 0; made < calls; made += SESSION_CALLS) {
    await using peer = await overHttp(service.addr.port);
    for (let count = 0; count < SESSION_CALLS; count++) {
      const problem = await one(peer, made + count);
      if (problem !== undefined) wrong.push(problem);
    }
  }
  return wrong;
}

/** One call: of twenty one is bad, and one is cancelled. */
async function one(peer: Peer, id: number): Promise<string | undefined> {
  if (id % 20 === 7) {
    const [name, text] = BAD[Math.floor(id / 20) % BAD.length] ?? ["", ""];
    const said = textOf(await call(peer, name));
    return said.includes(text) ? undefined : `${name}: ${said}`;
  }
  if (id % 20 === 13) {
    const signal = AbortSignal.timeout(20);
    const request = { name: "spin" };
    return await peer.client.callTool(request, undefined, { signal }).then(
      () => "spin: it returned",
      () => undefined,
    );
  }
  const said = textOf(await call(peer, "echo", { id }));
  return said === `{"id":${id}}` ? undefined : `echo: ${said}`;
}

/**
 * Runs it for as long as it takes: `[--calls 20000]`.
 *
 * @param args The options.
 * @returns Whether all went well.
 */
export async function soakMcp(args: readonly string[]): Promise<boolean> {
  const at = args.indexOf("--calls");
  const calls = at < 0 ? 20_000 : Number(args[at + 1]);
  const report = await soakCalls(calls);
  // deno-lint-ignore no-console -- a program for people
  console.log(JSON.stringify(report));
  return isClean(report);
}

/** Whether nothing was wrong, and nothing is left. */
export function isClean(report: McpSoakReport): boolean {
  const { few, many } = NOISE_BYTES;
  const isWarm = report.calls >= 5 * WARM_UP_CALLS;
  return report.wrong === 0 && report.processes <= 0 && report.threads <= 2 &&
    report.grownBytes < (isWarm ? many : few);
}
