// Capabilities that make no sense, and values that lie.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  type Capability,
  CapabilityKinds,
  SecurityPolicy,
} from "../../security/mod.ts";
import { EXAMPLES } from "./_grants.ts";

const KINDS = new CapabilityKinds();

const mount = (entry: unknown) => ({ type: "filesystem", mounts: [entry] });
const host = (entry: unknown) => ({ type: "network", hosts: [entry] });

/** What is given, where it is wrong, and a part of what is said. */
type Row = readonly [input: unknown, path: string, says: string];

const BAD: readonly Row[] = [
  [undefined, "", "must be an object"],
  [null, "", "must be an object"],
  [[], "", "must be an object"],
  ["clock", "", "must be an object"],
  [{}, "", "must be an object"],
  [{ type: 1 }, "", "must be an object"],
  [new Map([["type", "clock"]]), "", "plain data"],
  [{ type: "clock", at: new Date() }, "at", "plain data"],
  [{ type: "clock", mode: () => "real" }, "mode", "plain data"],
  [{ type: "clock", resolutionNs: 1n }, "resolutionNs", "plain data"],
  [{ type: "clock", resolutionNs: NaN }, "resolutionNs", "plain data"],
  [{ type: "clock", [Symbol("mode")]: "real" }, "", "symbols"],
  [JSON.parse('{"type":"clock","__proto__":{}}'), "__proto__", "not known"],

  [{ type: "filesystem" }, "mounts", "must be given: a list"],
  [{ type: "filesystem", mounts: [] }, "mounts", "at least 1"],
  [{ type: "filesystem", mount: [] }, "mount", 'did you mean "mounts"'],
  [{ type: "filesystem", mounts: {} }, "mounts", "must be a list"],
  [mount("/data"), "mounts[0]", "must be an object"],
  [mount({ guest: "/a" }), "mounts[0]", "either"],
  [mount({ guest: "/a", host: "a", memory: true }), "mounts[0]", "not both"],
  [mount({ guest: "/a", memory: false }), "mounts[0].memory", "must be true"],
  [mount({ guest: "/a", memory: 1 }), "mounts[0].memory", "true or false"],
  [mount({ host: "a" }), "mounts[0].guest", "must be given"],
  [mount({ gest: "/a", host: "a" }), "mounts[0].gest", '"guest"'],
  [mount({ guest: "/a", host: "" }), "mounts[0].host", "empty"],
  [mount({ guest: "/a", host: "a\0b" }), "mounts[0].host", "NUL"],
  [mount({ guest: "/a", host: 1 }), "mounts[0].host", "must be text"],
  [mount({ guest: "/a", host: "x".repeat(4_097) }), "mounts[0].host", "4096"],
  [
    mount({ guest: "/a", host: "a", access: "write" }),
    "mounts[0].access",
    "read",
  ],
  [mount({ guest: "/a", host: "a", access: null }), "mounts[0].access", "null"],
  [
    mount({ guest: "/a", host: "a", symlinks: "follow" }),
    "mounts[0].symlinks",
    "within",
  ],
  [
    mount({ guest: "/a", host: "a", maxBytes: 1 }),
    "mounts[0].maxBytes",
    "memory",
  ],
  ...[0, -1, 1.5, 4_294_967_297, "1"].map((maxBytes): Row => [
    mount({ guest: "/a", memory: true, maxBytes }),
    "mounts[0].maxBytes",
    "whole number from 1 to 4294967296",
  ]),
  ...[
    "",
    "a",
    "./a",
    "/a/",
    "/a//b",
    "//",
    "/.",
    "/a/..",
    "/a/../b",
    "/a/./b",
    "/a\0",
    "/a\nb",
    "/a\\b",
    "/a/*",
    "/\ud800",
    "/" + "ü".repeat(2_048),
  ]
    .map((
      guest,
    ): Row => [mount({ guest, memory: true }), "mounts[0].guest", "must"]),
  [
    {
      type: "filesystem",
      mounts: [{ guest: "/a", host: "a" }, { guest: "/a", memory: true }],
    },
    "mounts[1]",
    "mounted already",
  ],

  [{ type: "network", hosts: [] }, "hosts", "at least 1"],
  [host(1), "hosts[0]", "must be an object"],
  [host({}), "hosts[0].host", "must be given: text"],
  ...[
    "",
    "*",
    "*.",
    "*.com",
    "*.localhost",
    "*.127.0.0.1",
    "*.*.example.com",
    "*.[::1]",
    "*example.com",
    "a.*.com",
    "api.*",
    "a b",
    "a/b",
    "a\\b",
    "a?b",
    "a#b",
    "user@a",
    "a\0",
    "a\tb",
    ".a",
    "a..b",
    "a..",
    "[::1",
    "[::1%25eth0]",
    "256.0.0.1",
    "a:b",
    "xn--a",
    "a,b",
    "a;b",
    "a'b",
    'a"b',
    "a$b",
    "a(b)",
    "a=b",
    "%00",
    "a%2fb",
    "ftp://a",
    "file:///a",
    "https://",
    "https://a/",
    "https://a/b",
    "https://user@a",
    "https://user:password@a",
    "a:0",
    "a:65536",
    "a:-1",
    "a:99999",
    "a:+1",
    "::1",
    "https://a:80:80",
  ].map((text): Row => [
    host(text),
    "hosts[0]",
    "must",
  ]),
  ...["a:80", "https://a", "[::1]:80", "*", "*.com", "::1::"].map((
    text,
  ): Row => [
    host({ host: text }),
    "hosts[0].host",
    "must",
  ]),
  ...[0, 65_536, 1.5, "80", -1].map((port): Row => [
    host({ host: "a", ports: [port] }),
    "hosts[0].ports[0]",
    "from 1 to 65535",
  ]),
  [host({ host: "a", ports: [] }), "hosts[0].ports", "at least 1"],
  [host({ host: "a", schemes: ["ftp"] }), "hosts[0].schemes[0]", "http"],
  [host({ host: "a", schemes: [] }), "hosts[0].schemes", "at least 1"],
  ...["", "get", "GET POST", "GE*", "G\nT", "**"].map((method): Row => [
    host({ host: "a", methods: [method] }),
    "hosts[0].methods[0]",
    "must be a method",
  ]),
  [host({ host: "a", method: ["GET"] }), "hosts[0].method", '"methods"'],

  ...["", "A=B", "A\0", "A\n", "A*"].map((name): Row => [
    { type: "environment", pass: [name] },
    name === "A=B" ? "pass" : "pass[0]",
    "must not",
  ]),
  ...["", "A=B", "A\0"].map((name): Row => [
    { type: "environment", variables: { [name]: "" } },
    name === "A=B"
      ? `variables[${JSON.stringify(name)}]`
      : "a name in variables",
    "must not",
  ]),
  [{ type: "environment", variables: { A: "\0" } }, "variables.A", "NUL"],
  [{ type: "environment", variables: { A: 1 } }, "variables.A", "must be text"],
  [{ type: "environment", variables: ["A"] }, "variables", "must be an object"],
  [{ type: "environment", pass: ["A", "A"] }, "pass[1]", "second time"],
  [
    { type: "environment", variables: { A: "" }, pass: ["A"] },
    "pass",
    "already",
  ],

  [{ type: "clock", mode: "exact" }, "mode", '"real" or "coarse"'],
  [{ type: "clock", mode: ["real"] }, "mode", "must be"],
  [{ type: "clock", mode: "real", resolutionNs: 2 }, "resolutionNs", "1"],
  [{ type: "clock", resolutionNs: 0 }, "resolutionNs", "1"],
  [{ type: "clock", resolutionNs: 1e12 }, "resolutionNs", "60000000000"],
  [{ type: "clock", startMs: 1 }, "startMs", "0"],
  [{ type: "clock", mode: "virtual", startMs: -1 }, "startMs", "0"],
  [
    { type: "clock", mode: "virtual", startMs: 1e15 },
    "startMs",
    "9000000000000",
  ],
  ...[-1, 0.5, 2 ** 53, "1", null].map((seed): Row => [
    { type: "random", seed },
    "seed",
    "whole number",
  ]),
  [{ type: "process", exit: 1 }, "exit", "true or false"],
  [{ type: "process", signal: true }, "signal", "not known"],
  [{ type: "stdio", stdout: "yes" }, "stdout", "true or false"],

  [{ type: "host_functions", functions: [] }, "functions", "at least 1"],
  ...["", "*", "log*", "a\0"].map((name): Row => [
    { type: "host_functions", functions: [name] },
    "functions[0]",
    "must not",
  ]),
  [
    { type: "host_functions", functions: ["log"], maxCalls: { lag: 1 } },
    "maxCalls.lag",
    "none of the functions",
  ],
  [
    { type: "host_functions", functions: ["log"], maxCalls: { log: 0 } },
    "maxCalls.log",
    "from 1",
  ],

  [{ type: "custom_access", resources: [] }, "resources", "at least 1"],
  [{ type: "custom_access", resources: ["a", "a"] }, "resources[1]", "second"],
  ...["", "a\0", "a\nb", "a*", "*"].map((name): Row => [
    { type: "custom_access", resources: [name] },
    "resources[0]",
    "must not",
  ]),
  ...["..", ".", "a/..", "a/../b", "../a", "a//b", "a/", "/", "a\\b"].map((
    name,
  ): Row => [
    { type: "custom_access", resources: [name] },
    "resources",
    'no "."',
  ]),
  [
    { type: "custom_access", resources: ["a"], maxOperations: 0 },
    "maxOperations",
    "1",
  ],
  [
    { type: "custom_access", resources: ["a"], maxOperations: "100" },
    "maxOperations",
    "100",
  ],
];

