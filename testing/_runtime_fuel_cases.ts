/** What a runtime promises of fuel. */

import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkInTime, checkLimit, checkSame } from "./_runtime_check.ts";
import { ENDLESS, holds } from "./_runtime_limit_cases.ts";
import { guest, type Place, withDeadline } from "./_runtime_place.ts";

/** What so many turns take. */
async function burn(place: Place, turns: number): Promise<number> {
  await using subject = await place.open("endless", {
    limits: { fuel: 10_000_000 },
  });
  await subject.call("turns", [turns]);
  return subject.used("fuel") ?? NaN;
}

async function checkFuelCount(place: Place): Promise<void> {
  const few = await burn(place, 100);
  const many = await burn(place, 10_000);
  check(few > 0, `100 turns used ${few} units of fuel`);
  // a turn is of at least one instruction, and a thousand are none of a turn
  check(
    many - few >= 9_900 && many - few <= 9_900 * 100,
    `9900 more turns used ${many - few} more units of fuel`,
  );
  checkSame(await burn(place, 10_000), many, "the same turns once more");
}

async function checkFuelEnd(place: Place): Promise<void> {
  const used = new Set<number | undefined>();
  for (let turn = 0; turn < 3; turn++) {
    await using subject = await place.open("endless", {
      limits: { fuel: 50_000, ...withDeadline(place, 5_000).limits },
    });
    const { allowed } = await checkInTime(
      () => checkLimit(() => subject.call("loop"), "fuel", "an endless loop"),
      "the end of the fuel",
    );
    checkSame(allowed, 50_000, "what was allowed");
    used.add(subject.used("fuel"));
  }
  checkSame(used.size, 1, "different amounts that one guest used");
  const [amount = 0] = used;
  check(amount >= 50_000, `50000 were used up, and usage says ${amount}`);
}

async function checkFuelIsShared(place: Place): Promise<void> {
  const one = await burn(place, 1_000);
  await using subject = await place.open("endless", {
    limits: { fuel: 2 * one + 10 },
  });
  await subject.call("turns", [1_000]);
  await subject.call("turns", [1_000]);
  checkSame(subject.used("fuel"), 2 * one, "the fuel of two calls");
  await checkLimit(
    () => subject.call("turns", [1_000]),
    "fuel",
    "a call more than the fuel is for",
  );
}

async function checkFuelOnly(place: Place): Promise<void> {
  await using subject = await place.open("endless", {
    limits: { fuel: 200_000, timeoutMs: Infinity },
  });
  for (const [name, args] of ENDLESS) {
    await checkInTime(
      () => checkLimit(() => subject.call(name, args), "fuel", name),
      `the end of ${name}`,
    );
    // a sandbox gives none back
    if (place.name !== "directly") break;
    await subject.renew();
  }
}

/** Fuel. */
export const FUEL_CASES: readonly PlaceCase[] = [
  holds("fuel", "what runs is counted, the same each time", checkFuelCount),
  holds("fuel", "it ends at the same count each time", checkFuelEnd),
  holds("fuel", "calls share it", checkFuelIsShared),
  holds("fuel", "it stops whatever never ends", checkFuelOnly),
  holds("fuel", "the start function is stopped", async (place) => {
    await checkLimit(
      () => place.open("start_spins", { limits: { fuel: 10_000 } }),
      "fuel",
      "a start function without end",
    );
  }),
  {
    ...holds("fuel", "it can be set anew", async ({ runtime }) => {
      const limits = { fuel: 10_000 };
      const module = await runtime.compile(guest("endless"), { limits });
      await using instance = await runtime.instantiate(module);
      await instance.call("turns", [1_000]);
      const used = instance.usage().fuel ?? 0;
      instance.setFuel(2 * used);
      await instance.call("turns", [1_000]);
      // a guest is stopped at the next check, which may be a little later
      instance.setFuel(Math.floor(used / 2));
      await checkLimit(
        () => instance.call("turns", [1_000]),
        "fuel",
        "a call with less fuel than it takes",
      );
    }),
    where: "directly",
  },
  {
    name: "counts no fuel unless it is limited",
    where: "directly",
    async run(place) {
      await using subject = await place.open("endless");
      await subject.call("turns", [10]);
      checkSame(subject.used("fuel"), undefined, "usage of fuel");
    },
  },
];
