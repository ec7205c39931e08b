import { assert, assertEquals } from "@std/assert";
import {
  type AuditEvent,
  Capabilities,
  type Capability,
  type HostMount,
  type Isolation,
  type MemoryMount,
  Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../mod.ts";
import { HostileHost, hostNumbers, MOUNTED, SECRET } from "./_hostile_host.ts";
import {
  HOSTILE_CASES,
  type HostileCase,
  LIMITS,
  MEMORY_MOUNT_BYTES,
  type Place,
} from "./hostile_wasi_cases.ts";
import { wat } from "./wasm.ts";

const FOLDER = new URL("../examples/hostile/wasi/", import.meta.url);

/** Time beyond the deadline for starting, compiling and ending. */
const GRACE_MS = 5_000;

/** What became of a guest. */
interface Outcome {
  readonly end: string;
  readonly message: string;
  readonly output: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly events: readonly AuditEvent[];
  readonly ms: number;
}

async function readGuest(name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(new URL(`${name}.wasm`, FOLDER));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await wat(await Deno.readTextFile(new URL(`${name}.wat`, FOLDER)));
  }
}

/** What every guest has: arguments, an end, and its streams. */
const PROGRAM: readonly Capability[] = [
  Capabilities.process(),
  Capabilities.stdio(),
];

function mounts(
  { symlinks }: HostileCase,
  place: Place,
  root: string,
): readonly (HostMount | MemoryMount)[] {
  const memory = {
    memory: true,
    symlinks,
    maxBytes: MEMORY_MOUNT_BYTES,
  } as const;
  const box = { guest: "/box", access: "read-write", symlinks } as const;
  const ro = { guest: "/ro", access: "read", symlinks } as const;
  const tmp = { ...memory, guest: "/tmp" };
  return place === "memory"
    ? [{ ...memory, ...box }, { ...memory, ...ro }, tmp]
    : [{ ...box, host: `${root}/box` }, { ...ro, host: `${root}/ro` }, tmp];
}

function policyOf(
  hostile: HostileCase,
  place: Place,
  root: string,
): SecurityPolicy {
  const given = new Set(hostile.grants.map(({ type }) => type));
  const usual: readonly Capability[] = [
    ...PROGRAM,
    Capabilities.clock(),
    Capabilities.random(),
    Capabilities.environment({ variables: { GIVEN: "yes" } }),
    Capabilities.filesystem({ mounts: mounts(hostile, place, root) }),
  ];
  return SecurityPolicy.strict().allowCapability(
    usual.filter(({ type }) => !given.has(type)),
    hostile.grants,
  );
}

/** Files of memory mounts, where there are such. */
function filesFor(policy: SecurityPolicy): Record<string, string> {
  const { mounts = [] } = policy.find("filesystem") ?? {};
  const inMemory = mounts.filter((mount) => "memory" in mount)
    .map(({ guest }) => `${guest}/`);
  return Object.fromEntries(
    Object.entries(MOUNTED).filter(([path]) =>
      inMemory.some((prefix) => path.startsWith(prefix))
    ),
  );
}

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(2 ** 16)),
  });
}

async function runGuest(
  hostile: HostileCase,
  policy: SecurityPolicy,
  isolation: Isolation,
): Promise<Outcome> {
  const { guest, args, features, endlessInput } = hostile;
  const events: AuditEvent[] = [];
  const chunks: Uint8Array[] = [];
  const collect = () =>
    new WritableStream<Uint8Array>({
      write: (chunk) => void chunks.push(chunk.slice()),
    });
  const module = await readGuest(guest);
  const start = performance.now();
  let end: string;
  let message = "";
  let files: ReadonlyMap<string, Uint8Array> = new Map();
  try {
    await using sandbox = await Sandbox.create({
      module,
      policy,
      isolation,
      features: { exceptions: true, legacyExceptions: true, ...features },
      limits: { ...LIMITS, ...hostile.limits },
      audit: (event) => void events.push(event),
    });
    const result = await sandbox.execute(args, {
      files: filesFor(policy),
      stdin: endlessInput ? endless() : "some input",
      stdout: collect(),
      stderr: collect(),
    });
    end = `exit ${result.exitCode}`;
    files = result.files;
  } catch (error) {
    if (!SandboxError.is(error)) throw error;
    message = error.message;
    end = SandboxError.is(error, "limit-exceeded")
      ? `limit ${error.details.limit}`
      : error.code;
  }
  const ms = performance.now() - start;
  const output = new TextDecoder().decode(
    await new Blob(chunks as BlobPart[]).bytes(),
  );
  return { end, message, output, files, events, ms };
}

