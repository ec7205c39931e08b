/**
 * Runs a random module in several ways, and tells where they differ.
 *
 * @module
 */

import { endOf, type Engine, RESOURCE, type Session } from "./_engines.ts";
import { EXPLAINED } from "./_explained.ts";
import { hash, Host, show } from "./_host.ts";
import { type Generated, REFILL, STATE } from "./generate.ts";

/** What became of a module on one engine. */
export interface Report {
  /** Start and calls, one after the other, each with all that it did. */
  readonly lines: readonly string[];
  /** Fuel that each call used, where it is counted. */
  readonly fuel: readonly (number | undefined)[];
}

/** What explained differences are counted as. */
export const EXPLAINED_NAME = "explained differences";

/** How often something happened. */
export type Counts = Record<string, number>;

const NO_ARGUMENTS: readonly number[] = Object.freeze([]);

/**
 * Runs a module.
 *
 * @param engine How.
 * @param module The module and its calls.
 * @returns What became of it. After a call that did not return the next one
 * gets an instance of its own.
 */
export async function run(engine: Engine, module: Generated): Promise<Report> {
  const lines: string[] = [];
  const fuel: (number | undefined)[] = [];
  let host = new Host(module.hosts);
  let session: Session | undefined;
  for (const call of module.calls) {
    try {
      if (session === undefined) {
        host = new Host(module.hosts);
        session = await engine.open(module, host);
        host.hasStarted = true;
        lines.push(`start: ${host.takeTrace()}`);
      }
    } catch (error) {
      lines.push(`start: ${endOf(error)} | ${host.takeTrace()}`);
      break;
    }
    const text = `${call.name}(${call.args.map(show)})`;
    try {
      await session.call({ name: REFILL, args: NO_ARGUMENTS });
      const result = show(await session.call(call));
      const trace = host.takeTrace();
      const state = show(await session.call({ name: STATE, args: [] }));
      const memory = session.memory();
      lines.push(
        `${text} = ${result} | ${trace} | ${state} | ` +
          `${memory.length} bytes, ${hash(memory)}`,
      );
      fuel.push(session.fuel());
    } catch (error) {
      const end = endOf(error);
      lines.push(`${text}: ${end} | ${host.takeTrace()}`);
      fuel.push(session.fuel());
      await session.close();
      session = undefined;
      if (end.startsWith(RESOURCE)) break;
    }
  }
  await session?.close();
  return { lines, fuel };
}

/** A difference between two engines, or of one engine with itself. */
export interface Difference {
  readonly seed: number;
  readonly engines: readonly [string, string];
  /** What each of them gave. */
  readonly lines: readonly [string, string];
}

/** What comparing two reports has shown. */
export interface Comparison {
  /** The first two lines that differ, and for which there is no explanation. */
  readonly lines?: readonly [string, string];
  /** How many differences there are before, each with its explanation. */
  readonly explained: number;
}

/**
 * Compares two reports, line by line.
 *
 * @param one What one engine gave.
 * @param other What the other gave.
 * @returns Where they differ.
 */
export function differ(one: Report, other: Report): Comparison {
  const length = Math.max(one.lines.length, other.lines.length);
  let explained = 0;
  for (let index = 0; index < length; index++) {
    const mine = one.lines[index] ?? "nothing";
    const theirs = other.lines[index] ?? "nothing";
    if (mine === theirs) continue;
    const known = EXPLAINED.find(({ fits }) => fits(mine, theirs));
    if (known === undefined) return { lines: [mine, theirs], explained };
    explained++;
    if (known.isLast) break;
  }
  return { explained };
}

/**
 * Looks for differences: of every engine from the first, and of each that
 * counts fuel from itself.
 *
 * @param engines The engines.
 * @param module The module.
 * @param counts Takes how often each kind of end was seen, and how many
 * differences are explained.
 * @returns The differences.
 */
export async function compare(
  engines: readonly Engine[],
  module: Generated,
  counts: Counts = {},
): Promise<Difference[]> {
  const [first, ...others] = engines;
  if (first === undefined) return [];
  const { seed } = module;
  const differences: Difference[] = [];
  const expected = await run(first, module);
  for (const line of expected.lines) count(counts, kindOf(line));
  for (const engine of others) {
    const report = await run(engine, module);
    const { lines, explained } = differ(expected, report);
    count(counts, EXPLAINED_NAME, explained);
    if (lines !== undefined) {
      differences.push({ seed, engines: [first.name, engine.name], lines });
    } else if (engine.countsFuel) {
      const engines = [engine.name, engine.name] as const;
      for (const lines of await fuelDifferences(engine, module, report)) {
        differences.push({ seed, engines, lines });
      }
    }
  }
  return differences;
}

/** What kind of line it is, for the summary. */
function kindOf(line: string): string {
  if (line.startsWith("start")) return "started";
  if (/^\S+ = /.test(line)) return "returned";
  return /^[^:]*: ([^|]*) \|/.exec(line)?.[1] ?? "other";
}

function count(counts: Counts, name: string, more = 1): void {
  counts[name] = (counts[name] ?? 0) + more;
}

/** Whether the same takes the same fuel again, and no more than it says. */
async function fuelDifferences(
  engine: Engine,
  module: Generated,
  first: Report,
): Promise<(readonly [string, string])[]> {
  const second = await run(engine, module);
  const fuels = [first, second].map(({ fuel }) => `fuel ${fuel.join()}`);
  const [one = "", other = ""] = fuels;
  if (one !== other) return [[one, other]];
  const [call] = module.calls;
  const [used] = first.fuel;
  // only what has returned says how much it takes
  const isSure = first.lines[1]?.startsWith(`${call?.name}(`) &&
    kindOf(first.lines[1]) === "returned";
  if (call === undefined || used === undefined || !isSure) return [];
  const enough = await endWith(engine, module, used);
  const little = await endWith(engine, module, used - 1);
  return [
    [`with fuel ${used}: ${enough}`, `with fuel ${used}: returned`],
    [
      `with fuel ${used - 1}: ${little}`,
      `with fuel ${used - 1}: resource fuel`,
    ],
  ].filter(([got, wanted]) => got !== wanted) as [string, string][];
}

/** How the first call ends with an amount of fuel. */
async function endWith(
  engine: Engine,
  module: Generated,
  fuel: number,
): Promise<string> {
  const [call] = module.calls;
  const host = new Host(module.hosts);
  let session: Session | undefined;
  try {
    session = await engine.open(module, host, fuel);
    host.hasStarted = true;
    await session.call({ name: REFILL, args: NO_ARGUMENTS });
    if (call !== undefined) await session.call(call);
    await session.call({ name: STATE, args: NO_ARGUMENTS });
    return "returned";
  } catch (error) {
    return endOf(error);
  } finally {
    await session?.close();
  }
}

/**
 * Leaves out parts of a module as long as it makes a difference.
 *
 * @param module The module.
 * @param isBad Whether a module makes a difference.
 * @returns The parts that may be left out.
 */
export async function shrink(
  module: Generated,
  isBad: (without: ReadonlySet<string>) => Promise<boolean>,
): Promise<ReadonlySet<string>> {
  let without: ReadonlySet<string> = new Set();
  for (const part of module.parts) {
    const [whole = part] = part.split(".");
    if (without.has(whole)) continue;
    const tried = new Set([...without, part]);
    if (await isBad(tried)) without = tried;
  }
  return without;
}
