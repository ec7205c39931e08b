/** What a runtime promises of each limit of a sandbox: it holds, or is refused. */

import { SandboxError } from "../errors.ts";
import {
  LIMIT_NAMES,
  type LimitName,
  type ResourceLimits,
} from "../security/limits.ts";
import type { Sandbox } from "../sandbox.ts";
import type { Capability } from "../security/types.ts";
import type { SandboxCase } from "./_runtime_case.ts";
import { check, checkInTime, checkLimit, checkSame } from "./_runtime_check.ts";
import { PROGRAM, run, WITH_FILES } from "./_runtime_command_cases.ts";
import { checkEnforcement, isClaimed } from "./_runtime_feature_cases.ts";
import { guest, type GuestName, type SandboxPlace } from "./_runtime_place.ts";

/** How a limit of programs is tried out. */
interface Trial {
  /** What is asked for. */
  readonly limits: ResourceLimits;
  /** What is run at the most. */
  readonly within: string;
  /** What that gives; 0, if left out. */
  readonly gives?: number;
  /** What is one too many. */
  readonly beyond: string;
  /** What the program is told then, if it lives on. */
  readonly told?: number;
}

const TRIALS: Readonly<Partial<Record<LimitName, Trial>>> = {
  memoryBytes: {
    limits: { memoryBytes: 5 * 65_536 },
    within: "m3",
    beyond: "m4",
    told: 99,
  },
  timeoutMs: { limits: { timeoutMs: 1_000 }, within: "x0", beyond: "s" },
  fuel: { limits: { fuel: 1_000_000 }, within: "x0", beyond: "s" },
  cpuMs: {
    limits: { cpuMs: 900, timeoutMs: 8_000 },
    within: "x0",
    beyond: "s",
  },
  openFiles: {
    limits: { openFiles: 8 },
    within: "f4",
    beyond: "f5",
    told: 33,
  },
  writtenBytes: {
    limits: { writtenBytes: 1_000 },
    within: "w1000",
    beyond: "w1001",
  },
  fileEntries: { limits: { fileEntries: 5 }, within: "d5", beyond: "d6" },
  stdoutBytes: {
    limits: { stdoutBytes: 1_000 },
    within: "o1000",
    beyond: "o1001",
  },
  stderrBytes: {
    limits: { stderrBytes: 1_000 },
    within: "e1000",
    beyond: "e1001",
  },
  // a program takes its arguments and exits as well
  hostCalls: {
    limits: { hostCalls: 6 },
    within: "h4",
    gives: 8,
    beyond: "h5",
  },
};

/** Limits of modules: the guest is refused from the start. */
const SIZES: Readonly<
  Partial<Record<LimitName, readonly [GuestName, within: number]>>
> = {
  moduleBytes: ["command", guest("command").length],
  functionBytes: ["long_function", 101],
  tableElements: ["huge_table", 11],
};

/** What is asked for where nothing is tried out. */
const ASKED = 300_000;

/** Limits that hold whatever the runtime, in the calling thread. */
const OF_OTHERS: readonly LimitName[] = [
  "openFiles",
  "writtenBytes",
  "fileEntries",
  "stdinBytes",
  "stdoutBytes",
  "stderrBytes",
  "messages",
  "instances",
  "streamBytes",
  "networkRequests",
  "networkBytes",
];

/** Limits of programs that use files. */
const OF_FILES: readonly LimitName[] = [
  "openFiles",
  "writtenBytes",
  "fileEntries",
];

/** The guest that a limit is tried out with, and its policy. */
function programOf(
  name: LimitName,
): readonly [GuestName, readonly Capability[]] {
  return OF_FILES.includes(name)
    ? ["files", WITH_FILES]
    : [SIZES[name]?.[0] ?? "command", PROGRAM];
}

/** Opens a sandbox, if the limit is not refused. */
async function taken(
  place: SandboxPlace,
  name: LimitName,
): Promise<Sandbox | undefined> {
  const { features } = place.runtime;
  const limits = TRIALS[name]?.limits ?? { [name]: SIZES[name]?.[1] ?? ASKED };
  const [module, policy] = programOf(name);
  let sandbox: Sandbox;
  try {
    sandbox = await place.sandbox(module, { policy, limits });
  } catch (error) {
    check(
      SandboxError.is(error, "unsupported"),
      `the limit ${name} failed with ${error}`,
    );
    check(!isClaimed(features, name), `${name} is claimed, and refused`);
    check(error.message.includes(name), `the refusal does not name ${name}`);
    return undefined;
  }
  const isElsewhere = place.isolation === "process" || OF_OTHERS.includes(name);
  if (isClaimed(features, name) || isElsewhere) return sandbox;
  await sandbox[Symbol.asyncDispose]();
  check(false, `${name} is not claimed, and not refused`);
}

