import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { AuditRecorder, learnPolicy } from "../../security/audit/mod.ts";
import { CapabilityKinds } from "../../security/kinds.ts";
import type {
  Capability,
  FilesystemCapability,
  Mount,
} from "../../security/types.ts";
import { event } from "./_events.ts";

/** What was done: `"filesystem.read /data/a path_open"`. */
function recorded(...operations: readonly string[]): AuditRecorder {
  const recorder = new AuditRecorder();
  for (const [index, text] of operations.entries()) {
    const [operation = "", resource = "", via = "path_open"] = text.split(" ");
    const [capability = ""] = operation.split(".");
    const sequence = index + 1;
    recorder.record(event({ sequence, operation, capability, resource, via }));
  }
  return recorder;
}

function read(...paths: readonly string[]): string[] {
  return paths.map((path) => `filesystem.read ${path}`);
}

function write(...paths: readonly string[]): string[] {
  return paths.map((path) => `filesystem.write ${path}`);
}

interface Learned {
  mounts: string[];
  notes: readonly string[];
}

/** Mounts that were learned, as `guest host access`. */
function learnMounts(
  mounts: readonly unknown[],
  operations: readonly string[],
  directories: readonly string[] = [],
): Learned {
  const { capabilities, notes } = learnPolicy(
    recorded(...operations),
    [{ type: "filesystem", mounts } as Capability],
    { isDirectory: (path) => directories.includes(path) },
  );
  const learned = capabilities[0] as { mounts?: Mount[] } | undefined;
  return {
    mounts: (learned?.mounts ?? []).map((mount) =>
      [mount.guest, "host" in mount ? mount.host : "memory", mount.access]
        .join(" ")
    ),
    notes,
  };
}

const DATA = { guest: "/data", host: "/srv/data", access: "read-write" };
const DIRECTORIES = [
  "/srv/data/in",
  "/srv/data/in/deep",
  "/srv/data/out",
  "/srv/data/out/tmp",
];

Deno.test("learnPolicy() places mounts at the deepest directories", async (t) => {
  const cases: Record<string, [operations: string[], mounts: string[]]> = {
    "nothing": [[], []],
    "a file": [read("/data/in/a"), ["/data/in /srv/data/in read"]],
    "a file that is written": [
      write("/data/out/a"),
      ["/data/out /srv/data/out read-write"],
    ],
    "a file at the root": [read("/data/a"), ["/data /srv/data read"]],
    "the root": [read("/data"), ["/data /srv/data read"]],
    "a directory that is listed": [
      read("/data/in"),
      ["/data/in /srv/data/in read"],
    ],
    "a directory that is made, with what is put into it": [
      write("/data/in", "/data/in/a"),
      ["/data /srv/data read-write"],
    ],
    "two directories": [
      [...read("/data/in/deep/a"), ...write("/data/out/a")],
      [
        "/data/in/deep /srv/data/in/deep read",
        "/data/out /srv/data/out read-write",
      ],
    ],
    "a directory within another": [
      read("/data/in/a", "/data/in/deep/a"),
      ["/data/in /srv/data/in read"],
    ],
    "one that needs more within another": [
      [...read("/data/a"), ...write("/data/out/tmp/a")],
      [
        "/data /srv/data read",
        "/data/out/tmp /srv/data/out/tmp read-write",
      ],
    ],
    "a directory that is looked at, and one within it": [
      [
        "filesystem.read /data path_filestat_get",
        ...write("/data/out/a"),
      ],
      ["/data /srv/data read", "/data/out /srv/data/out read-write"],
    ],
    "a directory that is opened, and one within it": [
      [...read("/data"), ...write("/data/out/a")],
      ["/data /srv/data read-write"],
    ],
    "one that needs less within another": [
      [...write("/data/out/a"), ...read("/data/out/tmp/a")],
      ["/data/out /srv/data/out read-write"],
    ],
    "what is not there": [
      read("/data/none/a/b", "/data/in/none/a"),
      ["/data /srv/data read"],
    ],
    "a name that the audit escaped": [
      read("/data/in/x\\u{a}y/deep"),
      ["/data/in /srv/data/in read"],
    ],
    "files that are renamed from one to the other": [
      [
        "filesystem.write /data/in/deep/a path_rename",
        "filesystem.write /data/in/b path_rename",
        ...read("/data/out/a"),
      ],
      [
        "/data/in /srv/data/in read-write",
        "/data/out /srv/data/out read",
      ],
    ],
    "links between distant directories": [
      [
        "filesystem.read /data/in/deep/a path_link",
        "filesystem.write /data/out/tmp/a path_link",
      ],
      ["/data /srv/data read-write"],
    ],
  };
  for (const [name, [operations, mounts]] of Object.entries(cases)) {
    await t.step(name, () => {
      const learned = learnMounts([DATA], operations, DIRECTORIES);
      assertEquals(learned.mounts, mounts);
    });
  }
});

