/**
 * Messages of 1 MiB, through a guest and back.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";
import { wat } from "../tests/wasm.ts";
import {
  type Benchmark,
  interleave,
  print,
  ratio,
  summarize,
  table,
  target,
} from "./measure.ts";
import { TALKER } from "./talk_guest.ts";

const MESSAGE_BYTES = 2 ** 20;
const TIMES = 32;

/** Reads a message, all of it, and then writes it: the least a call can do. */
const PIPE = `const message = new Uint8Array(${MESSAGE_BYTES});
for (;;) {
  for (let at = 0; at < message.length;) {
    const count = Deno.stdin.readSync(message.subarray(at));
    if (count === null) Deno.exit();
    at += count;
  }
  for (let at = 0; at < message.length;) {
    at += Deno.stdout.writeSync(message.subarray(at));
  }
}`;

/** The benchmark. */
export const bulk: Benchmark = {
  name: "bulk",
  about:
    "Bytes of 1 MiB that a guest gives back, inline against a plain copy\n" +
    "into a buffer and out of it, and in a process against a bare process\n" +
    "that copies its standard input to its standard output.",
  async run({ quick }) {
    const module = await wat(TALKER);
    const options = {
      module,
      imports: { env: { raw: () => 0n } },
      limits: { messageBytes: MESSAGE_BYTES },
    };
    await using inline = await Sandbox.create(options);
    await using apart = await Sandbox.create({
      ...options,
      isolation: "process",
    });
    await using pipe = new Pipe();
    const message = new Uint8Array(MESSAGE_BYTES).fill(7);
    const room = new Uint8Array(4 * MESSAGE_BYTES);
    const repeat = (run: () => unknown) => async () => {
      for (let k = 0; k < TIMES; k++) {
        const result = run();
        if (result instanceof Promise) await result;
      }
    };
    const sides = [
      {
        name: "plain copy in and out",
        run: repeat(() => {
          room.set(message, MESSAGE_BYTES);
          return room.slice(MESSAGE_BYTES, 2 * MESSAGE_BYTES);
        }),
      },
      { name: "inline", run: repeat(() => inline.callSync("echo", message)) },
      { name: "bare pipe", run: repeat(() => pipe.echo(message)) },
      { name: "process", run: repeat(() => apart.call("echo", message)) },
    ];
    const times = await interleave(sides, { rounds: quick ? 5 : 21 });
    const speed = times.map((samples) =>
      summarize(samples.map((ms) => 2 * MESSAGE_BYTES * TIMES / ms / 1e3))
    );
    const of = (side: number, base: number) =>
      ratio(times[base] ?? [], times[side] ?? []).median;
    const verdicts = [
      "",
      target(of(1, 0), 0.6, true),
      "",
      `${target(of(3, 2), 0.7, true)} of the pipe, ${
        target(speed[3]?.median ?? NaN, 500, true)
      } MB/s`,
    ];
    const ratios = ["", of(1, 0).toFixed(2), "", of(3, 2).toFixed(2)];
    print(table(
      ["1 MiB and back", "MB/s", "half within", "ratio", ""],
      sides.map(({ name }, index) => [
        name,
        speed[index]?.median.toFixed(0) ?? "",
        `${speed[index]?.low.toFixed(0)}–${speed[index]?.high.toFixed(0)}`,
        ratios[index] ?? "",
        verdicts[index] ?? "",
      ]),
    ));
    return Object.fromEntries(
      sides.map(({ name }, index) => [name, speed[index]]),
    );
  },
};

/** A process that gives back what it is sent. */
class Pipe implements AsyncDisposable {
  readonly #child = new Deno.Command(Deno.execPath(), {
    args: ["eval", PIPE],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  readonly #writer = this.#child.stdin.getWriter();
  readonly #reader = this.#child.stdout.getReader({ mode: "byob" });

  async echo(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const written = this.#writer.write(message);
    const whole = new Uint8Array(message.length);
    let room = new Uint8Array(256 * 1024);
    for (let at = 0; at < whole.length;) {
      const { value } = await this.#reader.read(room);
      if (value === undefined) throw new Error("the pipe has ended");
      whole.set(value, at);
      at += value.length;
      room = new Uint8Array(value.buffer);
    }
    await written;
    return whole;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
  }
}