/** What parsing a row gives, or undefined if it is what it should be. */
function surprise([input, path, says]: Row): string | undefined {
  try {
    return `taken: ${Deno.inspect(input)} as ${
      Deno.inspect(KINDS.parse(input))
    }`;
  } catch (error) {
    const isRight = SandboxError.is(error, "invalid-capability") &&
      error.details.path === path && error.details.problem.includes(says) &&
      !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(error.message);
    return isRight ? undefined : `${Deno.inspect(input)} gave ${error}`;
  }
}

Deno.test("CapabilityKinds.parse() refuses what makes no sense", () => {
  assertEquals(BAD.map(surprise).filter((each) => each !== undefined), []);
});

Deno.test("CapabilityKinds.parse() refuses every property of a wrong type", () => {
  for (const example of EXAMPLES) {
    for (const name of Object.keys(example)) {
      for (const value of [null, Symbol("x"), 1n, {}, [[]], () => 1, NaN]) {
        if (name === "variables" || name === "maxCalls") continue;
        const error = assertThrows(() =>
          KINDS.parse({ ...example, [name]: value })
        );
        assert(
          SandboxError.is(error, "invalid-capability"),
          `${example.type}.${name}`,
        );
      }
    }
    const unknown = assertThrows(() =>
      KINDS.parse({ ...example, nonsense: 1 })
    );
    assert(SandboxError.is(unknown, "invalid-capability"));
  }
});

