/** What a runtime promises of calls with numbers. */

import type { WasmValue } from "../runtime/types.ts";
import type { PlaceCase } from "./_runtime_case.ts";
import { checkFails, checkSame, checkTypeError } from "./_runtime_check.ts";

/** A value that goes in, and what comes out. */
type Pair = readonly [given: WasmValue, back: WasmValue];

/** Values of each type, at their edges. */
const VALUES: Readonly<Record<string, readonly Pair[]>> = {
  i32: [
    ...same(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)),
    [-0, 0],
    // an integer may be given unsigned, and comes back signed
    [2 ** 31, -(2 ** 31)],
    [2 ** 32 - 1, -1],
  ],
  i64: [
    ...same(0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
    ...same(0x1234_5678_9abc_def0n, -0x8000_0000n, 0xffff_ffffn),
    [2n ** 63n, -(2n ** 63n)],
    [2n ** 64n - 1n, -1n],
  ],
  f32: [
    ...same(0, -0, 1.5, -2.25, Infinity, -Infinity, NaN),
    ...same(2 ** -149, 3.4028234663852886e38, 16777216),
    [0.1, Math.fround(0.1)],
    [1e300, Infinity],
    [16777217, 16777216],
  ],
  f64: [
    ...same(0, -0, 0.1, -2.25, Infinity, -Infinity, NaN),
    ...same(Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER),
  ],
};

function same(...values: readonly WasmValue[]): readonly Pair[] {
  return values.map((value) => [value, value]);
}

/** What each export sees of what it is given. */
const SEEN: readonly (readonly [string, readonly WasmValue[], WasmValue])[] = [
  ["unsigned", [-1], 0xffff_ffffn],
  ["unsigned", [2 ** 31], 0x8000_0000n],
  ["high", [-1n], -1],
  ["high", [0x1_0000_0000n], 1],
  ["high", [2n ** 63n], -(2 ** 31)],
  ["bits32", [-0], -(2 ** 31)],
  ["bits32", [1.5], 0x3fc00000],
  ["bits32", [-Infinity], 0xff800000 | 0],
  ["bits64", [-0], -(2n ** 63n)],
  ["bits64", [1.5], 0x3ff8_0000_0000_0000n],
  ["mixed", [1, 2n, 0.5, 0.25], 3.75],
  ["mixed", [-(2 ** 31), -1n, -0.5, 0.5], -2147483649],
];

/** Arguments that fit no parameter, by export. */
const WRONG: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  i32: [[], [1, 2], [1n], [1.5], [NaN], [2 ** 32], [-(2 ** 31) - 1], ["1"]],
  i64: [[], [1n, 2n], [1], ["1"], [2n ** 64n], [-(2n ** 63n) - 1n], [null]],
  f32: [[], [1n], ["1"], [undefined], [{}]],
  f64: [[], [1n], [true], [[1]], [1, 2]],
  none: [[0], [undefined]],
  swap: [[1, 2n, 3], [1, 2, 3, 4], [1n, 2n, 3, 4], [1, 2n, 3, 4, 5]],
};

const NO_FUNCTIONS = [
  "missing",
  "constant",
  "toString",
  "__proto__",
  "constructor",
  "then",
  "",
];

/** Calls with numbers. */
export const CALL_CASES: readonly PlaceCase[] = [
  ...Object.entries(VALUES).map(([type, pairs]): PlaceCase => ({
    name: `takes and gives every ${type}`,
    async run(place) {
      await using subject = await place.open("numbers");
      for (const [given, back] of pairs) {
        const result = await subject.call(type, [given]);
        checkSame(result, back, `the ${type} ${String(given)}`);
      }
    },
  })),
  {
    name: "passes numbers on bit by bit",
    async run(place) {
      await using subject = await place.open("numbers");
      for (const [name, args, expected] of SEEN) {
        const what = `${name}(${args.map(String)})`;
        checkSame(await subject.call(name, args), expected, what);
      }
    },
  },
  {
    name: "gives several results as an array, and none as undefined",
    async run(place) {
      await using subject = await place.open("numbers");
      checkSame(await subject.call("none"), undefined, "no result");
      const result = await subject.call("swap", [1, 2n, 3.5, -0]);
      checkSame(result, [-0, 3.5, 2n, 1], "four results");
      const many = [0, 1, 2].flatMap((
        each,
      ) => [BigInt(-each), -each | 0, each / 7, -each / 2]);
      checkSame(
        await subject.call("many", many),
        many.toReversed(),
        "twelve results",
      );
    },
  },
  {
    name: "refuses arguments that do not fit, and lives on",
    async run(place) {
      await using subject = await place.open("numbers");
      await subject.call("count");
      for (const [name, all] of Object.entries(WRONG)) {
        for (const args of all) {
          await checkTypeError(
            () => subject.call(name, args as readonly WasmValue[]),
            `${name}(${args.map((each) => Deno.inspect(each))})`,
          );
        }
      }
      checkSame(await subject.call("count"), 2, "calls that were made");
    },
  },
  {
    name: "finds exported functions only",
    async run(place) {
      await using subject = await place.open("numbers");
      for (const name of NO_FUNCTIONS) {
        await checkFails(
          () => subject.call(name),
          "export-not-found",
          `a call of "${name}"`,
        );
      }
      checkSame(await subject.call("count"), 1, "calls that were made");
    },
  },
  {
    name: "keeps the state of an instance, and of no other",
    async run(place) {
      await using subject = await place.open("numbers");
      await using other = await place.open("numbers");
      for (const expected of [1, 2, 3]) {
        checkSame(await subject.call("count"), expected, "the count");
      }
      checkSame(await other.call("count"), 1, "the count of another");
      await subject.renew();
      checkSame(await subject.call("count"), 1, "the count of the next");
    },
  },
  {
    name: "calls at once if it can, and refuses that otherwise",
    async run(place) {
      await using subject = await place.open("numbers");
      const isHere = place.name !== "in a process";
      if (!isHere || !place.runtime.features.sync) {
        await checkFails(
          () => subject.callSync("count"),
          "unsupported",
          "callSync, which is not offered,",
        );
        return;
      }
      checkSame(subject.callSync("count"), 1, "callSync");
      checkSame(subject.callSync("i64", [-1n]), -1n, "an i64 of callSync");
      await checkTypeError(() => subject.callSync("i32", []), "no argument");
      await checkFails(
        () => subject.callSync("missing"),
        "export-not-found",
        "callSync of nothing",
      );
      checkSame(await subject.call("count"), 2, "call after callSync");
    },
  },
];
