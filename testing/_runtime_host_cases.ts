/** What a runtime promises of functions of the host. */

import { SandboxError } from "../errors.ts";
import type {
  HostFunction,
  HostImports,
  WasmResult,
  WasmValue,
} from "../runtime/types.ts";
import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkFails, checkSame } from "./_runtime_check.ts";
import { guest, type Place, type Subject } from "./_runtime_place.ts";

/** What the guest `asks` imports, most of it boring. */
function asked(own: Readonly<Record<string, HostFunction>>): HostImports {
  return {
    env: {
      mixed: () => 0,
      wide: () => 0n,
      small: () => 0,
      whole: () => 0,
      pair: () => [0n, 0],
      none: () => {},
      ...own,
    },
  };
}

function open(
  place: Place,
  own: Readonly<Record<string, HostFunction>>,
): Promise<Subject> {
  return place.open("asks", { imports: asked(own) });
}

/** Calls, and what the function of the host is given by the guest. */
const GIVEN: readonly (readonly [string, readonly WasmValue[]])[] = [
  ["mixed", [-1, -1n, -0, NaN]],
  ["mixed", [2 ** 31 - 1, 2n ** 63n - 1n, Infinity, -0]],
  ["mixed", [-(2 ** 31), -(2n ** 63n), 1.5, Number.MAX_VALUE]],
  ["wide", [0x1234_5678_9abc_def0n]],
  ["small", [-Infinity]],
  ["whole", [-5]],
];

/** What a function gives, and what the guest gets. */
const GOT: readonly (readonly [string, unknown, WasmResult])[] = [
  ["mixed", -0, -0],
  ["mixed", NaN, NaN],
  ["mixed", Number.MIN_VALUE, Number.MIN_VALUE],
  ["wide", -1n, -1n],
  ["wide", 2n ** 63n - 1n, 2n ** 63n - 1n],
  ["wide", 2n ** 64n - 1n, -1n],
  ["small", 0.1, Math.fround(0.1)],
  ["small", -0, -0],
  ["whole", -1, -1],
  ["whole", 2 ** 32 - 1, -1],
  ["pair", [-1n, 2 ** 31], [-1n, -(2 ** 31)]],
  ["none", undefined, undefined],
];

/** What a function must not give. */
const WRONG: readonly (readonly [string, unknown])[] = [
  ["whole", undefined],
  ["whole", "5"],
  ["whole", 5n],
  ["whole", null],
  ["whole", { valueOf: () => 5 }],
  ["wide", 5],
  ["wide", true],
  ["small", 5n],
  ["mixed", "text"],
  ["pair", 5],
  ["pair", [5n]],
  ["pair", [5, 5]],
  ["pair", [5n, 5, 5]],
  ["pair", { 0: 5n, 1: 5, length: 2 }],
];

/** Arguments for each function of the guest. */
const ARGUMENTS: Readonly<Record<string, readonly WasmValue[]>> = {
  mixed: [1, 2n, 3, 4],
  wide: [1n],
  small: [1],
  whole: [1],
  pair: [1],
  none: [],
};

/** What a careless host throws. */
const THROWN: readonly unknown[] = [
  new Error("no\u001b[31m"),
  new TypeError("no"),
  undefined,
  null,
  "text",
  Object.create(null),
];

/** Fails unless a call ends by the failure of a function of the host. */
async function checkFailed(
  subject: Subject,
  name: string,
  what: string,
): Promise<SandboxError> {
  const error = await checkFails(
    () => subject.call(name, ARGUMENTS[name] ?? []),
    "host-function-failed",
    what,
  );
  check(SandboxError.is(error, "host-function-failed"), what);
  checkSame(error.details.import.name, name, "the function that failed");
  check(!error.message.includes("\u001b"), "an error carries what is unseen");
  checkSame(subject.failure?.code, error.code, "the failure after it");
  await subject.renew();
  return error;
}

async function checkThrown(place: Place): Promise<void> {
  let thrown: unknown;
  await using subject = await open(place, {
    none: () => {
      throw thrown;
    },
  });
  for (thrown of THROWN) {
    const what = `a function that throws ${Deno.inspect(thrown)}`;
    const error = await checkFailed(subject, "none", what);
    if (thrown instanceof Error && place.name !== "in a process") {
      check(error.cause === thrown, "the cause of the failure is lost");
    }
  }
}