Deno.test("CapabilityKinds.parse() reads each property once", () => {
  let reads = 0;
  const input = {
    type: "custom_access",
    resources: ["a"],
    get maxOperations() {
      return reads++ === 0 ? 1 : 1_000_000;
    },
  };
  const parsed = KINDS.parse(input) as Capability & { maxOperations: number };
  assertEquals([parsed.maxOperations, reads], [1, 1]);
});

Deno.test("CapabilityKinds.parse() sees nothing that is inherited", () => {
  const heir = Object.create({ type: "stdio" });
  const error = assertThrows(() => KINDS.parse(heir));
  assert(SandboxError.is(error, "invalid-capability"));
  const orphan = Object.assign(Object.create(null), {
    type: "stdio",
    stdin: false,
  });
  assertEquals(KINDS.parse(orphan), {
    type: "stdio",
    stdin: false,
    stdout: true,
    stderr: true,
  } as Capability);
});

Deno.test("CapabilityKinds.parse() turns what getters and proxies throw into its own error", () => {
  const thrower = () => {
    throw new RangeError("mine");
  };
  const traps = { get: thrower, ownKeys: thrower, getPrototypeOf: thrower };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const inputs = [
    new Proxy({ type: "clock" }, traps),
    revoked.proxy,
    { type: "clock", mode: revoked.proxy },
    { type: "filesystem", mounts: new Proxy([1], { get: thrower }) },
    { type: "filesystem", mounts: [revoked.proxy] },
    Object.defineProperty({ type: "clock" }, "mode", {
      enumerable: true,
      get: thrower,
    }),
  ];
  for (const input of inputs) {
    const error = assertThrows(() => KINDS.parse(input));
    assert(SandboxError.is(error, "invalid-capability"));
  }
});

Deno.test("CapabilityKinds.parse() ends with what is endless", () => {
  const circle: Record<string, unknown> = { type: "clock" };
  circle.mode = circle;
  const wide = (item: unknown) => Array.from({ length: 1_000 }, () => item);
  const bomb = wide(wide(wide(wide(1))));
  const lie = new Proxy([], {
    get: (_, name) => name === "length" ? 2 ** 32 - 1 : 1,
  });
  const inputs = [
    circle,
    { type: "custom_access", resources: bomb },
    { type: "custom_access", resources: new Array(4_097).fill("a") },
    { type: "custom_access", resources: new Array(2 ** 32 - 1) },
    { type: "custom_access", resources: lie },
    { type: "custom_access", resources: ["a".repeat(200_000)] },
    {
      type: "environment",
      variables: Object.fromEntries(
        Array.from({ length: 5_000 }, (_, i) => [`A${i}`, ""]),
      ),
    },
  ];
  for (const input of inputs) {
    const error = assertThrows(() => KINDS.parse(input));
    assert(SandboxError.is(error, "invalid-capability"));
  }
});

Deno.test("CapabilityKinds.parse() suggests a type that is near", () => {
  const error = assertThrows(() => KINDS.parse({ type: "file_system" }));
  assert(SandboxError.is(error, "unknown-name"));
  assertEquals(error.details.suggestion, "filesystem");
});

Deno.test("SecurityPolicy.from() refuses what is no list of capabilities", () => {
  for (
    const input of [null, undefined, {}, "[]", [null], [[]], new Array(5_000)]
  ) {
    const error = assertThrows(() => SecurityPolicy.from(input));
    assert(SandboxError.is(error, "invalid-capability"));
  }
});