/** What holds whatever a guest did. */
function assertHarmless(hostile: HostileCase, outcome: Outcome): void {
  const { end, message, output, events, ms, files } = outcome;
  assert(!output.includes("ESCAPED"), output.slice(0, 2_000));
  assert(!output.includes(SECRET), "the secret is in the output");
  for (const [path, bytes] of files) {
    const text = new TextDecoder().decode(bytes);
    assert(!text.includes(SECRET), `the secret is in ${path}`);
  }
  if (hostile.guest !== "exit_code") {
    assert(end !== "exit 42", `the attack worked: ${output}`);
  }
  const { timeoutMs = 0 } = { ...LIMITS, ...hostile.limits };
  assert(ms < timeoutMs + GRACE_MS, `it took ${ms} ms`);
  // deno-lint-ignore no-control-regex -- what must not get out
  const raw = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/;
  assert(!raw.test(message), message);
  for (const { resource } of events) assert(!raw.test(resource), resource);
}

/** The host serves on. */
async function assertHostStands(isolation: Isolation): Promise<void> {
  await using sandbox = await Sandbox.create({
    module: await ANSWER,
    isolation,
  });
  assertEquals(await sandbox.call("answer"), 42);
  assert(!("escaped" in globalThis));
}

const ANSWER = wat(
  `(module (func (export "answer") (result i32) (i32.const 42)))`,
);

/** Under its grants a guest ends as it must, and nothing outside changes. */
async function contain(
  hostile: HostileCase,
  place: Place,
  isolation: Isolation,
): Promise<void> {
  await using host = await HostileHost.create(hostile.layout);
  const before = await host.snapshot();
  const policy = policyOf(hostile, place, host.root);
  const outcome = await runGuest(hostile, policy, isolation);
  assertHarmless(hostile, outcome);
  assert(
    hostile.ends.includes(outcome.end),
    `${outcome.end}, not ${hostile.ends.join(" or ")}: ` +
      `${outcome.message} ${outcome.output.slice(0, 500)}`,
  );
  if (hostile.guest === "stat_leaks" && place === "host") {
    const told = outcome.output.split(/\s/);
    for (const number of await hostNumbers(host.root)) {
      assert(!told.includes(number), `it was told the host's ${number}`);
    }
  }
  await host.assertUnchanged(before);
}

/** With nothing granted it is told no, and each no is recorded. */
async function refuse(
  hostile: HostileCase,
  isolation: Isolation,
): Promise<void> {
  const policy = SecurityPolicy.strict().allowCapability(PROGRAM);
  const outcome = await runGuest(hostile, policy, isolation);
  assertHarmless(hostile, outcome);
  const { end, events } = outcome;
  // what asks for ever may be told no for ever
  const spins = hostile.guest === "spin_calls" && end === "limit timeoutMs";
  assert(
    end === "exit 0" || spins || hostile.ends.includes(end),
    `${end}: ${outcome.message} ${outcome.output.slice(0, 500)}`,
  );
  assertEquals(outcome.files.size, 0);
  assertEquals(
    events.filter(({ decision, capability }) =>
      decision === "allowed" && !["process", "stdio"].includes(capability)
    ),
    [],
  );
  if (hostile.asks && hostile.args.length === 0) {
    assert(events.some(({ decision }) => decision === "denied"));
  }
}

