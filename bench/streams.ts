/**
 * More bytes than memory, through a guest.
 *
 * @module
 */

import { type Isolation, Sandbox } from "../mod.ts";
import { wat } from "../tests/wasm.ts";
import { type Benchmark, print, table } from "./measure.ts";
import { TALKER } from "./talk_guest.ts";

const PIECE_BYTES = 256 * 2 ** 10;
const MIB = 2 ** 20;
/** Growth that counts as flat, after the first tenth. */
const FLAT_BYTES = 16 * MIB;

/** The benchmark. */
export const streams: Benchmark = {
  name: "streams",
  about:
    "10 GiB (quick: 512 MiB) through a guest of 16 MiB, piece by piece:\n" +
    "how fast, and by how much the memory of this process grows after the\n" +
    "first tenth.",
  async run({ quick }) {
    const bytes = quick ? 512 * MIB : 10 * 1024 * MIB;
    const rows: string[][] = [];
    const figures: Record<string, unknown> = {};
    for (const isolation of ["inline", "process"] as const) {
      const { seconds, growth } = await pump(isolation, bytes);
      figures[isolation] = { seconds, growth };
      rows.push([
        isolation,
        (bytes / 1e6 / seconds).toFixed(0),
        (growth / MIB).toFixed(1),
        growth <= FLAT_BYTES ? "flat" : "GROWS",
      ]);
    }
    print(table(["through a guest", "MB/s", "RSS + MiB", ""], rows));
    return figures;
  },
};

async function pump(
  isolation: Isolation,
  bytes: number,
): Promise<{ readonly seconds: number; readonly growth: number }> {
  await using sandbox = await Sandbox.create({
    module: await wat(TALKER),
    isolation,
    imports: { env: { raw: () => 0n } },
    limits: {
      memoryBytes: 16 * MIB,
      timeoutMs: 3_600_000,
      streamBytes: 2 * bytes,
    },
  });
  const piece = new Uint8Array(PIECE_BYTES).fill(7);
  let sent = 0;
  let base = 0;
  let most = 0;
  let received = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= bytes) return controller.close();
      controller.enqueue(piece.slice());
      sent += piece.length;
    },
  }, { highWaterMark: 1 });
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      received += chunk.length;
      if (received % (64 * MIB) >= chunk.length) return;
      const { rss } = Deno.memoryUsage();
      if (received < bytes / 10) base = Math.max(base, rss);
      else most = Math.max(most, rss);
    },
  });
  const start = performance.now();
  const pumped = await sandbox.call("pump", [], { source, sink });
  const seconds = (performance.now() - start) / 1e3;
  if (pumped !== BigInt(bytes) || received !== bytes) {
    throw new Error(`${pumped} bytes went in, and ${received} came out`);
  }
  return { seconds, growth: Math.max(0, most - base) };
}
