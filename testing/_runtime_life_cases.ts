/** What a runtime promises of its end, and of the end of its guests. */

import type { Runtime } from "../runtime/types.ts";
import type { RuntimeCase, SandboxCase } from "./_runtime_case.ts";
import { check, checkFails, checkSame, failureOf } from "./_runtime_check.ts";
import { guest } from "./_runtime_place.ts";

/** Whether instances can be made in the calling thread. */
function isHere(
  { calls, isolations }: Runtime["features"],
): boolean {
  return calls && isolations.includes("inline");
}

/** The runtime, its instances, and their end. */
export const LIFE_CASES: readonly RuntimeCase[] = [
  {
    name: "lets an instance go, once and for all",
    applies: isHere,
    async run({ runtime }) {
      const module = await runtime.compile(guest("messages"));
      const instance = await runtime.instantiate(module);
      await instance.call("number", [1]);
      await instance[Symbol.asyncDispose]();
      await instance[Symbol.asyncDispose]();
      const uses = {
        call: () => instance.call("number", [1]),
        exchange: () => instance.exchange("echo", "1"),
        ...(runtime.features.sync
          ? { callSync: () => instance.callSync("number", [1]) }
          : {}),
      };
      for (const [name, use] of Object.entries(uses)) {
        await checkFails(use, "disposed", `${name}() after its disposal`);
      }
      checkSame(instance.failure?.code, "disposed", "its failure");
      check(instance.exports.length > 0, "a disposed instance has no exports");
      check(instance.usage() instanceof Object, "it has no usage");
      await using next = await runtime.instantiate(module);
      checkSame(await next.call("number", [7]), 7, "the next instance");
    },
  },
  {
    name: "lets an instance go that is dead already",
    applies: isHere,
    async run({ runtime }) {
      const module = await runtime.compile(guest("traps"));
      const instance = await runtime.instantiate(module);
      await checkFails(() => instance.call("unreachable", []), "trap", "it");
      await instance[Symbol.asyncDispose]();
      checkSame(instance.failure?.code, "trap", "why it is dead");
    },
  },
  {
    name: "ends with all its instances, once and for all",
    applies: isHere,
    async run({ open }) {
      const runtime = await open();
      const module = await runtime.compile(guest("numbers"));
      const instances = await Promise.all(
        [1, 2, 3].map(() => runtime.instantiate(module)),
      );
      await runtime[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
      for (const instance of instances) {
        await checkFails(
          () => instance.call("none", []),
          "disposed",
          "an instance whose runtime is disposed",
        );
      }
      await checkFails(
        () => runtime.instantiate(module),
        "disposed",
        "instantiate() of a disposed runtime",
      );
    },
  },
  {
    name: "compiles nothing once it is disposed",
    async run({ open }) {
      const runtime = await open();
      await runtime[Symbol.asyncDispose]();
      await checkFails(
        () => runtime.compile(guest("numbers")),
        "disposed",
        "compile() of a disposed runtime",
      );
    },
  },
  {
    name: "leaves instances of other runtimes alone",
    applies: isHere,
    async run({ runtime, open }) {
      const other = await open();
      const module = await runtime.compile(guest("numbers"));
      await using instance = await runtime.instantiate(module);
      await other[Symbol.asyncDispose]();
      checkSame(await instance.call("count", []), 1, "the other's guest");
    },
  },
  {
    name: "ends what is cancelled with the signal's reason",
    applies: isHere,
    async run({ runtime }) {
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      const module = await runtime.compile(guest("numbers"));
      await using instance = await runtime.instantiate(module);
      const uses = {
        instantiate: () => runtime.instantiate(module, { signal }),
        call: () => instance.call("count", [], { signal }),
      };
      for (const [name, use] of Object.entries(uses)) {
        const error = await failureOf(use, `a cancelled ${name}()`);
        check(error === reason, `a cancelled ${name}() failed with ${error}`);
      }
      checkSame(await instance.call("count", []), 1, "calls that were made");
    },
  },
];

/** Sandboxes, and their end. */
export const SANDBOX_LIFE_CASES: readonly SandboxCase[] = [
  {
    name: "lets a sandbox go, once and for all",
    async run(place) {
      const sandbox = await place.sandbox("silent_start");
      await sandbox.execute();
      await sandbox[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
      await checkFails(
        () => sandbox.execute(),
        "disposed",
        "execute() after its disposal",
      );
    },
  },
  {
    name: "ends a sandbox that is cancelled with the signal's reason",
    async run(place) {
      const reason = new Error("enough");
      await using sandbox = await place.sandbox("silent_start");
      const error = await failureOf(
        () => sandbox.execute([], { signal: AbortSignal.abort(reason) }),
        "a cancelled execute()",
      );
      check(error === reason, `a cancelled execute() failed with ${error}`);
      checkSame((await sandbox.execute()).exitCode, 0, "the next run");
    },
  },
  {
    name: "makes many sandboxes at once",
    async run(place) {
      const codes = await Promise.all(
        [1, 2, 3, 4].map(async () => {
          await using sandbox = await place.sandbox("silent_start");
          return (await sandbox.execute()).exitCode;
        }),
      );
      checkSame(codes, [0, 0, 0, 0], "the exit codes");
    },
  },
];