Deno.test("learnPolicy() grants no more than the ceiling", () => {
  const readOnly = { ...DATA, access: "read" };
  const operations = read("/data/in/a");
  assertEquals(learnMounts([readOnly], operations, DIRECTORIES).mounts, [
    "/data/in /srv/data/in read",
  ]);
  const root = { ...DATA, guest: "/" };
  assertEquals(learnMounts([root], read("/in/a", "/out"), DIRECTORIES).mounts, [
    "/in /srv/data/in read",
    "/out /srv/data/out read",
  ]);
});

Deno.test("learnPolicy() keeps a mount that hides what is beneath it", () => {
  const cover = { guest: "/data/in", memory: true };
  const hidden = learnMounts([DATA, cover], read("/data/a"), DIRECTORIES);
  assertEquals(hidden.mounts, ["/data /srv/data read", "/data/in memory read"]);
  assertStringIncludes(hidden.notes.join(), "kept to hide");
  const apart = learnMounts([DATA, cover], read("/data/out/a"), DIRECTORIES);
  assertEquals(apart.mounts, ["/data/out /srv/data/out read"]);
  // what is below the inner mount is the inner mount's
  const inner = { guest: "/data/in", host: "/elsewhere" };
  const both = learnMounts(
    [DATA, inner],
    read("/data/a", "/data/in/x/y"),
    [...DIRECTORIES, "/elsewhere/x"],
  );
  assertEquals(both.mounts, [
    "/data /srv/data read",
    "/data/in /elsewhere read",
    "/data/in/x /elsewhere/x read",
  ]);
});

Deno.test("learnPolicy() keeps mounts whole where parts could not do", () => {
  const links = { ...DATA, symlinks: "within" };
  const whole = learnMounts([links], read("/data/in/a"), DIRECTORIES);
  assertEquals(whole.mounts, ["/data /srv/data read"]);
  assertStringIncludes(whole.notes.join(), "symbolic links");
  const memory = { guest: "/tmp", memory: true };
  assertEquals(learnMounts([memory], read("/tmp/a/b")).mounts, [
    "/tmp memory read-write",
  ]);
});

Deno.test("learnPolicy() splits no mounts, if it is told so", () => {
  const { capabilities } = learnPolicy(
    recorded(...read("/data/in/a"), ...write("/out/x/a")),
    [{
      type: "filesystem",
      mounts: [
        DATA,
        { guest: "/out", host: "/srv/out", access: "read-write" },
        { guest: "/unused", host: "/srv/unused" },
      ],
    } as Capability],
    { wholeMounts: true },
  );
  const learned = capabilities[0] as FilesystemCapability | undefined;
  assertEquals(
    learned?.mounts.map(({ guest, access }) => [guest, access]),
    [["/data", "read"], ["/out", "read-write"]],
  );
});

Deno.test("learnPolicy() makes few mounts of many directories", () => {
  const names = Array.from({ length: 500 }, (_, index) => `in/${index}`);
  const { mounts, notes } = learnMounts(
    [DATA],
    [
      ...names.flatMap((name) => read(`/data/${name}/x`)),
      ...write("/data/out/a", "/data/in/7/a"),
    ],
    [...DIRECTORIES, ...names.map((name) => `/srv/data/${name}`)],
  );
  assertEquals(mounts, [
    "/data/in /srv/data/in read-write",
    "/data/out /srv/data/out read-write",
  ]);
  assertStringIncludes(notes.join(), "more widely");
});

