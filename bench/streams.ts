/**
 * More bytes than memory, through a guest.
 *
 * @module
 */

import { type Isolation, Sandbox } from "../mod.ts";
import { wat } from "../tests/wasm.ts";
import { type Benchmark, print, table } from "./measure.ts";
import { TALKER } from "./talk_guest.ts";

const MIB = 2 ** 20;
/** Growth that counts as flat, after the first tenth. */
const FLAT_BYTES = 16 * MIB;

/** The benchmark. */
export const streams: Benchmark = {
  name: "streams",
  about: "A file of 10 GiB (quick: 512 MiB) through a guest of 16 MiB to\n" +
    "nowhere, and without the guest: how fast, and by how much the memory of\n" +
    "this process grows from the second tenth to the last, each as the mean of\n" +
    "its samples.",
  async run({ quick }) {
    const bytes = quick ? 512 * MIB : 10 * 1024 * MIB;
    const path = await Deno.makeTempFile();
    try {
      // a hole: it takes no room
      await Deno.truncate(path, bytes);
      const rows: string[][] = [];
      const figures: Record<string, unknown> = {};
      for (const way of ["no guest", "inline", "process"] as const) {
        const { seconds, growth } = await pump(way, path, bytes);
        figures[way] = { seconds, growth };
        rows.push([
          way,
          (bytes / 1e6 / seconds).toFixed(0),
          (growth / MIB).toFixed(1),
          growth <= FLAT_BYTES ? "flat" : "GROWS",
        ]);
      }
      print(table(["through", "MB/s", "RSS + MiB", ""], rows));
      return figures;
    } finally {
      await Deno.remove(path);
    }
  },
};

async function pump(
  way: Isolation | "no guest",
  path: string,
  bytes: number,
): Promise<{ readonly seconds: number; readonly growth: number }> {
  const { readable: source } = await Deno.open(path);
  const { writable } = await Deno.open("/dev/null", { write: true });
  const meter = new Meter(bytes);
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      meter.add(chunk.length);
      controller.enqueue(chunk);
    },
  });
  const sunk = count.readable.pipeTo(writable);
  const sink = count.writable;
  const start = performance.now();
  if (way === "no guest") await source.pipeTo(sink);
  else {
    await using sandbox = await Sandbox.create({
      module: await wat(TALKER),
      isolation: way,
      imports: { env: { raw: () => 0n } },
      limits: {
        memoryBytes: 16 * MIB,
        timeoutMs: 3_600_000,
        streamBytes: 3 * bytes,
      },
    });
    await sandbox.call("pump", [], { source, sink });
  }
  await sunk;
  const seconds = (performance.now() - start) / 1e3;
  return { seconds, growth: meter.growth() };
}

/** Looks at the memory while bytes go by. */
class Meter {
  readonly #bytes: number;
  #seen = 0;
  readonly #early: number[] = [];
  readonly #late: number[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  add(bytes: number): void {
    this.#seen += bytes;
    if (this.#seen % (4 * MIB) >= bytes) return;
    const tenth = Math.floor(10 * this.#seen / this.#bytes);
    if (tenth === 1) this.#early.push(Deno.memoryUsage().rss);
    if (tenth === 9) this.#late.push(Deno.memoryUsage().rss);
  }

  growth(): number {
    if (this.#seen !== this.#bytes) throw new Error(`${this.#seen} bytes came`);
    return mean(this.#late) - mean(this.#early);
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
