/** What a runtime tells of itself. */

import type { RuntimeFeatures } from "../runtime/types.ts";
import { FEATURES } from "../runtime/v8/features.ts";
import { Sandbox } from "../sandbox.ts";
import { LIMIT_NAMES, type LimitName } from "../security/limits.ts";
import type { RuntimeNeed } from "../runtime/needs.ts";
import type { RuntimeCase, SandboxCase } from "./_runtime_case.ts";
import { check, checkFails, checkSame } from "./_runtime_check.ts";
import { guest } from "./_runtime_place.ts";
import { guestOf } from "./_runtime_compile_cases.ts";

const LEVELS: readonly string[] = ["hard", "soft", "none"];
const ISOLATIONS = ["inline", "process"] as const;
const ABILITIES = ["sync", "async", "calls", "linked", "wasix"] as const;

/** Fails unless it is something that can be read. */
function checkSentence(text: unknown, what: string): void {
  check(
    typeof text === "string" && text.trim().length > 1,
    `${what} is no sentence`,
  );
}

/** Fails unless all limits say who enforces them. */
export function checkEnforcement(
  limits: RuntimeFeatures["limits"],
): void {
  for (const [name, entry] of Object.entries(limits)) {
    const isKnown = name === "stack" ||
      LIMIT_NAMES.some((known) => known === name);
    check(isKnown, `it claims "${name}", which is no limit`);
    check(LEVELS.includes(entry.level), `${name} holds "${entry.level}"`);
    checkSentence(entry.by, `who enforces ${name}`);
  }
}

function checkNames(
  names: readonly string[],
  known: readonly string[],
  what: string,
): void {
  for (const name of names) check(known.includes(name), `${what} has ${name}`);
  checkSame(new Set(names).size, names.length, `different names in ${what}`);
}

/** A need for each thing that can be needed, and whether it is claimed. */
function needsOf(
  { wasm, limits, ...abilities }: RuntimeFeatures,
): readonly (readonly [RuntimeNeed, boolean])[] {
  return [
    ...ABILITIES.map((name) => [name, abilities[name]] as const),
    ...FEATURES.map((name) => [name, wasm.includes(name)] as const),
    ...(["fuel", "timeoutMs", "memoryBytes"] as const).map((name) =>
      [name, (limits[name]?.level ?? "none") !== "none"] as const
    ),
  ];
}

/** What it tells of itself. */
export const FEATURE_CASES: readonly RuntimeCase[] = [
  {
    name: "tells what it is",
    run({ runtime: { name, features, openProcess } }) {
      checkSentence(name, "its name");
      const { wasm, isolations, limits, unprotected = [] } = features;
      check(isolations.length > 0, "guests can run nowhere");
      checkNames(isolations, ISOLATIONS, "isolations");
      checkNames(wasm, FEATURES, "wasm");
      for (const ability of ABILITIES) {
        checkSame(typeof features[ability], "boolean", ability);
      }
      checkEnforcement(limits);
      for (const text of unprotected) checkSentence(text, "a gap");
      checkSame(
        typeof openProcess === "function",
        isolations.includes("process"),
        "whether it has openProcess, as isolations says",
      );
      return Promise.resolve();
    },
  },
  {
    name: "tells the same each time",
    async run({ runtime, open }) {
      await using other = await open();
      checkSame(other.name, runtime.name, "its name");
      checkSame(
        JSON.stringify(other.features),
        JSON.stringify(runtime.features),
        "its features",
      );
    },
  },
  {
    name: "runs in no isolation that it does not claim",
    async run({ runtime }) {
      for (const isolation of ISOLATIONS) {
        if (runtime.features.isolations.includes(isolation)) continue;
        await checkFails(
          () =>
            Sandbox.create({
              module: guest("silent_start"),
              runtime,
              isolation,
            }),
          "unsupported",
          `isolation ${isolation}`,
        );
      }
    },
  },
];

/** What sandboxes tell of it. */
export const SANDBOX_FEATURE_CASES: readonly SandboxCase[] = [
  {
    name: "tells who enforces what",
    async run(place) {
      await using sandbox = await place.sandbox("silent_start");
      const { runtime, isolation, limits, grants, unprotected } = sandbox
        .enforcement();
      checkSame(runtime, place.runtime.name, "the name of the runtime");
      checkSame(isolation, place.isolation, "the isolation");
      checkEnforcement(limits);
      for (const text of Object.values(grants)) checkSentence(text, "a grant");
      for (const text of unprotected) checkSentence(text, "a gap");
    },
  },
  {
    name: "offers what it claims, and refuses what it does not",
    applies: ({ isolations }) => isolations.length > 0,
    async run(place) {
      const create = (need: readonly RuntimeNeed[]) =>
        place.sandbox("silent_start", { need });
      const all = needsOf(place.runtime.features);
      for (const [name, isClaimed] of all) {
        // what holds in the calling thread need not be the same in a process
        if (isClaimed || place.isolation === "process") continue;
        await checkFails(() => create([name]), "unsupported", `need ${name}`);
      }
      const claimed = all.filter(([name, isClaimed]) =>
        isClaimed && (place.isolation === "inline" || name !== "sync")
      );
      await using _taken = await create(claimed.map(([name]) => name));
    },
  },
  ...FEATURES.map((feature): SandboxCase => ({
    name: `runs ${feature} only if it claims it`,
    async run(place) {
      const { wasm, calls } = place.runtime.features;
      const features = { [feature]: true };
      const module = guestOf(feature);
      const isClaimed = wasm.includes(feature);
      if (!isClaimed) {
        await checkFails(
          () => place.sandbox(module, { features }),
          ["unsupported", "module-refused"],
          `a module that uses ${feature}, which is not claimed,`,
        );
        return;
      }
      await checkFails(
        () => place.sandbox(module, { features: { [feature]: false } }),
        ["unsupported", "module-refused"],
        `a module that uses ${feature}, which is not allowed,`,
      );
      const others = Object.fromEntries(wasm.map((each) => [each, true]));
      await using sandbox = await place.sandbox(module, { features: others });
      if (calls) {
        checkSame(await sandbox.call("run"), 42, `what ${feature} gives`);
      } else {
        const { exitCode } = await sandbox.execute();
        checkSame(exitCode, 0, `the exit code of ${feature}`);
      }
    },
  })),
  {
    name: "refuses calls and functions of the host if it offers none",
    applies: ({ calls }) => !calls,
    async run(place) {
      await checkFails(
        async () => {
          await using sandbox = await place.sandbox("numbers");
          await sandbox.call("i32", [1]);
        },
        "unsupported",
        "a call",
      );
      await checkFails(
        () =>
          place.sandbox("start", { imports: { env: { started: () => 1 } } }),
        ["unsupported", "import-not-granted"],
        "a function of the host",
      );
    },
  },
];

/** Whether a limit is claimed at all. */
export function isClaimed(
  { limits }: RuntimeFeatures,
  name: LimitName,
): boolean {
  return (limits[name]?.level ?? "none") !== "none";
}