Deno.test("learnPolicy() looks at the host's directories, not through links", async () => {
  const host = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${host}/real/deep`, { recursive: true });
    await Deno.symlink(`${host}/real`, `${host}/link`);
    const { capabilities } = learnPolicy(
      recorded(
        ...read(
          "/d/real/deep/a",
          "/d/real/deep/none/a",
          "/d/link/deep/a",
          `/d/${"x".repeat(1000)}/a`,
        ),
      ),
      [{ type: "filesystem", mounts: [{ guest: "/d", host }] } as Capability],
    );
    const learned = capabilities[0] as FilesystemCapability | undefined;
    assertEquals(learned?.mounts.map(({ guest }) => guest), ["/d"]);
  } finally {
    await Deno.remove(host, { recursive: true });
  }
});

Deno.test("learnPolicy() narrows every other kind", () => {
  const ceiling = [
    {
      type: "environment",
      variables: { HOME: "/", LANG: "C" },
      pass: ["KEY", "PATH"],
    },
    { type: "clock", mode: "coarse" },
    { type: "random" },
    { type: "process", arguments: true, exit: true },
    { type: "stdio", stdin: true, stdout: true, stderr: true },
    {
      type: "host_functions",
      functions: ["a", "b"],
      maxCalls: { a: 1, b: 2 },
    },
    { type: "custom_access", resources: ["x", "y"], readOnly: false },
    {
      type: "network",
      hosts: [{ host: "a.example" }, { host: "b.example" }],
    },
  ] as Capability[];
  const { capabilities } = learnPolicy(
    recorded(
      "environment.read LANG",
      "environment.read KEY",
      "random.read",
      "process.exit",
      "stdio.stderr",
      "host_functions.call b",
      "custom_access.read y/z",
      "network.connect https://b.example:443 GET",
    ),
    ceiling,
  );
  const kinds = new CapabilityKinds();
  assertEquals(
    capabilities,
    [
      { type: "environment", variables: { LANG: "C" }, pass: ["KEY"] },
      { type: "random" },
      { type: "process", arguments: false, exit: true },
      { type: "stdio", stdin: false, stdout: false, stderr: true },
      { type: "host_functions", functions: ["b"], maxCalls: { b: 2 } },
      { type: "custom_access", resources: ["y"], readOnly: true },
      { type: "network", hosts: [{ host: "b.example" }] },
    ].map((each) => kinds.parse(each)),
  );
});

Deno.test("learnPolicy() keeps every variable of a list that was read", () => {
  const ceiling = [{ type: "environment", variables: { A: "1" }, pass: ["B"] }];
  const { capabilities, notes } = learnPolicy(
    recorded("environment.read", "environment.read A"),
    ceiling,
  );
  assertEquals(capabilities, ceiling as readonly Capability[]);
  assertStringIncludes(notes.join(), "All variables are kept");
});

Deno.test("learnPolicy() keeps capabilities of kinds that it does not know", () => {
  const kinds = new CapabilityKinds();
  kinds.register({
    type: "gpu",
    actions: ["draw"],
    schema: {},
    notProtected: [],
    parse: (input) => input as Capability,
    permits: () => true,
    denoPermissions: () => ({}),
    describe: () => [],
  });
  const { capabilities, notes } = learnPolicy(recorded(), [
    { type: "gpu" },
    { type: "random" },
  ], { kinds });
  assertEquals(capabilities, [{ type: "gpu" }]);
  assertEquals(notes, [
    '"gpu" is kept as it was: how to narrow it is not known.',
  ]);
});

Deno.test("learnPolicy() keeps what it cannot be sure of", () => {
  const ceiling = [{ type: "environment", variables: { A: "1" } }];
  const { capabilities, notes } = learnPolicy(
    recorded("environment.read Ä\\u{a}"),
    ceiling,
  );
  assertEquals(capabilities.length, 1);
  assertStringIncludes(notes.join(), "cannot be told");
});

Deno.test("learnPolicy() permits what was not seen, if it is told to", () => {
  const also = [{ capability: "process", action: "arguments", resource: "" }];
  const { capabilities } = learnPolicy(recorded(), [
    { type: "process", arguments: true, exit: true } as Capability,
  ], { also });
  assertEquals(capabilities, [
    { type: "process", arguments: true, exit: false } as Capability,
  ]);
});

Deno.test("learnPolicy() learns nothing of what was denied", () => {
  const recorder = recorded("random.read");
  recorder.record(event({
    sequence: 2,
    decision: "denied",
    operation: "stdio.stdin",
    capability: "stdio",
    resource: "",
  }));
  const { capabilities, notes } = learnPolicy(recorder, [
    { type: "random" },
    { type: "stdio" },
  ]);
  assertEquals(capabilities, [{ type: "random" }]);
  assertEquals(notes, ['Denied then, and so now: "stdio.stdin".']);
});

Deno.test("learnPolicy() refuses a record that is not complete", () => {
  const few = new AuditRecorder({ maxOperations: 10 });
  for (let i = 1; i <= 11; i++) {
    few.record(event({ sequence: i, resource: `/${i}` }));
  }
  const gap = [event({ sequence: 1 }), event({ sequence: 3 })];
  for (const source of [few, gap]) {
    const error = assertThrows(() => learnPolicy(source, []), SandboxError);
    assert(SandboxError.is(error, "invalid-argument"));
    assertStringIncludes(error.message, "Cannot learn a policy");
  }
});

Deno.test("AuditRecorder keeps each operation once", () => {
  const recorder = new AuditRecorder({ maxOperations: 3 });
  for (let i = 1; i <= 1000; i++) {
    recorder.record(event({ sequence: i, resource: `/${i % 3}` }));
  }
  assertEquals(recorder.problem, undefined);
  assertEquals(
    recorder.operations().map(({ resource, count }) => [resource, count]),
    [["/1", 334], ["/2", 333], ["/0", 333]],
  );
});
