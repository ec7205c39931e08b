import process from "node:process";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Capabilities,
  type Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../mod.ts";
import { V8Runtime } from "../runtime/mod.ts";
import {
  LIMIT_NAMES,
  type LimitName,
  type ResourceLimits,
} from "../security/limits.ts";
import {
  assertHostStands,
  create,
  ENDLESS,
  ends,
  type Isolation,
  ISOLATIONS,
  late,
  POLICY,
} from "./limits/_common.ts";
import {
  testHostCalls,
  testInstances,
  testMessages,
  testStdin,
} from "./limits/_counts.ts";
import { testFuel } from "./limits/_fuel.ts";
import { echo, limitedGuest, times } from "./limits/_guest.ts";
import {
  testFunctionBytes,
  testMessageBytes,
  testModuleBytes,
  testStack,
} from "./limits/_sizes.ts";
import {
  testNetworkBytes,
  testNetworkRequests,
  testStreamBytes,
} from "./limits/_services.ts";
import { testCpu, testDeadlines } from "./limits/_time.ts";
import { wat } from "./wasm.ts";

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
  streamBytes: testStreamBytes,
  networkRequests: testNetworkRequests,
  networkBytes: testNetworkBytes,
};

function output(name: "stdoutBytes" | "stderrBytes", fd: number): Row {
  const some = (length: string) => `(call $put (i32.const ${fd}) ${length})`;
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

for (const isolation of ISOLATIONS) {
  Deno.test(`a memory mount's maxBytes holds, ${isolation}`, async () => {
    const module = await limitedGuest(
      `(call $put (call $made) (local.get $n))`,
    );
    const mount = { guest: "/", memory: true, maxBytes: 1_000 } as const;
    await using sandbox = await create(module, isolation, {
      policy: [
        ...Capabilities.program(),
        Capabilities.filesystem({ mounts: [mount] }),
      ],
      imports: { env: { tick: () => 0 } },
      instance: "fresh",
    });
    for (let turn = 0; turn < 2; turn++) {
      assertEquals(await sandbox.call("run", [1_000]), 0);
      assertEquals(await sandbox.call("run", [1_001]), 51);
      assertEquals((await sandbox.execute(["1000"])).exitCode, 0);
      assertEquals((await sandbox.execute(["1001"])).exitCode, 51);
    }
    await assertRejects(
      () => sandbox.execute(["0"], { files: { "/a": new Uint8Array(1_001) } }),
    );
    await assertHostStands(isolation);
  });
}

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

/** Capabilities with counters, and what takes one of each. */
const COUNTED = [
  {
    capability: { type: "custom_access", resources: ["a"], maxOperations: 3 },
    operation: "custom_access.read",
    resource: "a",
    counter: "custom_access.operations",
  },
  {
    capability: {
      type: "host_functions",
      functions: ["env.tick", "tick"],
      maxCalls: { tick: 3 },
    },
    operation: "host_functions.call",
    resource: "tick",
    counter: "host_functions.tick",
  },
] as const;

/** A host function that asks is stopped, and the guest with it. */
async function testCounter(
  { capability, operation, resource, counter }: (typeof COUNTED)[number],
  isolation: Isolation,
  instance: "reuse" | "fresh",
): Promise<void> {
  const module = await limitedGuest(times("(call $tick (local.get $n))"));
  let done = 0;
  let asked: string = resource;
  const tick = () => {
    sandbox.auditOperation(operation, [asked]);
    return ++done;
  };
  await using sandbox = await create(module, isolation, {
    policy: SecurityPolicy.from([...POLICY, capability]),
    imports: { env: { tick } },
    instance,
  });
  await sandbox.call("run", [1]);
  await sandbox.reset();
  assertEquals((await sandbox.execute(["2"])).exitCode, 3);
  assertEquals(sandbox.usage().counters[counter], { allowed: 3, used: 3 });
  const runs = [
    () => sandbox.call("run", [1]),
    () => sandbox.execute(["1"]),
  ];
  for (const run of runs) {
    await sandbox.reset();
    const { allowed, used } = await ends(counter, run);
    assertEquals({ allowed, used }, { allowed: 3, used: 4 });
  }
  assertEquals(done, 3);
  asked = "other";
  await sandbox.reset();
  const denied = await assertRejects(() => sandbox.call("run", [1]));
  assert(SandboxError.is(denied, "access-denied"), String(denied));
  assertEquals(sandbox.audit.events().at(-1)?.resource, "other");
}

for (const isolation of ISOLATIONS) {
  Deno.test(`Sandbox.auditOperation() counts, ${isolation}`, async () => {
    for (const counted of COUNTED) {
      await testCounter(counted, isolation, "reuse");
      await testCounter(counted, isolation, "fresh");
    }
    await assertHostStands(isolation);
  });

  Deno.test(`Sandbox.enforcement() says who enforces each limit, ${isolation}`, async () => {
    const limits: ResourceLimits = {
      fuel: 1_000,
      hostCalls: 1,
      messages: 1,
      instances: 1,
      ...(isolation === "inline" ? {} : { cpuMs: 1_500, stackBytes: 2 ** 19 }),
    };
    await using sandbox = await create(await echo(), isolation, { limits });
    const rows = sandbox.enforcement().limits;
    for (const name of LIMIT_NAMES) {
      const row = rows[name];
      assertEquals(row?.allowed, sandbox.limits[name], name);
      assertEquals(row?.level, row && "hard", name);
      assertEquals(row === undefined, sandbox.limits[name] === undefined, name);
    }
    if (isolation === "inline") return;
    assert(rows.timeoutMs?.by.includes("kills"), rows.timeoutMs?.by);
    assert(rows.cpuMs?.by.includes("RLIMIT_CPU of 2 s"), rows.cpuMs?.by);
    assert(rows.memoryBytes?.by.includes("flag of V8's"));
  });

  Deno.test(`memoryBytes holds for several memories together, ${isolation}`, async () => {
    const module = await wat(`(module (memory $a 1) (memory $b 1)
      (func (export "a") (param i32) (result i32)
        (memory.grow $a (local.get 0)))
      (func (export "b") (param i32) (result i32)
        (memory.grow $b (local.get 0))))`);
    await using sandbox = await create(module, isolation, {
      features: { multiMemory: true },
      limits: { memoryBytes: 6 * 65_536 },
    });
    assertEquals(await sandbox.call("a", [3]), -1);
    assertEquals(await sandbox.call("a", [2]), 1);
    assertEquals(await sandbox.call("b", [3]), -1);
    assertEquals(await sandbox.call("b", [2]), 1);
    assertEquals(await sandbox.call("b", [1]), -1);
    assertEquals(sandbox.usage().limits.memoryBytes?.used, 6 * 65_536);
  });
}

Deno.test("a guest reads its standard input in the same pieces in both isolations", async () => {
  // how often it has to read
  const module = await limitedGuest(`(call $buffer (local.get $n))
    (block (loop
      (br_if 1 (call $fd_read (i32.const 0) (i32.const 32) (i32.const 1)
        (i32.const 52)))
      (br_if 1 (i32.eqz (i32.load (i32.const 52))))
      (local.set $e (i32.add (local.get $e) (i32.const 1)))
      (br 0)))
    (local.get $e)`);
  const stdin = new Uint8Array(300_000);
  for (const piece of ["1000", "65535", "65536"]) {
    const [inline, process] = await Promise.all(
      ISOLATIONS.map(async (isolation) => {
        await using sandbox = await create(module, isolation, {
          limits: { fuel: 10_000_000 },
        });
        const { exitCode } = await sandbox.execute([piece], { stdin });
        return { exitCode, fuel: sandbox.usage().limits.fuel?.used };
      }),
    );
    assertEquals(process, inline);
    assertEquals(inline?.exitCode, Math.ceil(300_000 / Number(piece)));
  }
});

Deno.test("nothing of a guest goes on after its deadline", async () => {
  const module = await limitedGuest(ENDLESS);
  await using sandbox = await create(module, "inline", {
    limits: { timeoutMs: 50 },
  });
  await late(50, () => sandbox.call("run", [7]));
  const before = performance.now();
  const { user, system } = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = process.cpuUsage({ user, system });
  const wall = performance.now() - before;
  const cpu = (after.user + after.system) / 1_000;
  assert(cpu < wall / 2, `${cpu} ms of ${wall}`);
});

Deno.test("V8Runtime.compile() refuses limits that others enforce", async () => {
  await using runtime = new V8Runtime();
  const module = await echo();
  const compiled = await runtime.compile(module);
  for (
    const limits of [
      { cpuMs: 1_000 },
      { messages: 1 },
      { instances: 1 },
      { stackBytes: 2 ** 18 },
      { networkRequests: 1 },
      { networkBytes: 1 },
    ]
  ) {
    for (
      const use of [
        () => runtime.compile(module, { limits }),
        () => runtime.instantiate(compiled, { limits }),
      ]
    ) {
      const error = await assertRejects(use as () => Promise<unknown>);
      assert(SandboxError.is(error, "unsupported"), String(error));
    }
  }
});
