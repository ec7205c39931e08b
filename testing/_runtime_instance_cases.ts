/** What a runtime promises of imports, start functions and linked modules. */

import { SandboxError } from "../errors.ts";
import type { HostImports } from "../runtime/types.ts";
import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkFails, checkLimit, checkSame } from "./_runtime_check.ts";
import { guest } from "./_runtime_place.ts";

const LIBRARY = () => ({ linked: { library: guest("library") } });

/** What does not fit the imports of the guests `start` and `constant`. */
const MISFITS: readonly (readonly ["start" | "constant", HostImports])[] = [
  ["start", {}],
  ["start", { env: {} }],
  ["start", { env: { started: 5 } }],
  ["start", { other: { started: () => 1 } }],
  ["start", Object.create({ env: { started: () => 1 } })],
  ["start", { env: Object.create({ started: () => 1 }) }],
  ["constant", { env: { small: 1 } }],
  ["constant", { env: { small: () => 1, wide: 2n } }],
  ["constant", { env: { small: 1, wide: 2 } }],
  ["constant", { env: { small: 1n, wide: 2n } }],
];

/** Instances, from imports to linked modules. */
export const INSTANCE_CASES: readonly PlaceCase[] = [
  {
    name: "runs the start function, once for each instance",
    async run(place) {
      let starts = 0;
      const imports = { env: { started: () => ++starts } };
      await using subject = await place.open("start", { imports });
      checkSame(await subject.call("value"), 1, "what it was told");
      checkSame(starts, 1, "how often it was started");
      await subject.renew();
      checkSame(await subject.call("value"), 2, "what the next was told");
      checkSame(starts, 2, "how often both were started");
    },
  },
  {
    name: "makes no instance whose start function traps",
    async run(place) {
      await checkFails(
        () => place.open("start_traps"),
        "trap",
        "a start function that traps",
      );
      const imports = {
        env: {
          started: () => {
            throw new Error("no");
          },
        },
      };
      await checkFails(
        () => place.open("start", { imports }),
        "host-function-failed",
        "a start function whose host fails",
      );
    },
  },
  {
    name: "grants imports by name and kind, and nothing that is inherited",
    async run(place) {
      for (const [name, imports] of MISFITS) {
        const what = `${name} with ${Deno.inspect(imports)}`;
        const error = await checkFails(
          () => place.open(name, { imports }),
          "import-not-granted",
          what,
        );
        check(SandboxError.is(error, "import-not-granted"), what);
      }
      const error = await checkFails(
        () => place.open("start"),
        "import-not-granted",
        "a missing import",
      );
      check(SandboxError.is(error, "import-not-granted"), String(error));
      const [missing] = error.details.missing;
      checkSame(missing?.module, "env", "the module of the missing import");
      checkSame(missing?.name, "started", "its name");
    },
  },
  {
    name: "grants constants",
    async run(place) {
      const imports = { env: { small: -7, wide: 2n ** 62n } };
      await using subject = await place.open("constant", { imports });
      checkSame(await subject.call("small"), -7, "a constant of 32 bits");
      checkSame(await subject.call("wide"), 2n ** 62n, "one of 64 bits");
    },
  },
  {
    name: "grants no memory of the host's",
    async run(place) {
      await checkFails(
        () => place.open("imports_memory"),
        ["import-not-granted", "module-refused"],
        "a module that imports a memory",
      );
    },
  },
  {
    name: "grants names that every object has only if they are given",
    async run(place) {
      await checkFails(
        () => place.open("odd_imports", { imports: { env: {} } }),
        "import-not-granted",
        "imports that are inherited",
      );
      const called: string[] = [];
      const note = (name: string) => () => void called.push(name);
      const imports: HostImports = {
        ["__proto__"]: { constructor: note("a") },
        constructor: { toString: note("b") },
        env: { hasOwnProperty: note("c"), ["__proto__"]: note("d") },
      };
      await using subject = await place.open("odd_imports", { imports });
      await subject.call("run");
      checkSame(called.join(""), "abcd", "the functions that were called");
    },
  },
  {
    name: "takes names of exports as names only",
    async run(place) {
      await using subject = await place.open("odd_exports");
      const names = [
        "then",
        "__proto__",
        "constructor",
        "toJSON",
        "",
        "valueOf",
      ];
      for (const [index, name] of names.entries()) {
        checkSame(await subject.call(name), index, `the export "${name}"`);
      }
    },
  },
  {
    name: "links modules that share their limits",
    applies: ({ linked }) => linked,
    async run(place) {
      await using subject = await place.open("linked", LIBRARY());
      checkSame(await subject.call("add", [2, 40]), 42, "a linked function");
      checkSame(await subject.call("count"), 1, "the state of a linked module");
      checkSame(await subject.call("count"), 2, "the same once more");
      await checkFails(() => subject.call("trap"), "trap", "a trap in it");
      await subject.renew();
      checkSame(await subject.call("count"), 1, "the state of the next");
    },
  },
  {
    name: "keeps linked modules within one cap of memory",
    applies: ({ linked, limits }) => linked && limits.memoryBytes !== undefined,
    async run(place) {
      const limits = { memoryBytes: 6 * 65_536 };
      await using subject = await place.open("linked", {
        ...LIBRARY(),
        limits,
      });
      const grown = Number(await subject.call("flood"));
      check(grown <= 4, `two modules of 2 pages grew by ${grown} beyond 6`);
    },
  },
  {
    name: "stops a linked module in time",
    applies: ({ linked, limits }) => linked && limits.timeoutMs !== undefined,
    async run(place) {
      const limits = { timeoutMs: 100 };
      await using subject = await place.open("linked", {
        ...LIBRARY(),
        limits,
      });
      await checkLimit(
        () => subject.call("spin"),
        "timeoutMs",
        "an endless loop in a linked module",
      );
    },
  },
  {
    name: "refuses modules to link, which it does not offer",
    applies: ({ linked }) => !linked,
    async run(place) {
      await checkFails(
        () => place.open("linked", LIBRARY()),
        ["unsupported", "import-not-granted"],
        "linked modules",
      );
    },
  },
  {
    name: "does not take a missing module for a linked one",
    async run(place) {
      await checkFails(
        () => place.open("linked"),
        "import-not-granted",
        "a module whose library is missing",
      );
    },
  },
];
