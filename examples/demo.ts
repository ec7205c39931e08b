/**
 * Guests that work, modules that are refused and guests that are stopped, with
 * the host standing after each; then a program under a policy, in a process of
 * its own, with its files in a temporary folder; a guest that talks with its
 * host; and the same guests on each engine that is at hand.
 *
 *     deno run --allow-read --allow-write --allow-run examples/demo.ts
 *
 * Ends by itself: with exit code 0 if all came as expected, with 1 otherwise.
 *
 * @module
 */

import process from "node:process";
import { Sandbox } from "../mod.ts";
import { realm } from "../runtime/v8/realm.ts";
import { type Case, type Part, PARTS, WITNESS } from "./demo_cases.ts";
import { engines } from "./demo_engines.ts";
import { story } from "./demo_story.ts";
import { talk } from "./demo_talk.ts";
import { heading, line, type Row, show, verdict } from "./demo_table.ts";

/** For how long the host is watched after the last guest was stopped. */
const WATCH_MS = 200;
/** Less CPU time than a guest that ran on unseen would take. */
const MAX_BUSY_MS = 100;
const MAX_GROWTH_MIB = 300;

async function main(): Promise<boolean> {
  await tryCase(WITNESS);
  const before = Deno.memoryUsage().rss;
  const counts: string[] = [];
  let ok = true;
  for (const part of PARTS) {
    const good = await showPart(part);
    counts.push(`${good} of ${part.cases.length} ${part.name}`);
    ok &&= good === part.cases.length;
  }
  const { busyMs, growthMiB, instances } = await aftermath(before);
  print(
    `\n${counts.join(", ")}. After the last: ${busyMs.toFixed(1)} ms of CPU ` +
      `in ${WATCH_MS} ms, memory grown by ${growthMiB.toFixed(0)} MiB, ` +
      `${instances} instances alive.`,
  );
  ok &&= busyMs < MAX_BUSY_MS && growthMiB < MAX_GROWTH_MIB && instances === 0;
  print("\nPOLICY: a C program that reports on logs, and what it may do\n");
  const told = await story(print);
  print(told ? "\nThe policy held." : "\nThe policy did not hold.");
  ok &&= told;
  print("\nTALK: a C guest that asks, streams and floods\n");
  ok &&= await talk(print);
  print("\nENGINES: the same guests on each that is at hand\n");
  ok &&= await engines(print);
  print(ok ? "The host still stands." : "Something did not hold.");
  return ok;
}

/** Tries the cases of a part, and returns how many came as expected. */
async function showPart({ name, about, cases }: Part): Promise<number> {
  print(heading(name, about));
  let good = 0;
  for (const each of cases) {
    const { outcome, ms } = await tryCase(each);
    const hostStands = matches(await tryCase(WITNESS), WITNESS);
    const ok = matches({ outcome }, each) && hostStands;
    if (ok) good++;
    print(line({ ok, tries: each.tries, outcome, ms, hostStands }));
  }
  return good;
}

async function tryCase(
  { options, run = (sandbox) => sandbox.call("run") }: Case,
): Promise<Pick<Row, "outcome" | "ms">> {
  const start = performance.now();
  let outcome: string;
  try {
    await using sandbox = await Sandbox.create(options);
    outcome = show(await run(sandbox, options));
  } catch (error) {
    outcome = verdict(error);
  }
  return { outcome, ms: performance.now() - start };
}

function matches(
  { outcome }: Pick<Row, "outcome">,
  { expected }: Case,
): boolean {
  return typeof expected === "string"
    ? outcome === expected
    : expected.test(outcome);
}

/** What is left when all guests are gone: they must not run on unseen. */
async function aftermath(rssBefore: number) {
  const start = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  const { user, system } = process.cpuUsage(start);
  return {
    busyMs: (user + system) / 1_000,
    growthMiB: (Deno.memoryUsage().rss - rssBefore) / 2 ** 20,
    instances: realm.instances,
  };
}

function print(text: string): void {
  // deno-lint-ignore no-console -- a program's output
  console.log(text);
}

if (import.meta.main && !await main()) Deno.exitCode = 1;
