import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Capabilities,
  type Capability,
  Sandbox,
  SandboxError,
  type SandboxOptions,
} from "../mod.ts";
import {
  LIMIT_NAMES,
  type LimitName,
  type ResourceLimits,
} from "../security/limits.ts";
import { echo, limitedGuest, times } from "./_limited_guest.ts";
import { childrenOf } from "./process/_process.ts";
import { wat } from "./wasm.ts";

type Isolation = "inline" | "process";
const ISOLATIONS: readonly Isolation[] = ["inline", "process"];

const POLICY: readonly Capability[] = [
  ...Capabilities.program(),
  Capabilities.filesystem({
    mounts: [{ guest: "/", memory: true, symlinks: "within" }],
  }),
];

/** A guest that goes just to a limit, and one step beyond. */
interface Row {
  readonly limits: ResourceLimits;
  /** Bodies of `run`, each of which uses it in its own way. */
  readonly bodies: readonly string[];
  readonly fields?: string;
  readonly within: number;
  readonly beyond: number;
  /** What the guest is told, if it lives on: within and beyond. */
  readonly answers?: readonly [number, number];
  /** What the error says was used; undefined if it does not. */
  readonly used?: number;
  /** What `usage()` says after the guest went to the limit. */
  readonly usage?: number;
}

type Test = (isolation: Isolation) => Promise<void>;

const NEXT_FILE = `(call $next) (call $open (i32.const 1))`;
const SPIN = `(loop (br_if 0 (i32.ge_s (local.get $n) (i32.const 0))
  (local.set $n (i32.sub (local.get $n) (i32.const 1)))))
  (i32.const 0)`;

/** How each limit is tried out. */
const TABLE: Readonly<Record<LimitName, Row | Test>> = {
  memoryBytes: {
    limits: { memoryBytes: 5 * 65_536 + 100 },
    bodies: [`(memory.grow (local.get $n))`],
    within: 3,
    beyond: 4,
    answers: [2, -1],
    usage: 5 * 65_536,
  },
  tableElements: {
    limits: { tableElements: 10 },
    fields: "(table $t 4 funcref)",
    bodies: [`(table.grow $t (ref.null func) (local.get $n))`],
    within: 6,
    beyond: 7,
    answers: [4, -1],
    usage: 10,
  },
  timeoutMs: testDeadlines,
  fuel: testFuel,
  messageBytes: testMessageBytes,
  moduleBytes: testModuleBytes,
  functionBytes: testFunctionBytes,
  cpuMs: testCpu,
  stackBytes: testStack,
  openFiles: {
    limits: { openFiles: 8 },
    bodies: [
      times(NEXT_FILE),
      // the mount's root as a directory
      times(`(i32.store8 (i32.const 16) (i32.const 46))
        (call $path_open (i32.const 3) (i32.const 0) (i32.const 16)
        (i32.const 1) (i32.const 2) (i64.const 0) (i64.const 0) (i32.const 0)
        (i32.const 48))`),
    ],
    within: 4,
    beyond: 5,
    answers: [0, 33],
    usage: 8,
  },
  writtenBytes: {
    limits: { writtenBytes: 1_000 },
    bodies: [
      `(call $put (call $made) (local.get $n))`,
      // a byte at the end, and a hole before it
      `(call $buffer (i32.const 1))
      (call $fd_pwrite (call $made) (i32.const 32) (i32.const 1)
        (i64.extend_i32_u (i32.sub (local.get $n) (i32.const 1)))
        (i32.const 52))`,
      `(call $fd_filestat_set_size (call $made)
        (i64.extend_i32_u (local.get $n)))`,
      `(call $fd_allocate (call $made) (i64.const 0)
        (i64.extend_i32_u (local.get $n)))`,
      // what is there already counts once more
      `(local.set $e (call $made))
      (drop (call $fd_filestat_set_size (local.get $e) (i64.const 500)))
      (call $buffer (i32.sub (local.get $n) (i32.const 500)))
      (call $fd_pwrite (local.get $e) (i32.const 32) (i32.const 1)
        (i64.const 0) (i32.const 52))`,
    ],
    within: 1_000,
    beyond: 1_001,
    used: 1_001,
    usage: 1_000,
  },
  fileEntries: {
    limits: { fileEntries: 5 },
    bodies: [
      times(NEXT_FILE),
      times(`(call $next)
        (call $path_create_directory (i32.const 3) (i32.const 16)
          (i32.const 4))`),
      // what is removed counts nevertheless
      times(`(drop (call $path_create_directory (i32.const 3) (i32.const 16)
          (i32.const 4)))
        (call $path_remove_directory (i32.const 3) (i32.const 16)
          (i32.const 4))`),
      times(`(call $next)
        (call $path_symlink (i32.const 17) (i32.const 3) (i32.const 3)
          (i32.const 16) (i32.const 4))`),
      `(drop (call $made))
      (i64.store (i32.const 24) (i64.load (i32.const 16)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      ${
        times(`(call $next)
          (call $path_link (i32.const 3) (i32.const 0) (i32.const 24)
            (i32.const 4) (i32.const 3) (i32.const 16) (i32.const 4))`)
      }`,
    ],
    within: 5,
    beyond: 6,
    used: 6,
    usage: 5,
  },
  stdinBytes: testStdin,
  stdoutBytes: output("stdoutBytes", 1),
  stderrBytes: output("stderrBytes", 2),
  hostCalls: testHostCalls,
  messages: testMessages,
  instances: testInstances,
  networkRequests: (isolation) => assertRefused("networkRequests", isolation),
  networkBytes: (isolation) => assertRefused("networkBytes", isolation),
};

