import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { prepareLaunch } from "../../runtime/process/launch.ts";
import { Machine } from "../../runtime/process/machine.ts";
import { ProcessPool } from "../../runtime/process/pool.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";
import type { Capability } from "../../security/types.ts";
import { wasmtimeTest } from "../_wasmtime.ts";
import {
  childrenOf,
  decisionOf,
  GRANTS,
  IMPORTS,
  numbers,
  open,
  runTour,
  services,
  text,
  tour,
} from "./_process.ts";
import { talker } from "./_talker.ts";
import { MACHINES, openOn, within } from "./_wasmtime.ts";

const ENCODER = new TextEncoder();

wasmtimeTest(
  "call() carries every number exactly, on wasmtime",
  async (library) => {
    for (const machine of MACHINES) {
      await within(library, await numbers(), {
        imports: IMPORTS,
        machine,
      }, async (instance, source) => {
        assertEquals(source.runtimeName, "wasmtime");
        assertEquals(await instance.call("add", [2 ** 31 - 1, 1]), -(2 ** 31));
        assertEquals(await instance.call("i64", [-(2n ** 63n)]), -(2n ** 63n));
        assertEquals(await instance.call("f64", [-0]), -0);
        assertEquals(await instance.call("f64", [NaN]), NaN);
        assertEquals(await instance.call("two", []), [1, -2n]);
        assertEquals(await instance.call("limit", []), 2n ** 63n - 1n);
        assertEquals(await instance.call("wide", [40n, 2]), 42n);
      });
    }
  },
);

wasmtimeTest(
  "host functions run in the host, asynchronous ones too, on wasmtime",
  async (library) => {
    const twice = async (value: number) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return 2 * value;
    };
    const imports = { host: { ...IMPORTS["host"], twice: twice as never } };
    await within(library, await numbers(), { imports }, async (instance) => {
      assertEquals(await instance.call("twice", [21]), 42);
    });
  },
);

wasmtimeTest(
  "services and streams cross to wasmtime's process",
  async (library) => {
    const given = {
      call: (_: string, input: Uint8Array<ArrayBuffer>) => input.toReversed(),
    };
    await within(library, await talker(), {
      services: services(given),
    }, async (instance) => {
      const reply = await instance.exchange("ask", ENCODER.encode("abc"));
      assertEquals(reply[0], 0);
      assertEquals(text(reply.subarray(4)), "cba");
    });
  },
);

wasmtimeTest(
  "execute() runs a command in memory, on wasmtime",
  async (library) => {
    await using source = await openOn(library, await tour(), {
      capabilities: GRANTS,
    });
    const stdin = crypto.getRandomValues(new Uint8Array(60_000));
    const { exitCode, stdout } = await runTour(source, ["echo"], { stdin });
    assertEquals(exitCode, 0);
    assertEquals(stdout, stdin);
    assertEquals((await runTour(source, ["exit", "42"])).exitCode, 42);
  },
);