for (const hostile of HOSTILE_CASES) {
  for (const isolation of ["inline", "process"] as const) {
    Deno.test(`${hostile.name}: contained, ${isolation}`, async (test) => {
      for (const place of hostile.places) {
        await test.step(place, () => contain(hostile, place, isolation));
      }
      await assertHostStands(isolation);
    });
  }
}

/** What a guest asks for differs little from case to case. */
const FIRST_CASES = HOSTILE_CASES.filter(({ guest }, index) =>
  HOSTILE_CASES.findIndex((each) => each.guest === guest) === index
);
for (const hostile of FIRST_CASES) {
  for (const isolation of ["inline", "process"] as const) {
    Deno.test(`${hostile.guest}: refused, ${isolation}`, async () => {
      await refuse(hostile, isolation);
      await assertHostStands(isolation);
    });
  }
}

Deno.test("every guest of the folder is in the table", async () => {
  const guests = new Set(HOSTILE_CASES.map(({ guest }) => guest));
  const sources = (await Array.fromAsync(Deno.readDir(FOLDER)))
    .map(({ name }) => /^(.*)\.(?:c|wat)$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  assertEquals(sources.sort(), [...guests].sort());
});

function guestOf(guest: string): HostileCase {
  const found = HOSTILE_CASES.find((each) => each.guest === guest);
  if (found === undefined) throw new Error(`there is no guest ${guest}`);
  return found;
}

Deno.test("a seed gives the same bytes in every run and isolation, none others", async () => {
  const guest = guestOf("random_print");
  const draw = async (seed: number | undefined, isolation: Isolation) => {
    const policy = SecurityPolicy.strict().allowCapability(
      PROGRAM,
      Capabilities.random(seed === undefined ? {} : { seed }),
    );
    const { end, output } = await runGuest(guest, policy, isolation);
    assertEquals(end, "exit 0");
    assert(/^[0-9a-f]{400,}$/.test(output), output);
    return output;
  };
  const seven = await draw(7, "inline");
  assertEquals(await draw(7, "inline"), seven);
  assertEquals(await draw(7, "process"), seven);
  const others = await Promise.all([
    draw(8, "inline"),
    draw(undefined, "inline"),
    draw(undefined, "inline"),
    draw(undefined, "process"),
    draw(undefined, "process"),
  ]);
  assertEquals(new Set([seven, ...others]).size, 6);
});

Deno.test("a guest sees the variables and arguments that it was given, and no others", async () => {
  const guest = { ...guestOf("environment"), args: ["ä", "", "🌍 x"] };
  for (const isolation of ["inline", "process"] as const) {
    const policy = SecurityPolicy.strict().allowCapability(
      PROGRAM,
      Capabilities.environment({ variables: { GIVEN: "世界", EMPTY: "" } }),
    );
    const { output } = await runGuest(guest, policy, isolation);
    const lines = output.trimEnd().split("\n");
    assertEquals(
      lines.filter((line) => line.startsWith("env ")).sort(),
      ["env EMPTY=", "env GIVEN=世界"],
    );
    const args = lines.filter((line) => line.startsWith("arg "));
    assertEquals(args.slice(1), ["arg ä", "arg ", "arg 🌍 x"]);
    // the name of the program says nothing of the host
    assert(!args[0]?.includes("/"), args[0]);
  }
});

Deno.test("an exit that is not granted ends the guest as well, with an error", async () => {
  for (const isolation of ["inline", "process"] as const) {
    for (const name of ["exit_caught", "exit_caught_ref", "exit_finally"]) {
      const policy = SecurityPolicy.strict().allowCapability(
        Capabilities.stdio(),
      );
      const { end, output, events } = await runGuest(
        guestOf(name),
        policy,
        isolation,
      );
      assertEquals([end, output], ["capability-not-granted", ""]);
      const last = events.at(-1);
      assertEquals(
        [last?.decision, last?.operation],
        ["denied", "process.exit"],
      );
    }
  }
});