function checkClaim(sandbox: Sandbox, name: LimitName): void {
  const { limits } = sandbox.enforcement();
  const entry = limits[name];
  check(entry !== undefined, `enforcement() does not tell of ${name}`);
  checkEnforcement({ [name]: entry });
  check(entry.level !== "none", `${name} was taken, and nobody enforces it`);
}

async function checkTrial(
  sandbox: Sandbox,
  name: LimitName,
  { limits, within, gives = 0, beyond, told }: Trial,
): Promise<void> {
  const { exitCode: given } = await run(sandbox, within);
  checkSame(given, gives, `${within} within ${name}`);
  if (told !== undefined) {
    const { exitCode } = await run(sandbox, beyond);
    checkSame(exitCode, told, `${beyond} beyond ${name}`);
    return;
  }
  const { allowed } = await checkInTime(
    () => checkLimit(() => run(sandbox, beyond), name, `${beyond} of ${name}`),
    `the end by ${name}`,
  );
  // the kernel counts whole seconds
  const asked = name === "cpuMs" ? 1_000 : limits[name];
  checkSame(allowed, asked, `what ${name} allowed`);
}

async function checkSize(
  place: SandboxPlace,
  name: LimitName,
  [module, within]: readonly [GuestName, number],
): Promise<void> {
  const create = (value: number) =>
    place.sandbox(module, { policy: PROGRAM, limits: { [name]: value } });
  await using _fits = await create(within);
  await checkLimit(() => create(within - 1), name, `one ${name} too many`);
}

async function checkStdin(place: SandboxPlace): Promise<void> {
  await using sandbox = await place.sandbox("command", {
    policy: PROGRAM,
    limits: { stdinBytes: 100 },
  });
  const send = (length: number) =>
    run(sandbox, "i7", { stdin: "x".repeat(length) });
  checkSame((await send(100)).exitCode, 100, "bytes of the input");
  await checkLimit(() => send(101), "stdinBytes", "an input too long");
}

async function checkInstances(place: SandboxPlace): Promise<void> {
  await using sandbox = await place.sandbox("command", {
    policy: PROGRAM,
    limits: { instances: 3 },
  });
  const failure = async () => {
    for (let turn = 0; turn < 4; turn++) await run(sandbox, "x0");
  };
  await checkLimit(failure, "instances", "four runs");
  check((sandbox.usage().limits.instances?.used ?? 0) <= 3, "more than three");
}

async function checkStack(place: SandboxPlace): Promise<void> {
  await using sandbox = await place.sandbox("command", {
    policy: PROGRAM,
    limits: { stackBytes: 2 ** 18 },
  });
  const { allowed } = await checkLimit(
    () => run(sandbox, "r"),
    "stackBytes",
    "a recursion",
  );
  checkSame(allowed, 2 ** 18, "what was allowed");
}

const OTHERS: Readonly<
  Partial<Record<LimitName, (place: SandboxPlace) => Promise<void>>>
> = {
  stdinBytes: checkStdin,
  instances: checkInstances,
  stackBytes: checkStack,
};

/** Limits of sandboxes. */
export const SANDBOX_LIMIT_CASES: readonly SandboxCase[] = [
  ...LIMIT_NAMES.map((name): SandboxCase => ({
    name: `keeps the limit ${name}, or refuses it`,
    async run(place) {
      await using sandbox = await taken(place, name);
      if (sandbox === undefined) return;
      checkClaim(sandbox, name);
      const trial = TRIALS[name];
      const size = SIZES[name];
      if (trial !== undefined) await checkTrial(sandbox, name, trial);
      if (size !== undefined) await checkSize(place, name, size);
      await OTHERS[name]?.(place);
    },
  })),
  {
    name: "takes no limit that is none",
    async run(place) {
      const limits = { memory: 5 } as ResourceLimits;
      const error = await place.sandbox("silent_start", { limits }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      check(error instanceof TypeError, `an unknown limit gave ${error}`);
    },
  },
  {
    name: "keeps the defaults of limits that are not given",
    applies: ({ limits }) => limits.memoryBytes !== undefined,
    async run(place) {
      await checkLimit(
        () => place.sandbox("huge_memory"),
        "memoryBytes",
        "a memory of 4 GiB",
      );
    },
  },
];