for (const machine of MACHINES) {
  const namespace = await machine.namespace({ read: ["/tmp"], write: [] });
  const how = namespace === undefined ? "checked" : "namespace";
  wasmtimeTest(
    `host directories are all that wasmtime's guest reaches, ${how}`,
    async (library) => {
      const folder = await Deno.makeTempDir();
      try {
        await Deno.mkdir(`${folder}/in/deep`, { recursive: true });
        await Deno.mkdir(`${folder}/out`);
        await Deno.writeTextFile(`${folder}/in/a`, "given");
        await Deno.writeTextFile(`${folder}/secret`, "secret");
        await Deno.symlink("../secret", `${folder}/in/leak`);
        await Deno.symlink("/etc", `${folder}/in/etc`);
        const events: string[] = [];
        const mounts = [
          { guest: "/in", host: `${folder}/in` },
          {
            guest: "/out",
            host: `${folder}/out`,
            access: "read-write",
            symlinks: "within",
          },
        ];
        const files = { type: "filesystem", mounts } as unknown as Capability;
        await using source = await openOn(library, await tour(), {
          machine,
          capabilities: [...GRANTS, files],
          onEvent: (event) => events.push(decisionOf(event)),
        });
        assertEquals(source.isolationReport.filesystem, how);
        const run = (...args: string[]) => runTour(source, args);
        assertEquals(text((await run("cat", "/in/a")).stdout), "given");
        for (
          const path of [
            "/in/leak",
            "/in/../secret",
            "/in/deep/../../secret",
            "/in/etc/passwd",
            "/etc/passwd",
            "in/../../etc/passwd",
            `${folder}/secret`,
            "/in/a/",
            "/proc/self/maps",
            library,
            "/library",
          ]
        ) {
          const { exitCode, stdout } = await run("cat", path);
          assertEquals([exitCode, text(stdout)], [1, ""], path);
        }
        assertEquals((await run("put", "/in/b", "no")).exitCode, 1);
        assertEquals((await run("put", "/out/../in/b", "no")).exitCode, 1);
        assertEquals((await run("put", "/out/b", "yes")).exitCode, 0);
        assertEquals(await Deno.readTextFile(`${folder}/out/b`), "yes");
        assertEquals((await run("link", "b", "/out/l")).exitCode, 0);
        assertEquals(text((await run("cat", "/out/l")).stdout), "yes");
        assertEquals((await run("link", "../secret", "/out/m")).exitCode, 1);
        assertEquals((await run("link", "/etc/passwd", "/out/n")).exitCode, 1);
        assert(events.includes("denied filesystem.write /in/b"));
        assertEquals(
          (await Array.fromAsync(Deno.readDir(`${folder}/in`))).length,
          4,
        );
        assertEquals(
          (await Array.fromAsync(Deno.readDir(`${folder}/out`))).length,
          2,
        );
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

wasmtimeTest("a library that is gone is told, on wasmtime", async (library) => {
  const folder = await Deno.makeTempDir();
  try {
    const gone = `${folder}/libwasmtime.so`;
    const module = await numbers();
    const refused = () =>
      assertRejects(
        () => openOn(gone, module, { imports: IMPORTS }),
        SandboxError,
      );
    const unavailable = async (message: string) => {
      const error = await refused();
      assertStringIncludes(error.message, message);
      assert(SandboxError.is(error, "runtime-unavailable"), error.message);
      assertEquals(error.details.runtime, "wasmtime");
    };
    await unavailable("there is no library");
    await Deno.writeTextFile(gone, "no library at all");
    await unavailable("cannot be opened");
    await Deno.copyFile(library, gone);
    await Deno.truncate(gone, 100_000);
    // the system's loader reads beyond its end, and is ended by SIGBUS
    assertEquals((await refused()).code, "process-failed");
    assertEquals(childrenOf(Deno.pid), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

wasmtimeTest(
  "a pool keeps processes of both engines apart",
  async (library) => {
    await using pool = new ProcessPool({ spares: 1, maxProcesses: 4 });
    for (const name of ["v8", "wasmtime", "v8", "wasmtime"] as const) {
      const engine = name === "v8" ? { name } : { name, library };
      await using source = await open(await numbers(), {
        engine,
        pool,
        imports: IMPORTS,
      });
      await using instance = await source.instantiate({});
      assertEquals(source.runtimeName, name);
      assertEquals(await instance.call("add", [1, 2]), 3);
    }
  },
);

wasmtimeTest("two libraries have processes of their own", async (library) => {
  const keyOf = async (path: string, machine: Machine) => {
    const limits: ResourceLimits = {};
    const { key, args } = await prepareLaunch({
      limits: resolveLimits(limits),
      read: [],
      write: [],
      fileBytes: 0,
      engine: { name: "wasmtime", library: path },
    }, machine);
    assert(args.includes("--allow-ffi"));
    return key;
  };
  for (const machine of MACHINES) {
    const key = await keyOf(library, machine);
    assert(key !== await keyOf(`${library}.2`, machine));
    assertEquals(key, await keyOf(library, machine));
  }
});

wasmtimeTest(
  "native code in wasmtime's process sees no files and no network",
  async (library) => {
    const machine = new Machine();
    const launch = await prepareLaunch({
      limits: resolveLimits({}),
      read: [],
      write: [],
      fileBytes: 0,
      engine: { name: "wasmtime", library },
    }, machine);
    const { filesystem, noNetwork } = launch.report;
    if (filesystem !== "namespace" || !noNetwork) return;
    const program = `
    const path = ${JSON.stringify(launch.engine)}.library;
    const int = { result: "i32" };
    const { symbols } = Deno.dlopen(path, {
      open: { parameters: ["buffer", "i32"], ...int },
      socket: { parameters: ["i32", "i32", "i32"], ...int },
      connect: { parameters: ["i32", "buffer", "u32"], ...int },
      execl: { parameters: ["buffer", "buffer", "pointer"], ...int },
      mount: {
        parameters: ["buffer", "buffer", "buffer", "u64", "pointer"], ...int,
      },
    });
    const text = (each) => new TextEncoder().encode(each + "\\0");
    const opened = ["/etc/passwd", "/proc/self/maps", "/proc/1/environ",
      "/usr/bin/env", "/tmp", "/root", "/home", "/dev/null", "/bin/sh"]
      .filter((each) => symbols.open(text(each), 0) >= 0);
    const written = ["/library", "/deno", "/lib64/x", "/x/y"]
      .filter((each) => symbols.open(text(each), 1) >= 0);
    const address = Uint8Array.of(2, 0, ${PORT >> 8}, ${
      PORT & 255
    }, 127, 0, 0, 1,
      0, 0, 0, 0, 0, 0, 0, 0);
    const connected = symbols.connect(symbols.socket(2, 1, 0), address, 16) === 0;
    const mounted = symbols.mount(text("none"), text("/"), text("tmpfs"), 0n,
      null) === 0;
    console.log(JSON.stringify({ opened, written, connected, mounted }));`;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: PORT });
    try {
      const { stdout, stderr } = await new Deno.Command(launch.command, {
        args: [
          ...launch.args.slice(0, -1),
          `data:application/javascript,${encodeURIComponent(program)}`,
        ],
        clearEnv: true,
        env: { ...launch.env },
        cwd: "/",
      }).output();
      assertEquals(JSON.parse(text(stdout) || text(stderr)), {
        opened: [],
        written: [],
        connected: false,
        mounted: false,
      });
    } finally {
      listener.close();
    }
  },
);

/** Where the host listens, and no guest may connect to. */
const PORT = 47_813;

wasmtimeTest(
  "what is not protected is said of wasmtime's process",
  async (library) => {
    for (const machine of MACHINES) {
      await using source = await openOn(library, await numbers(), {
        imports: IMPORTS,
        machine,
        capabilities: [{
          type: "network",
          hosts: ["example.org"],
        } as unknown as Capability],
      });
      const gaps = source.unprotected.join("\n");
      assertStringIncludes(gaps, "--allow-ffi");
      const { filesystem } = source.isolationReport;
      assertEquals(gaps.includes("sees no files"), filesystem === "namespace");
      assert(!source.grants["network"]?.includes("may reach none"));
    }
  },
);
