/**
 * A guest that asks without end: the host keeps its memory and its timers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MemoryChannel } from "../communication/mod.ts";
import { Sandbox, type SandboxOptions } from "../mod.ts";
import { relayGuest } from "./relay_guest.ts";

const MIB = 2 ** 20;
/** Most that a flood may add to what the host holds. */
const MAX_GROWTH_BYTES = 32 * MIB;
/** Latest that a timer of the host may be. */
const MAX_LATE_MS = 50;

/** What a flood does, and how often. */
interface Flood {
  readonly name: string;
  readonly export: string;
  readonly args: readonly number[];
  readonly options?: Partial<SandboxOptions>;
}

const LATER = { a: () => Promise.resolve(1) };
const FLOODS: readonly Flood[] = [
  {
    name: "calls that are answered at once",
    export: "calls",
    args: [2 ** 31 - 1],
    options: { hostFunctions: { a: () => 1 } },
  },
  {
    name: "calls that are answered later",
    export: "calls",
    args: [2 ** 31 - 1],
    options: { hostFunctions: LATER },
  },
  {
    name: "calls of what does not exist",
    export: "calls",
    args: [2 ** 31 - 1],
  },
  { name: "short lines of the log", export: "logs", args: [2 ** 31 - 1, 1] },
  { name: "long lines", export: "logs", args: [2 ** 31 - 1, 60_000] },
  {
    name: "messages that nobody takes",
    export: "sends",
    args: [2 ** 31 - 1, 100],
  },
  {
    name: "long messages that somebody takes",
    export: "sends",
    args: [2 ** 31 - 1, 60_000],
  },
];

for (const isolation of ["inline", "process"] as const) {
  for (const flood of FLOODS) {
    Deno.test(`${flood.name} are contained, ${isolation}`, async () => {
      const takes = flood.name.endsWith("takes") && flood.args[1] === 60_000;
      await using channel = new MemoryChannel();
      await using sandbox = await Sandbox.create({
        module: await relayGuest(),
        isolation,
        limits: { timeoutMs: 1_500 },
        channel,
        ...flood.options,
      });
      const taken = takes ? drain(channel) : undefined;
      // what is loaded and compiled on first use is no flood
      await sandbox.call(flood.export, [20, ...flood.args.slice(1)]);
      using timers = new Timers();
      const before = Deno.memoryUsage().rss;
      const error = await sandbox.call(flood.export, flood.args)
        .then(() => undefined, (error) => error);
      const growth = Deno.memoryUsage().rss - before;
      assertEquals(error?.details?.limit, "timeoutMs", String(error));
      assert(growth < MAX_GROWTH_BYTES, `${(growth / MIB).toFixed(1)} MiB`);
      assert(timers.latest < MAX_LATE_MS, `${timers.latest.toFixed(1)} ms`);
      channel.close();
      await taken;
    });
  }
}

async function drain(channel: MemoryChannel): Promise<void> {
  while (await channel.receiveResult() !== undefined);
}

/** Looks how late timers come. */
class Timers implements Disposable {
  #before = performance.now();
  #latest = 0;
  readonly #timer = setInterval(() => this.#look(), 5);

  /** The latest so far, in milliseconds. */
  get latest(): number {
    this.#look();
    return this.#latest;
  }

  #look(): void {
    const now = performance.now();
    this.#latest = Math.max(this.#latest, now - this.#before - 5);
    this.#before = now;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
