/** What a runtime promises of host modules, which see the guest's memory. */

import { SandboxError } from "../errors.ts";
import type {
  GuestAccess,
  HostModule,
  HostModuleFunction,
} from "../runtime/types.ts";
import type { ResourceLimits } from "../security/limits.ts";
import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkFails, checkLimit, checkSame } from "./_runtime_check.ts";
import type { Place, Subject } from "./_runtime_place.ts";

type Functions = Readonly<Record<string, HostModuleFunction>>;

/** The module that the guest `module_access` imports. */
function mine(own: (guest: GuestAccess) => Functions): HostModule {
  return {
    name: "mine",
    signatures: {
      write: { params: ["i32", "i32"], results: [] },
      read: { params: ["i32"], results: ["i32"] },
      later: { params: ["i32"], results: ["i32"] },
      refuse: { params: [], results: [] },
    },
    suspending: ["later"],
    link: (guest) => ({
      write: (at: number, value: number) => {
        const { buffer } = guest.memory();
        new DataView(buffer).setInt32(at, value, true);
      },
      read: (at: number) =>
        new DataView(guest.memory().buffer).getInt32(at, true),
      later: (value: number) => value + 1,
      refuse: () => {},
      ...own(guest),
    }),
  };
}

function open(
  place: Place,
  own: (guest: GuestAccess) => Functions = () => ({}),
  limits: ResourceLimits = {},
): Promise<Subject> {
  return place.open("module_access", { hostModules: [mine(own)], limits });
}

/** A case of the runtime's own interface: sandboxes have no such option. */
function directly(
  name: string,
  run: (place: Place) => Promise<void>,
  applies: PlaceCase["applies"] = () => true,
): PlaceCase {
  return { name, applies, where: "directly", run };
}

async function checkWaiting(place: Place): Promise<void> {
  let goOn: ((value: number) => void) | undefined;
  let waits = false;
  await using subject = await open(place, () => ({
    later: (value: number) => {
      waits = true;
      return new Promise<number>((resolve) => {
        goOn = (more) => resolve(value + more);
      });
    },
  }));
  const call = subject.call("later", [40]);
  while (!waits) await new Promise((resolve) => setTimeout(resolve, 1));
  await checkFails(
    () => subject.call("grown", [8, 1]),
    "instance-busy",
    "a call of a guest that waits",
  );
  goOn?.(2);
  checkSame(await call, 42, "what a guest waited for");
}

async function checkLateWaiting(place: Place): Promise<void> {
  await using subject = await open(
    place,
    () => ({ later: () => new Promise<number>(() => {}) }),
    { timeoutMs: 100 },
  );
  await checkLimit(
    () => subject.call("later", [1]),
    "timeoutMs",
    "a wait without end",
  );
  await subject.renew();
  checkSame(await subject.call("written", [8, 5]), 5, "the next instance");
}

async function checkRejected(place: Place): Promise<void> {
  const own = new SandboxError("guest-exit", "Cannot go on: it left", {
    details: { exitCode: 3 },
  });
  await using subject = await open(
    place,
    () => ({ later: () => Promise.reject(own) }),
  );
  await checkFails(
    () => subject.call("later", [1]),
    "guest-exit",
    "a promise that is rejected",
  );
}

/** Host modules. */
export const HOST_MODULE_CASES: readonly PlaceCase[] = [
  directly("lets host modules read and write the memory", async (place) => {
    await using subject = await open(place);
    checkSame(await subject.call("written", [64, -7]), -7, "what was written");
    checkSame(await subject.call("grown", [100_000, 9]), 9, "grown memory");
  }),
  directly("lets errors of host modules through as they are", async (place) => {
    const own = new SandboxError("guest-exit", "Cannot go on: it left", {
      details: { exitCode: 3 },
    });
    await using subject = await open(place, () => ({
      refuse: () => {
        throw own;
      },
    }));
    const run = () => subject.call("refuse");
    const error = await checkFails(run, "guest-exit", "its own error");
    check(error === own, "the error of a host module was changed");
    await checkFails(run, "instance-dead", "a call after it");
  }),
  directly("grants host modules by their types", async (place) => {
    const module = mine(() => ({}));
    const other: HostModule = {
      ...module,
      signatures: {
        ...module.signatures,
        read: { params: ["i64"], results: ["i32"] },
      },
    };
    await checkFails(
      () => place.open("module_access", { hostModules: [other] }),
      "import-not-granted",
      "a function of another type",
    );
    const imports = { mine: { write() {}, read: () => 1, later: () => 1 } };
    await checkFails(
      () => place.open("module_access", { hostModules: [other], imports }),
      "import-not-granted",
      "imports in place of a host module",
    );
  }),
  directly("gives no memory that is gone", async (place) => {
    const views: Uint8Array[] = [];
    const subject = await open(
      place,
      (guest) => ({
        write: () => void views.push(guest.memory()),
        read: () => views.push(guest.memory()),
      }),
    );
    await subject.call("written", [0, 0]);
    await subject.call("grown", [0, 0]);
    checkSame(views.at(-1)?.length, 2 * 65_536, "the memory that has grown");
    await subject[Symbol.asyncDispose]();
    await using other = await place.open("memory");
    // whether they are empty or still there: the memory of no other guest
    for (const view of views) if (view.length > 0) view.fill(255);
    checkSame(await other.call("touch"), 2, "the pages of another guest");
  }),
  directly("takes fuel that host modules charge", async (place) => {
    const fuel = 100_000;
    await using subject = await open(
      place,
      (guest) => ({ refuse: () => guest.charge(50_000) }),
      { fuel },
    );
    await subject.call("refuse");
    const used = subject.used("fuel") ?? 0;
    check(used >= 50_000 && used < 60_000, `charged 50000, used ${used}`);
    await checkLimit(() => subject.call("refuse"), "fuel", "another charge");
  }, ({ limits }) => limits.fuel !== undefined),
  directly("ends a guest that sleeps beyond its deadline", async (place) => {
    await using subject = await open(
      place,
      (guest) => ({ refuse: () => guest.sleep(60_000) }),
      { timeoutMs: 100 },
    );
    await checkLimit(() => subject.call("refuse"), "timeoutMs", "a sleep");
  }, ({ limits }) => limits.timeoutMs !== undefined),
  directly(
    "lets a guest wait for a promise",
    checkWaiting,
    ({ async }) => async,
  ),
  directly(
    "ends a guest that waits too long",
    checkLateWaiting,
    ({ async, limits }) => async && limits.timeoutMs !== undefined,
  ),
  directly(
    "ends a guest whose promise is rejected",
    checkRejected,
    ({ async }) => async,
  ),
  directly("refuses promises, for which it cannot wait", async (place) => {
    await using subject = await open(
      place,
      () => ({ later: () => Promise.resolve(5) }),
    );
    await checkFails(
      () => subject.call("later", [1]),
      ["unsupported", "host-function-failed"],
      "a promise",
    );
  }, ({ async }) => !async),
];
