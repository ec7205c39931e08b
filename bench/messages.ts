/**
 * What messages of text and bytes cost, against the least that works by hand.
 *
 * @module
 */

import type { Sandbox } from "../mod.ts";
import {
  interleave,
  print,
  type Ratio,
  ratio,
  type Samples,
  type Side,
  summarize,
  table,
  target,
} from "./measure.ts";

/** What of the guest is used here. */
export interface RawGuest {
  readonly memory: WebAssembly.Memory;
  readonly add: (a: number, b: number) => number;
  readonly textStats: Handler;
  readonly reverse: Handler;
  readonly alloc: (size: number) => number;
  readonly free: (pointer: number, size: number) => void;
}

/** Takes a message and gives one. */
export type Handler = (pointer: number, length: number) => bigint;

/**
 * Makes an instance without a sandbox.
 *
 * @param module The guest's bytes.
 * @returns What of it is used here.
 */
export function rawGuest(module: Uint8Array<ArrayBuffer>): RawGuest {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  const { memory, add, text_stats: textStats, reverse } = exports;
  const { wasm_sandbox_alloc: alloc, wasm_sandbox_free: free } = exports;
  const guest = { memory, add, textStats, reverse, alloc, free };
  return guest as unknown as RawGuest;
}

const REQUEST = { text: "the quick brown fox\njumps over the lazy dog" };
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/**
 * Measures messages.
 *
 * @param raw The guest without a sandbox.
 * @param sandbox The same guest in one.
 * @param rounds How often each side is measured.
 * @returns How many times as long it takes, by the message.
 */
export async function measureMessages(
  raw: RawGuest,
  sandbox: Sandbox,
  rounds: number,
): Promise<Readonly<Record<string, Ratio>>> {
  const small = new Uint8Array(64).fill(7);
  const large = new Uint8Array(65_536).fill(7);
  const works = [
    work(
      "JSON, text_stats of 43 characters",
      4_000,
      () => rawJson(raw, REQUEST),
      () => sandbox.callSync("text_stats", REQUEST),
    ),
    work(
      "bytes, reverse of 64 B",
      4_000,
      () => rawBytes(raw, small),
      () => sandbox.callSync("reverse", small),
    ),
    work(
      "bytes, reverse of 64 KiB",
      40,
      () => rawBytes(raw, large),
      () => sandbox.callSync("reverse", large),
    ),
  ];
  const figures: Record<string, Ratio> = {};
  const rows: string[][] = [];
  for (const { name, times, sides } of works) {
    const [base = [], guarded = []] = await interleave(sides, { rounds });
    const each = figures[name] = ratio(guarded, base);
    const ns = (samples: Samples) =>
      (summarize(samples).median * 1e6 / times).toFixed(0);
    rows.push([
      name,
      ns(base),
      ns(guarded),
      each.median.toFixed(3),
      `${each.low.toFixed(2)}–${each.high.toFixed(2)}`,
      each.ofMinima.toFixed(3),
      name.startsWith("JSON") ? target(each.median, 1.5) : "",
    ]);
  }
  print(
    "\n" + table(
      [
        "message",
        "raw ns",
        "callSync ns",
        "ratio",
        "half within",
        "minima",
        "target",
      ],
      rows,
    ),
  );
  return figures;
}

/** The same work by hand and through the sandbox, some times in a row. */
function work(
  name: string,
  times: number,
  byHand: () => unknown,
  guarded: () => unknown,
) {
  const repeat = (run: () => unknown) => () => {
    for (let k = 0; k < times; k++) run();
  };
  const sides: readonly Side[] = [
    { name: "by hand", run: repeat(byHand) },
    { name: "callSync", run: repeat(guarded) },
  ];
  return { name, times, sides };
}

function rawJson(guest: RawGuest, value: unknown): unknown {
  const request = ENCODER.encode(JSON.stringify(value));
  return exchange(
    guest,
    guest.textStats,
    request,
    (reply) => JSON.parse(DECODER.decode(reply)),
  );
}

function rawBytes(guest: RawGuest, request: Uint8Array): Uint8Array {
  return exchange(guest, guest.reverse, request, (reply) => reply.slice());
}

/** Trusts the guest in everything. */
function exchange<T>(
  guest: RawGuest,
  handle: Handler,
  request: Uint8Array,
  take: (reply: Uint8Array) => T,
): T {
  const pointer = guest.alloc(request.length);
  new Uint8Array(guest.memory.buffer, pointer, request.length).set(request);
  const packed = handle(pointer, request.length);
  const replyPointer = Number(packed >> 32n);
  const length = Number(packed & 0xffff_ffffn);
  const reply = new Uint8Array(guest.memory.buffer, replyPointer, length);
  const result = take(reply);
  guest.free(pointer, request.length);
  guest.free(replyPointer, length);
  return result;
}
