// Every action of every built-in kind: once allowed, once denied, each recorded.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  type AuditEvent,
  Capabilities,
  type Capability,
  CapabilityKinds,
  type Operation,
  SecurityAuditor,
  SecurityPolicy,
} from "../../security/mod.ts";

interface Case {
  /** What is granted. */
  readonly grant: Capability;
  /** Resources that are allowed, each with its `via` after a `|`. */
  readonly allowed: readonly string[];
  /** Resources that are denied. */
  readonly denied: readonly string[];
}

const FILES = Capabilities.filesystem({
  mounts: [
    { guest: "/data", host: "./data" },
    { guest: "/data/out", host: "./out", access: "read-write" },
    { guest: "/data/out/old", memory: true, access: "read" },
  ],
});

const HOSTS = Capabilities.networkAccess([
  "api.example.com",
  "*.example.org",
  "127.0.0.1:8080",
  { host: "get.example.com", schemes: ["https"], methods: ["GET"] },
]);

const NEVER: readonly string[] = [];

const OPERATIONS: Readonly<Record<string, Case>> = {
  "filesystem.read": {
    grant: FILES,
    allowed: [
      "/data",
      "/data/a",
      "/data/out/old/b",
      "/data/..a/.b/...",
      "/data/ü",
    ],
    denied: [
      "",
      "/",
      "/dat",
      "/database",
      "/etc/passwd",
      "data",
      "data/a",
      "./data",
      "//data",
      "/data/",
      "/data//a",
      "/data/.",
      "/data/./a",
      "/data/..",
      "/data/../etc/passwd",
      "/data/a\0/../../etc/passwd",
      "/DATA/a",
    ],
  },
  "filesystem.write": {
    grant: FILES,
    allowed: ["/data/out", "/data/out/a"],
    denied: ["/data/a", "/data/outer", "/data/out/old", "/data/out/old/a", "/"],
  },
  "network.connect": {
    grant: HOSTS,
    allowed: [
      "https://api.example.com",
      "https://api.example.com:443",
      "HTTPS://API.Example.COM.:443/",
      "https://a.example.org",
      "https://a.b.example.org",
      "http://127.0.0.1:8080",
      "https://127.1:8080",
      "http://0x7f000001:8080",
      "http://2130706433:8080",
      "http://[::ffff:127.0.0.1]:8080",
      "http://１２７.0.0.1:8080",
      "https://get.example.com|GET",
    ],
    denied: [
      "",
      "api.example.com",
      "http://api.example.com",
      "http://api.example.com:443",
      "https://api.example.com:444",
      "https://api.example.com:0",
      "https://api.example.com/x",
      "https://api.example.com?x",
      "https://api.example.com#x",
      "https://user@api.example.com",
      "https://api.example.com,evil.test",
      "https://api.example.com@evil.test",
      "https://api.example.com\\@evil.test",
      "https://api.example.com.evil.test",
      "https://xapi.example.com",
      "https://example.org",
      "https://notexample.org",
      "https://example.org.evil.test",
      "https://api.exam\nple.com",
      " https://api.example.com",
      "https:api.example.com",
      "ftp://api.example.com",
      "file:///etc/passwd",
      "http://127.0.0.1",
      "http://127.0.0.2:8080",
      "http://localhost:8080",
      "http://[::1]:8080",
      "https://*.example.org",
      "https://get.example.com",
      "https://get.example.com|POST",
      "https://get.example.com|*",
      "https://get.example.com|get",
    ],
  },
  "network.socket": { grant: HOSTS, allowed: NEVER, denied: ["", "3"] },
  "environment.read": {
    grant: Capabilities.environment({ variables: { A: "1" }, pass: ["B"] }),
    allowed: ["", "A", "B"],
    denied: ["a", "AB", "C", "constructor", "__proto__", "A\0", "A=1"],
  },
  "clock.read": {
    grant: Capabilities.clock(),
    allowed: ["realtime", "monotonic"],
    denied: ["", "process_cputime", "thread_cputime", "tai"],
  },
  "clock.sleep": {
    grant: Capabilities.clock({ mode: "real" }),
    allowed: ["realtime", "monotonic"],
    denied: ["", "process_cputime"],
  },
  "random.read": { grant: Capabilities.random(), allowed: [""], denied: [] },
  "process.arguments": {
    grant: Capabilities.process({ exit: false }),
    allowed: [""],
    denied: [],
  },
  "process.exit": {
    grant: Capabilities.process({ arguments: false }),
    allowed: ["", "1"],
    denied: [],
  },
  "process.signal": {
    grant: Capabilities.process(),
    allowed: NEVER,
    denied: ["", "9"],
  },
  "stdio.stdin": {
    grant: Capabilities.stdio({ stdout: false, stderr: false }),
    allowed: [""],
    denied: [],
  },
  "stdio.stdout": {
    grant: Capabilities.stdio({ stdin: false, stderr: false }),
    allowed: [""],
    denied: [],
  },
  "stdio.stderr": {
    grant: Capabilities.stdio({ stdin: false, stdout: false }),
    allowed: [""],
    denied: [],
  },
  "host_functions.call": {
    grant: Capabilities.hostFunctions(["log"]),
    allowed: ["log"],
    denied: ["", "lo", "logs", "LOG", "constructor"],
  },
  "custom_access.read": {
    grant: Capabilities.customAccess(["resource1", "a/b"], true),
    allowed: ["resource1", "resource1/x", "a/b", "a/b/c"],
    denied: [
      "",
      "a",
      "a/bc",
      "resource10",
      "Resource1",
      "resource1/",
      "resource1//x",
      "resource1/./x",
      "resource1/../x",
      "resource1/..",
      "resource1/x\0",
      "resource1/x\n",
      "resource1\\x",
      "resource1/\ud800",
      "../resource1",
    ],
  },
  "custom_access.write": {
    grant: Capabilities.customAccess(["resource1"], false),
    allowed: ["resource1", "resource1/x"],
    denied: ["resource10", "resource1/../x"],
  },
};

