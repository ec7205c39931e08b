/** What a runtime promises of guests that trap. */

import { SandboxError } from "../errors.ts";
import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkFails, checkSame } from "./_runtime_check.ts";
import type { Place, Subject } from "./_runtime_place.ts";

/** Exports of the guest `traps`, each of which traps. */
const TRAPS = [
  "unreachable",
  "divide_by_zero",
  "remainder_by_zero",
  "division_overflows",
  "division_of_64_overflows",
  "conversion_of_no_number",
  "conversion_overflows",
  "load_behind_the_end",
  "load_of_a_far_offset",
  "store_behind_the_end",
  "call_behind_the_table",
  "call_of_nothing",
  "call_of_another_type",
] as const;

/** Fails unless an instance is dead, and the next one lives. */
export async function checkDead(
  subject: Subject,
  reason: string,
): Promise<void> {
  checkSame(subject.failure?.code, reason, "the failure of a dead instance");
  const error = await checkFails(
    () => subject.call("answer"),
    "instance-dead",
    "a call of a dead instance",
  );
  check(SandboxError.is(error, "instance-dead"), String(error));
  checkSame(error.details.reason, reason, "why it is dead");
  await subject.renew();
  checkSame(await subject.call("answer"), 42, "the next instance");
}

async function checkTrap(subject: Subject, name: string): Promise<void> {
  const error = await checkFails(() => subject.call(name), "trap", name);
  check(SandboxError.is(error, "trap"), String(error));
  checkSame(error.details.export, name, "the export that trapped");
  checkSame(error.details.kind, "trap", `the kind of ${name}`);
}

/** Recursion without end. */
async function checkRecursion(place: Place): Promise<void> {
  const { limits } = place.runtime.features;
  await using subject = await place.open("traps");
  const code = limits.stack === undefined
    ? ["limit-exceeded", "trap"] as const
    : "limit-exceeded";
  const run = () => subject.call("recursion", [0]);
  const error = await checkFails(run, code, "recursion without end");
  if (SandboxError.is(error, "limit-exceeded")) {
    const { limit } = error.details;
    check(
      ["stack", "stackBytes"].includes(limit),
      `recursion reaches ${limit} and not the stack`,
    );
  }
  await checkDead(subject, error.code);
}

/** Traps. */
export const TRAP_CASES: readonly PlaceCase[] = [
  ...TRAPS.map((name): PlaceCase => ({
    name: `ends a guest that traps: ${name.replaceAll("_", " ")}`,
    async run(place) {
      await using subject = await place.open("traps");
      checkSame(await subject.call("answer"), 42, "before it");
      await checkTrap(subject, name);
      await checkDead(subject, "trap");
    },
  })),
  {
    name: "ends a guest that recurses without end",
    run: checkRecursion,
  },
  {
    name: "survives a thousand traps",
    async run(place) {
      await using subject = await place.open("traps");
      // a process takes longer to make the next one
      const turns = place.name === "in a process" ? 20 : 1_000;
      for (let turn = 0; turn < turns; turn++) {
        await checkTrap(subject, TRAPS[turn % TRAPS.length] ?? "unreachable");
        await subject.renew();
      }
      checkSame(await subject.call("indirect"), undefined, "after them");
    },
  },
];