/** A guest that wants to catch what its host throws. */
async function checkUncaught(
  place: Place,
  name: "catches" | "legacy_catches",
): Promise<void> {
  const imports: HostImports = {
    env: {
      none: () => {
        throw new Error("not for you");
      },
    },
  };
  await using subject = await place.open(guest(name), { imports });
  await checkFails(
    () => subject.call("run"),
    "host-function-failed",
    "what a host threw and a guest caught",
  );
}

/** Functions of the host. */
export const HOST_CASES: readonly PlaceCase[] = [
  {
    name: "gives functions of the host numbers as they are",
    async run(place) {
      let given: unknown;
      const keep = (back: WasmValue) => (...args: unknown[]) => {
        given = args;
        return back;
      };
      await using subject = await open(place, {
        mixed: keep(0),
        wide: keep(0n),
        small: keep(0),
        whole: keep(0),
      });
      for (const [name, args] of GIVEN) {
        await subject.call(name, args);
        checkSame(given, args, `what ${name} was given`);
      }
    },
  },
  {
    name: "takes what functions of the host give",
    async run(place) {
      let gives: unknown;
      const give = () => gives as WasmResult;
      await using subject = await open(
        place,
        Object.fromEntries(
          Object.keys(ARGUMENTS).map((each) => [each, give]),
        ),
      );
      for (const [name, value, expected] of GOT) {
        gives = value;
        const result = await subject.call(name, ARGUMENTS[name] ?? []);
        checkSame(result, expected, `${Deno.inspect(value)} of ${name}`);
      }
    },
  },
  {
    name: "ends a guest whose host gives something else",
    async run(place) {
      let gives: unknown = 0;
      const give = () => gives as WasmResult;
      await using subject = await open(place, {
        whole: give,
        wide: give,
        small: give,
        mixed: give,
        pair: give,
      });
      for (const [name, value] of WRONG) {
        gives = value;
        const what = `${Deno.inspect(value)} of ${name}`;
        await checkFailed(subject, name, what);
      }
    },
  },
  { name: "ends a guest whose host throws", run: checkThrown },
  {
    name: "does not wait for a promise that is no number",
    async run(place) {
      await using subject = await open(place, {
        whole: () => Promise.resolve(5) as unknown as number,
      });
      const run = () => subject.call("whole", [1]);
      // a host in another process may wait for it
      if (place.name === "in a process") {
        const result = await run().catch((error: unknown) => error);
        check(
          result === 5 || SandboxError.is(result, "host-function-failed"),
          `a promise of 5 became ${result}`,
        );
        return;
      }
      await checkFails(run, "host-function-failed", "a promise");
    },
  },
  {
    name: "passes errors of other sandboxes on as a cause only",
    async run(place) {
      const own = new SandboxError("disposed", "Cannot do it: disposed", {
        details: { kind: "test" },
      });
      await using subject = await open(place, {
        none: () => {
          throw own;
        },
      });
      const error = await checkFailed(subject, "none", "a SandboxError");
      check(SandboxError.is(error.cause, "disposed"), "the cause is lost");
    },
  },
  {
    name: "lets no guest catch what its host throws",
    applies: ({ wasm }) => wasm.includes("exceptions"),
    run: (place) => checkUncaught(place, "catches"),
  },
  {
    name: "lets no guest catch what its host throws, with older exceptions",
    applies: ({ wasm }) => wasm.includes("legacyExceptions"),
    run: (place) => checkUncaught(place, "legacy_catches"),
  },
  {
    name: "refuses calls into an instance that runs",
    async run(place) {
      let inner: Promise<unknown> | undefined;
      const self: { subject?: Subject } = {};
      await using subject = await open(place, {
        none: () => {
          inner = self.subject?.call("kept").catch((error: unknown) => error);
        },
      });
      self.subject = subject;
      await subject.call("none");
      const error = await inner;
      check(
        SandboxError.is(error, "instance-busy"),
        `a call into an instance that runs gave ${error}`,
      );
      checkSame(await subject.call("kept"), 8, "the guest after that");
    },
  },
  {
    name: "lets functions of the host call other guests",
    applies: ({ sync }) => sync,
    async run(place) {
      if (place.name === "in a process") return;
      await using other = await place.open("numbers");
      await using subject = await open(place, {
        whole: (value: number) => other.callSync("i32", [value]),
      });
      checkSame(await subject.call("whole", [7]), 7, "what another guest gave");
      await using trapping = await place.open("traps");
      await using caller = await open(place, {
        none: () => {
          try {
            trapping.callSync("unreachable");
          } catch (error) {
            if (!SandboxError.is(error, "trap")) throw error;
          }
        },
      });
      await caller.call("none");
      checkSame(await caller.call("kept"), 8, "the caller of one that trapped");
    },
  },
];
