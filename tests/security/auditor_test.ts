import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError, type SandboxErrorCode } from "../../errors.ts";
import {
  type AuditEvent,
  type AuditSink,
  Capabilities,
  type Capability,
  type CapabilityKind,
  CapabilityKinds,
  type Operation,
  SecurityAuditor,
  SecurityPolicy,
} from "../../security/mod.ts";

function audit(
  grants: readonly Capability[],
  kinds: CapabilityKinds = new CapabilityKinds(),
) {
  const events: AuditEvent[] = [];
  const policy = SecurityPolicy.strict().allowCapability(grants);
  const sinks = [{ record: (event: AuditEvent) => events.push(event) }];
  const options = { kinds, sinks, sandbox: "box-1" };
  return { auditor: new SecurityAuditor(policy, options), events };
}

function codeOf(act: () => unknown): SandboxErrorCode | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    assert(SandboxError.is(error), `foreign: ${error}`);
    return error.code;
  }
}

const CUSTOM = Capabilities.customAccess(["resource1", "resource2"], true, {
  maxOperations: 3,
});

/** A kind that a user could have made, with counters of its own. */
interface Printing extends Capability {
  readonly type: "printing";
  readonly maxPages: number;
  readonly maxJobs: number;
}

const PRINTING: CapabilityKind<Printing> = {
  type: "printing",
  actions: ["print", "look"],
  schema: { type: "object" },
  notProtected: [],
  parse: (input) => {
    const { maxPages, maxJobs } = input as Printing;
    return { type: "printing", maxPages, maxJobs };
  },
  permits: (_, { resource }) => !resource.includes("secret"),
  operation: (operation, [pages]) =>
    operation === "custom_print"
      ? { capability: "printing", action: "print", resource: String(pages) }
      : undefined,
  counters: ({ maxPages, maxJobs }) => ({ pages: maxPages, jobs: maxJobs }),
  costs: (_, { action, resource }): Record<string, number> =>
    action === "look" ? {} : { pages: Number(resource), jobs: 1 },
  denoPermissions: () => ({}),
  describe: () => [],
};

const PRINTER: Printing = { type: "printing", maxPages: 10, maxJobs: 3 };

Deno.test("SecurityAuditor.permits() records each decision", () => {
  const { auditor, events } = audit([CUSTOM]);
  const before = Date.now();
  const ask = (resource: string) =>
    auditor.permits({
      capability: "custom_access",
      action: "read",
      resource,
      via: "get",
    });
  assertEquals([ask("resource1"), ask("resource10")], [true, false]);
  const times = events.map(({ time }) => Date.parse(time));
  assert(times.every((time) => time >= before && time <= Date.now()));
  const common = {
    sandbox: "box-1",
    operation: "custom_access.read",
    capability: "custom_access",
    via: "get",
  };
  assertEquals(events.map(({ time: _, ...rest }) => rest), [
    { sequence: 1, decision: "allowed", resource: "resource1", ...common },
    {
      sequence: 2,
      decision: "denied",
      resource: "resource10",
      reason: "what is granted does not cover it",
      ...common,
    },
  ]);
  assert(events.every((event) => Object.isFrozen(event)));
});

Deno.test("SecurityAuditor denies what nobody knows", () => {
  const { auditor, events } = audit([CUSTOM, Capabilities.random()]);
  const operations: readonly Operation[] = [
    { capability: "custom_acces", action: "read", resource: "resource1" },
    { capability: "", action: "", resource: "" },
    { capability: "__proto__", action: "constructor", resource: "" },
    { capability: "custom_access", action: "", resource: "resource1" },
    { capability: "custom_access", action: "delete", resource: "resource1" },
    { capability: "custom_access", action: "constructor", resource: "" },
    { capability: "random", action: "write", resource: "" },
    { capability: "random", action: "read", resource: 1 as unknown as string },
    {
      capability: Symbol("random") as unknown as string,
      action: [] as unknown as string,
      resource: {} as unknown as string,
    },
  ];
  for (const operation of operations) {
    assertEquals(auditor.permits(operation), false);
    assertEquals(codeOf(() => auditor.audit(operation)), "access-denied");
  }
  assertEquals(events.length, 2 * operations.length);
  assert(events.every(({ decision }) => decision === "denied"));
});

