/**
 * What it costs a guest to ask its host.
 *
 * @module
 */

import { Sandbox, type SandboxOptions } from "../mod.ts";
import { wat } from "../tests/wasm.ts";
import {
  type Benchmark,
  interleave,
  print,
  type Samples,
  summarize,
  table,
  target,
} from "./measure.ts";
import { TALKER } from "./talk_guest.ts";

const ANSWER = { text: "hello" };

/** Most that a call of the host may cost, in microseconds. */
const TARGETS: Readonly<Record<string, number>> = {
  "inline, at once": 1,
  "inline, asynchronous": 30,
  "process": 300,
};

/** The benchmark. */
export const hostCalls: Benchmark = {
  name: "host-calls",
  about: "A guest asks the host with a small JSON message and takes the\n" +
    "answer, many times in a row, against a raw import of numbers; and what\n" +
    "is more than the raw import costs, for each of them.",
  async run({ quick }) {
    const module = await wat(TALKER);
    const make = (options: Partial<SandboxOptions>) =>
      Sandbox.create({
        module,
        imports: { env: { raw: () => 0n } },
        limits: { timeoutMs: 60_000 },
        ...options,
      });
    await using atOnce = await make({ hostFunctions: { ask: () => ANSWER } });
    await using later = await make({
      // deno-lint-ignore require-await -- that it is a promise is what counts
      hostFunctions: { ask: async () => ANSWER },
    });
    await using apart = await make({
      hostFunctions: { ask: () => ANSWER },
      isolation: "process",
    });
    const calls = { fast: 20_000, slow: 200 };
    const sides = [
      { name: "raw import", run: () => atOnce.call("raw", [calls.fast]) },
      { name: "inline, at once", run: () => atOnce.call("ask", [calls.fast]) },
      {
        name: "inline, asynchronous",
        run: () => later.call("ask", [calls.fast]),
      },
      { name: "process", run: () => apart.call("ask", [calls.slow]) },
    ];
    const times = await interleave(sides, { rounds: quick ? 5 : 15 });
    const micros = times.map((samples: Samples, index) =>
      summarize(
        samples.map((ms) => ms * 1e3 / (index === 3 ? calls.slow : calls.fast)),
      )
    );
    const base = micros[0]?.median ?? NaN;
    print(table(
      ["a call", "µs", "half within", "more than raw", ""],
      sides.map(({ name }, index) => {
        const { median = NaN, low = NaN, high = NaN } = micros[index] ?? {};
        const most = TARGETS[name];
        return [
          name,
          median.toFixed(3),
          `${low.toFixed(2)}–${high.toFixed(2)}`,
          (median - base).toFixed(3),
          most === undefined ? "" : target(median - base, most),
        ];
      }),
    ));
    return Object.fromEntries(
      sides.map(({ name }, index) => [name, micros[index]]),
    );
  },
};