function output(name: "stdoutBytes" | "stderrBytes", fd: number): Row {
  const some = (length: string) =>
    `(call $put (i32.const ${fd}) ${length})`;
  return {
    limits: { [name]: 1_000 },
    bodies: [
      some("(local.get $n)"),
      `(drop ${some("(i32.const 999)")})
      ${some("(i32.sub (local.get $n) (i32.const 999))")}`,
    ],
    within: 1_000,
    beyond: 1_001,
    usage: 1_000,
  };
}

function create(
  module: SandboxOptions["module"],
  isolation: Isolation,
  options: Partial<SandboxOptions> = {},
): Promise<Sandbox> {
  return Sandbox.create({ module, isolation, policy: POLICY, ...options });
}

/** Something ends with the error of a limit; gives what it says. */
async function ends(
  limit: string,
  run: () => Promise<unknown>,
): Promise<SandboxError<"limit-exceeded">["details"]> {
  const error = await assertRejects(run);
  assert(SandboxError.is(error, "limit-exceeded"), `${limit}: ${error}`);
  assertEquals(error.details.limit, limit, error.message);
  assert(error.details.suggestion.length > 10);
  assert(error.message.includes(error.details.suggestion));
  return error.details;
}

async function assertRefused(
  name: LimitName,
  isolation: Isolation,
): Promise<void> {
  const module = await echo();
  // by inheritance too
  for (const limits of [{ [name]: 10_000 }, Object.create({ [name]: 10_000 })]) {
    const error = await assertRejects(() =>
      create(module, isolation, { limits })
    );
    assert(SandboxError.is(error, "unsupported"), String(error));
    assert(error.message.includes(name), error.message);
  }
}

/** The host serves on, and nothing of the guest's is left. */
async function assertHostStands(isolation: Isolation): Promise<void> {
  assertEquals(childrenOf(Deno.pid), []);
  await using sandbox = await create(await echo(), isolation);
  assertEquals(await sandbox.call("answer"), 42);
}

function testRow(name: LimitName, row: Row): Test {
  return async (isolation) => {
    for (const body of row.bodies) {
      const module = await limitedGuest(body, row.fields);
      for (const instance of ["reuse", "fresh"] as const) {
        const { limits } = row;
        await using sandbox = await create(module, isolation, {
          limits,
          instance,
        });
        assertEquals(sandbox.enforcement().limits[name]?.level, "hard");
        assertEquals(
          sandbox.enforcement().limits[name]?.allowed,
          limits[name],
        );
        const call = (n: number) => sandbox.call<number>("run", [n]);
        const execute = async (n: number) =>
          (await sandbox.execute([String(n)])).exitCode | 0;
        for (const run of [call, execute]) {
          await testRun(name, row, sandbox, run);
        }
      }
    }
  };
}

async function testRun(
  name: LimitName,
  row: Row,
  sandbox: Sandbox,
  run: (n: number) => Promise<number>,
): Promise<void> {
  const [within, beyond] = row.answers ?? [0, undefined];
  const { usage = 0, limits } = row;
  assertEquals(await run(row.within), within);
  assertEquals(sandbox.usage().limits[name], {
    allowed: limits[name] ?? 0,
    used: usage,
  });
  await sandbox.reset();
  if (beyond !== undefined) assertEquals(await run(row.beyond), beyond);
  else {
    const { allowed, used } = await ends(name, () => run(row.beyond));
    assertEquals({ allowed, used }, {
      allowed: limits[name] ?? 0,
      used: row.used ?? row.beyond,
    });
  }
  assert((sandbox.usage().limits[name]?.used ?? 0) <= usage);
  // the next instance has all of it again
  await sandbox.reset();
  assertEquals(await run(row.within), within);
  await sandbox.reset();
}

async function testDeadlines(isolation: Isolation): Promise<void> {
  const limits = { timeoutMs: 300 };
  const module = await limitedGuest(SPIN);
  await using sandbox = await create(module, isolation, { limits });
  assertEquals(sandbox.enforcement().limits.timeoutMs?.allowed, 300);
  void ends;
}
async function testFuel(_: Isolation): Promise<void> {}
async function testMessageBytes(_: Isolation): Promise<void> {}
async function testModuleBytes(_: Isolation): Promise<void> {}
async function testFunctionBytes(_: Isolation): Promise<void> {}
async function testCpu(_: Isolation): Promise<void> {}
async function testStack(_: Isolation): Promise<void> {}
async function testStdin(_: Isolation): Promise<void> {}
async function testHostCalls(_: Isolation): Promise<void> {}
async function testMessages(_: Isolation): Promise<void> {}
async function testInstances(_: Isolation): Promise<void> {}
void wat;

Deno.test("every limit is in the table", () => {
  assertEquals(Object.keys(TABLE).sort(), [...LIMIT_NAMES].sort());
});

for (const name of LIMIT_NAMES) {
  const row = TABLE[name];
  const test = typeof row === "function" ? row : testRow(name, row);
  for (const isolation of ISOLATIONS) {
    Deno.test(`${name} holds or is refused, ${isolation}`, async () => {
      await test(isolation);
      await assertHostStands(isolation);
    });
  }
}