Deno.test("SecurityAuditor.auditOperation() works as in the seed document", () => {
  const { auditor, events } = audit([CUSTOM]);
  const code = (operation: string, ...args: unknown[]) =>
    codeOf(() => auditor.auditOperation(operation, args));
  assertEquals(code("custom_read_value", "resource1"), undefined);
  assertEquals(code("custom_read_value", "resource10"), "access-denied");
  assertEquals(code("custom_read_value", "resource1/../x"), "access-denied");
  assertEquals(code("custom_write_value", "resource1"), "access-denied");
  assertEquals(code("custom_delete", "resource1"), "access-denied");
  assertEquals(code("custom_", "resource1"), "access-denied");
  assertEquals(code("custom_read_value"), "invalid-argument");
  assertEquals(code("custom_read_value", 1), "invalid-argument");
  assertEquals(code("custom_access.read", "resource2"), undefined);
  assertEquals(code("custom_access.write", "resource2"), "access-denied");
  assertEquals(code("custom_access.read", ["resource2"]), "invalid-argument");
  assertEquals(code("custom_access.read"), "access-denied");
  assertEquals(code("customs"), "access-denied");
  assertEquals(code("custom_access.delete", "resource1"), "access-denied");
  assertEquals(code(""), "access-denied");
  assertEquals(code({} as string), "access-denied");
  assertEquals(code("read_file", "/etc/passwd"), "access-denied");
  assertEquals(code("random.read"), "capability-not-granted");
  assertEquals(events.length, 18);
  assertEquals(
    events.filter(({ decision }) => decision === "allowed").length,
    2,
  );
  assertEquals(events[0]?.via, "custom_read_value");
  assertEquals(auditor.counters(), {
    "custom_access.operations": { allowed: 3, used: 2 },
  });
});

Deno.test("SecurityAuditor.auditOperation() says first that nothing is granted", () => {
  const { auditor, events } = audit([]);
  const act = () => auditor.auditOperation("custom_read_value", [1]);
  assertEquals(codeOf(act), "capability-not-granted");
  assertEquals(events.map(({ capability }) => capability), ["custom_access"]);
});

Deno.test("SecurityAuditor counts operations and refuses one more", () => {
  const { auditor, events } = audit([CUSTOM]);
  const operation = {
    capability: "custom_access",
    action: "read",
    resource: "resource1",
  };
  for (let i = 0; i < 3; i++) assert(auditor.permits(operation));
  for (let i = 0; i < 2; i++) {
    const error = assertThrows(() => auditor.permits(operation));
    assert(SandboxError.is(error, "limit-exceeded"));
    const { limit, allowed, used } = error.details;
    assertEquals([limit, allowed, used], ["custom_access.operations", 3, 4]);
  }
  const denied = { ...operation, resource: "resource10" };
  assertEquals(auditor.permits(denied), false);
  assertEquals(auditor.counters()["custom_access.operations"]?.used, 3);
  const decisions = events.map(({ decision }) => decision[0]).join("");
  assertEquals(decisions, "aaaddd");
  assert(events[3]?.reason?.includes("custom_access.operations"));
});

