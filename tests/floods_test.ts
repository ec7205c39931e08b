/**
 * A guest that asks without end: the host keeps its memory and its timers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MemoryChannel } from "../communication/mod.ts";
import { Sandbox, type SandboxOptions } from "../mod.ts";
import { collectGarbage } from "./garbage.ts";
import { relayGuest } from "./relay_guest.ts";

const MIB = 2 ** 20;
/**
 * Most that a flood may add to the memory of the host: V8's young objects take
 * 48 MiB whatever happens, and garbage waits for its collection. The long floods
 * bring many times as much.
 */
const MAX_GROWTH_BYTES = 128 * MIB;
/** Most of it that the host may hold: what waits in a channel, mostly. */
const MAX_HELD_BYTES = 8 * MIB;
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
      await growNursery();
      const heldBefore = heldBytes();
      using timers = new Timers();
      const before = Deno.memoryUsage().rss;
      const error = await sandbox.call(flood.export, flood.args)
        .then(() => undefined, (error) => error);
      const growth = Deno.memoryUsage().rss - before;
      assertEquals(error?.details?.limit, "timeoutMs", String(error));
      assert(growth < MAX_GROWTH_BYTES, `${(growth / MIB).toFixed(1)} MiB`);
      assert(timers.late < MAX_LATE_MS, `${timers.late.toFixed(1)} ms`);
      const held = heldBytes() - heldBefore;
      assert(held < MAX_HELD_BYTES, `${(held / MIB).toFixed(1)} MiB are held`);
      channel.close();
      await taken;
    });
  }
}

/** What V8 holds when all garbage is gone, in bytes. */
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function drain(channel: MemoryChannel): Promise<void> {
  while (await channel.receiveResult() !== undefined);
}

/** Has V8 take the room for young objects that any busy program has it take. */
async function growNursery(): Promise<void> {
  const until = performance.now() + 300;
  while (performance.now() < until) {
    const kept = Array.from({ length: 20_000 }, (_, index) => ({ index }));
    assertEquals(kept.length, 20_000);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Looks how late timers come. */
class Timers implements Disposable {
  #before = performance.now();
  readonly #late: number[] = [];
  readonly #timer = setInterval(() => this.#look(), 5);

  /**
   * How late the fifth-latest came, in milliseconds: a flood that is not
   * contained delays all of them, or leaves fewer than five; a machine that is
   * busy with something else may delay a few.
   */
  get late(): number {
    this.#look();
    return this.#late.toSorted((a, b) => b - a)[4] ?? Infinity;
  }

  #look(): void {
    const now = performance.now();
    this.#late.push(now - this.#before - 5);
    this.#before = now;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