/** Grants in which an action is not contained though its type is. */
const WITHOUT: Readonly<Record<string, Capability>> = {
  "process.arguments": Capabilities.process({ arguments: false }),
  "process.exit": Capabilities.process({ exit: false }),
  "stdio.stdin": Capabilities.stdio({ stdin: false }),
  "stdio.stdout": Capabilities.stdio({ stdout: false }),
  "stdio.stderr": Capabilities.stdio({ stderr: false }),
  "custom_access.write": Capabilities.customAccess(["resource1"], true),
};

function audit(grants: readonly Capability[]) {
  const events: AuditEvent[] = [];
  const auditor = new SecurityAuditor(
    SecurityPolicy.strict().allowCapability(grants),
    { sinks: [{ record: (event) => events.push(event) }] },
  );
  return { auditor, events };
}

function operationOf(name: string, text: string): Operation {
  const [capability = "", action = ""] = name.split(".");
  const [resource = "", via] = text.split("|");
  return { capability, action, resource, ...(via ? { via } : {}) };
}

Deno.test("operations are all in the table", () => {
  const all = [...new CapabilityKinds()].flatMap(({ type, actions }) =>
    actions.map((action) => `${type}.${action}`)
  );
  assertEquals(Object.keys(OPERATIONS).sort(), all.sort());
  for (const [name, { allowed, denied }] of Object.entries(OPERATIONS)) {
    assert(allowed.length > 0 || allowed === NEVER, name);
    assert(denied.length > 0 || name in WITHOUT || name === "random.read");
  }
});

for (const [name, { grant, allowed, denied }] of Object.entries(OPERATIONS)) {
  Deno.test(`${name} is allowed where it is granted`, () => {
    const { auditor, events } = audit([grant]);
    for (const text of allowed) {
      assert(auditor.permits(operationOf(name, text)), text);
      auditor.audit(operationOf(name, text));
    }
    assertEquals(events.length, allowed.length * 2);
    for (const { operation, decision, reason } of events) {
      assertEquals([operation, decision, reason], [name, "allowed", undefined]);
    }
  });

  Deno.test(`${name} is denied beyond its grant`, () => {
    const { auditor, events } = audit([grant]);
    for (const text of denied) {
      const operation = operationOf(name, text);
      assertEquals(auditor.permits(operation), false, text);
      const error = assertThrows(() => auditor.audit(operation));
      assert(SandboxError.is(error, "access-denied"), text);
      assertEquals(error.details.operation, name);
    }
    assertEquals(events.length, denied.length * 2);
    for (const { operation, decision } of events) {
      assertEquals([operation, decision], [name, "denied"]);
    }
  });

  Deno.test(`${name} is denied without its grant`, () => {
    const others = Object.entries(OPERATIONS)
      .filter(([other]) => other.split(".")[0] !== name.split(".")[0])
      .map(([, { grant }]) => grant)
      .filter(({ type }, index, all) =>
        all.findIndex((each) => each.type === type) === index
      );
    const { auditor, events } = audit(others);
    for (const text of [...allowed, ""]) {
      const operation = operationOf(name, text);
      assertEquals(auditor.permits(operation), false);
      const error = assertThrows(() => auditor.audit(operation));
      assert(SandboxError.is(error, "capability-not-granted"));
    }
    assertEquals(events.length, 2 * (allowed.length + 1));
    const without = WITHOUT[name];
    if (without === undefined) return;
    const denied = assertThrows(() =>
      audit([without]).auditor.audit(operationOf(name, "resource1"))
    );
    assert(SandboxError.is(denied, "access-denied"));
  });
}

Deno.test("clock.read of CPU clocks is allowed in mode real only", () => {
  for (const mode of ["real", "coarse", "virtual"] as const) {
    const { auditor } = audit([Capabilities.clock({ mode })]);
    for (const resource of ["process_cputime", "thread_cputime"]) {
      const operation = { capability: "clock", action: "read", resource };
      assertEquals(auditor.permits(operation), mode === "real");
    }
  }
});