Deno.test("SecurityAuditor counts for each capability that stands beside another", () => {
  const { auditor } = audit([
    Capabilities.customAccess(["a"], true, { maxOperations: 1 }),
    Capabilities.customAccess(["a", "b"], true, { maxOperations: 2 }),
  ]);
  const read = (resource: string) =>
    codeOf(() =>
      auditor.permits({ capability: "custom_access", action: "read", resource })
    );
  assertEquals([read("a"), read("a"), read("b")], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals([read("a"), read("b"), read("c")], [
    "limit-exceeded",
    "limit-exceeded",
    undefined,
  ]);
  assertEquals(auditor.counters(), {
    "custom_access.operations": { allowed: 1, used: 1 },
    "custom_access[1].operations": { allowed: 2, used: 2 },
  });
});

Deno.test("SecurityAuditor counts calls of host functions by name", () => {
  const names = ["log", "__proto__", "constructor"];
  const { auditor } = audit([
    Capabilities.hostFunctions(names, {
      maxCalls: Object.fromEntries([["log", 1], ["__proto__", 1]]),
    }),
  ]);
  const call = (resource: string) =>
    codeOf(() =>
      auditor.audit({ capability: "host_functions", action: "call", resource })
    );
  assertEquals(names.map(call), [undefined, undefined, undefined]);
  assertEquals(names.map(call), [
    "limit-exceeded",
    "limit-exceeded",
    undefined,
  ]);
});

Deno.test("SecurityAuditor takes a registered kind with counters of its own", () => {
  const kinds = new CapabilityKinds().register(PRINTING);
  const { auditor, events } = audit([PRINTER], kinds);
  const print = (pages: number) =>
    codeOf(() => auditor.auditOperation("custom_print", [pages]));
  assertEquals([print(6), print(5), print(4)], [
    undefined,
    "limit-exceeded",
    undefined,
  ]);
  assertEquals(auditor.counters(), {
    "printing.pages": { allowed: 10, used: 10 },
    "printing.jobs": { allowed: 3, used: 2 },
  });
  auditor.auditOperation("printing.look", ["office"]);
  assertEquals(
    codeOf(() => auditor.auditOperation("printing.look", ["secret"])),
    "access-denied",
  );
  assertEquals(events.map(({ operation }) => operation), [
    "printing.print",
    "printing.print",
    "printing.print",
    "printing.look",
    "printing.look",
  ]);
});

Deno.test("SecurityAuditor denies what a kind cannot decide", () => {
  const foreign = () => {
    throw new RangeError("forged\n\u001b[2J line");
  };
  const nothing: unknown = undefined;
  const permits: readonly unknown[] = [
    foreign,
    () => {
      throw nothing;
    },
    () => {
      throw { toString: foreign };
    },
    () => 1,
    () => "yes",
    () => ({}),
    () => undefined,
    () => Promise.resolve(true),
    () => Promise.reject(new Error("nobody waits")),
  ];
  const costs: readonly unknown[] = [
    foreign,
    () => 1,
    () => ({ pages: -1 }),
    () => ({ pages: NaN }),
    () => ({ pages: "1" }),
    () => ({ pages: 0.5 }),
    () => ({ sheets: 1 }),
    () => ({ toString: 1 }),
    () => Promise.reject(new Error("nobody waits")),
    () => new Proxy({ pages: 1 }, { ownKeys: foreign }),
  ];
  const operation: readonly unknown[] = [
    foreign,
    () => ({ capability: "random", action: "read", resource: "" }),
    () => ({ capability: "printing", action: "print" }),
    () => "printing.print",
    () => null,
    () => Promise.reject(new Error("nobody waits")),
  ];
  const all = Object.entries({ permits, costs, operation });
  for (const [name, functions] of all) {
    for (const each of functions) {
      const kind = { ...PRINTING, [name]: each } as typeof PRINTING;
      const kinds = new CapabilityKinds().register(kind);
      const { auditor, events } = audit(
        [PRINTER, Capabilities.random()],
        kinds,
      );
      const act = () => auditor.auditOperation("custom_print", [1]);
      assertEquals(codeOf(act), "access-denied", `${name}: ${each}`);
      assertEquals(events.length, 1);
      assertEquals(events[0]?.decision, "denied");
      assert(!/[\p{Cc}]/u.test(events[0]?.reason ?? "\n"), events[0]?.reason);
      assertEquals(auditor.counters()["printing.pages"]?.used, 0);
    }
  }
});

Deno.test("SecurityAuditor refuses counters that make no sense", () => {
  const counters: readonly unknown[] = [
    () => {
      throw new RangeError("mine");
    },
    () => 1,
    () => ({ pages: -1 }),
    () => ({ pages: Infinity }),
    () => ({ pages: "10" }),
  ];
  for (const each of counters) {
    const kind = { ...PRINTING, counters: each } as typeof PRINTING;
    const kinds = new CapabilityKinds().register(kind);
    assertEquals(codeOf(() => audit([PRINTER], kinds)), "invalid-capability");
  }
});

Deno.test("SecurityAuditor refuses a policy with a type that is not known", () => {
  const policy = SecurityPolicy.strict().allowCapability({ type: "printings" });
  const kinds = new CapabilityKinds().register(PRINTING);
  const error = assertThrows(() => new SecurityAuditor(policy, { kinds }));
  assert(SandboxError.is(error, "unknown-name"));
  assertEquals(error.details.suggestion, "printing");
});

Deno.test("SecurityAuditor checks a policy with its own kinds", () => {
  const parse = () => {
    throw new TypeError("no printer");
  };
  const kinds = new CapabilityKinds().register({ ...PRINTING, parse });
  const error = assertThrows(() => audit([PRINTER], kinds));
  assert(SandboxError.is(error, "invalid-capability"));
  const { auditor } = audit(
    [PRINTER],
    new CapabilityKinds().register(PRINTING),
  );
  assertEquals(auditor.policy.toJSON(), [PRINTER]);
});

Deno.test("SecurityAuditor goes on when a sink throws", async () => {
  const events: AuditEvent[] = [];
  const thrown = () => {
    throw new Error("disk full");
  };
  const sinks: readonly AuditSink[] = [
    { record: thrown },
    { record: () => Promise.reject(new Error("later")) },
    { record: (event) => Object.assign(event, { decision: "allowed" }) },
    { record: (event) => events.push(event) },
  ];
  const policy = SecurityPolicy.strict();
  const auditor = new SecurityAuditor(policy, { sinks });
  const operation = { capability: "random", action: "read", resource: "" };
  assertEquals(auditor.permits(operation), false);
  await Promise.resolve();
  assertEquals([events.length, events[0]?.decision], [1, "denied"]);
  assertEquals(auditor.sinkFailures, 3);
});

Deno.test("SecurityAuditor keeps what a guest says from forging events", () => {
  const { auditor, events } = audit([]);
  const texts = [
    'x\n{"decision":"allowed"}',
    "\u001b[2J",
    "\u202eevil",
    "\ud800",
    "\0".repeat(5_000),
    "x".repeat(1_000_000),
    "\ud83d\ude00".repeat(2_000),
  ];
  for (const text of texts) {
    const operation = {
      capability: text,
      action: text,
      resource: text,
      via: text,
    };
    auditor.permits(operation);
    codeOf(() => auditor.auditOperation(text, [text]));
    const known = { capability: "filesystem", action: "read", resource: text };
    const error = assertThrows(() => auditor.audit(known), SandboxError);
    assert(!/[\p{Cc}\p{Cf}\p{Cs}]/u.test(error.message), text.slice(0, 9));
    assert(error.message.length < 3_000);
  }
  for (const event of events) {
    for (const value of Object.values(event)) {
      if (typeof value !== "string") continue;
      assert(!/[\p{Cc}\p{Cf}\p{Cs}]/u.test(value), value);
      assert(value.length <= 1_024);
    }
  }
  assertEquals(events.at(-1)?.sequence, 3 * texts.length);
});

Deno.test("SecurityAuditor lets the longest mount decide across grants", () => {
  const { auditor } = audit([
    Capabilities.directory("/srv", "/", "read-write"),
    Capabilities.directory("/etc/app", "/etc", "read"),
    Capabilities.memory("/etc/tmp"),
  ]);
  const mayWrite = (resource: string) =>
    auditor.permits({ capability: "filesystem", action: "write", resource });
  assertEquals(
    ["/", "/a", "/etcetera", "/etc", "/etc/a", "/etc/tmp/a"].map(mayWrite),
    [true, true, true, false, false, true],
  );
});

Deno.test("SecurityAuditor ends with sinks that ask it themselves", () => {
  let told = 0;
  const sink: AuditSink = {
    record() {
      told++;
      auditor.permits(READ);
    },
  };
  const auditor = new SecurityAuditor(SecurityPolicy.strict(), {
    sinks: [sink, sink],
  });
  const READ = { capability: "clock", action: "read", resource: "realtime" };
  assertEquals(auditor.permits(READ), false);
  assertEquals(told, 2 ** 9 - 2);
  assertEquals(auditor.sinkFailures, 2 ** 8);
});
