/**
 * A WASI command, on each engine and in each isolation.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";
import { RuntimeFactory } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/types.ts";
import { Capabilities } from "../security/mod.ts";
import { print, type RunOptions } from "./measure.ts";
import {
  compare,
  type Engines,
  type Findings,
  timedAsync,
  type TimedSide,
} from "./runtimes_sides.ts";

const PROGRAM = new URL(
  "../examples/programs/rust/wordfreq.wasm",
  import.meta.url,
);
const STDIN = "the quick brown fox jumps over the lazy dog ".repeat(20);
const WORDS = '"words":180';

/** What was found. */
export interface CommandFigures {
  /** A run in a sandbox that has run it before. */
  readonly warm: Findings;
  /** Making the sandbox, a run, and letting it go. */
  readonly cold: Findings;
}

/** A place to run the command in. */
interface Place {
  readonly name: string;
  create(): Promise<Sandbox>;
}

/** Measures runs of a command. */
export async function measureCommands(
  engines: Engines,
  { quick }: RunOptions,
): Promise<CommandFigures> {
  await using resources = new AsyncDisposableStack();
  const module = await Deno.readFile(PROGRAM);
  const places: Place[] = [];
  for await (const [runtime, isolation] of choices(engines, resources)) {
    const name = `${runtime.name}, ${isolation}`;
    const place = {
      name,
      create: () =>
        Sandbox.create({ module, runtime, isolation, policy: POLICY }),
    };
    try {
      await once(place);
      places.push(place);
    } catch (error) {
      print(
        `${name} skipped: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  const shared = { base: "v8, inline", unit: "ms" } as const;
  const cold = await compare({
    ...shared,
    title: "wordfreq, 127 KB: create, run, dispose",
    rounds: quick ? 3 : 15,
    sides: places.map((place) => ({
      name: place.name,
      run: () => timedAsync(() => once(place)),
    })),
  });
  const warm = await compare({
    ...shared,
    title: "wordfreq: a run",
    rounds: quick ? 9 : 41,
    sides: await warmSides(places, resources),
  });
  return { cold, warm };
}

/** What the program imports, as every engine can grant it. */
const POLICY = [
  Capabilities.process(),
  Capabilities.stdio(),
  Capabilities.clock({ mode: "real" }),
  Capabilities.random(),
  Capabilities.environment({}),
  Capabilities.filesystem({
    mounts: [{ guest: "/workspace", memory: true, access: "read-write" }],
  }),
];

const ISOLATIONS = ["inline", "process"] as const;

/** The runtimes that are there, with the places that they have. */
async function* choices(
  { v8, wasmtime }: Engines,
  resources: AsyncDisposableStack,
): AsyncIterable<readonly [Runtime, "inline" | "process"]> {
  const runtimes: Runtime[] = [v8];
  if (wasmtime !== undefined) runtimes.push(wasmtime);
  try {
    const wasmer = await new RuntimeFactory().create("wasmer");
    runtimes.push(resources.use(wasmer));
  } catch (error) {
    print(`wasmer skipped: ${error instanceof Error ? error.message : error}`);
  }
  for (const runtime of runtimes) {
    for (const isolation of ISOLATIONS) {
      if (!runtime.features.isolations.includes(isolation)) continue;
      yield [runtime, isolation];
    }
  }
}

async function once({ create }: Place): Promise<void> {
  await using sandbox = await create();
  await run(sandbox);
}

async function warmSides(
  places: readonly Place[],
  resources: AsyncDisposableStack,
): Promise<readonly TimedSide[]> {
  const sides: TimedSide[] = [];
  for (const { name, create } of places) {
    const sandbox = resources.use(await create());
    sides.push({ name, run: () => timedAsync(() => run(sandbox)) });
  }
  return sides;
}

/** Runs it; what it prints shows that it did its work. */
async function run(sandbox: Sandbox): Promise<void> {
  const { exitCode, stdout } = await sandbox.execute([], { stdin: STDIN });
  const text = new TextDecoder().decode(stdout);
  if (exitCode === 0 && text.includes(WORDS)) return;
  throw new Error(`the command ended with ${exitCode}, and printed ${text}`);
}
