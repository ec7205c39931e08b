import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { sha256 } from "../../wrappers/sha256.ts";
import { PluginHost } from "../../wrappers/plugin.ts";
import { threads } from "../cycles.ts";
import { collectGarbage } from "../garbage.ts";
import { childrenOf } from "../process/_process.ts";
import { counter, Folder, guest, open, REPLY, until } from "./_plugins.ts";

Deno.test("a module that is swapped after it was read is never compiled", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host } = await open({
    plugins: {
      sum: {
        module: folder.at("sum.wasm"),
        sha256: await sha256(await counter(1)),
        maxInstances: 3,
      },
    },
    defaults: { isolation: "process" },
  });
  await using _ = host;
  // guests that are made later, and those that are made anew
  await Deno.writeFile(folder.at("sum.wasm"), await counter(2));
  const calls = [1, 2, 3].map(() => host.call("sum", "work", 1));
  assertEquals(await Promise.all(calls), [1, 1, 1]);
  await assertRejects(() => host.call("sum", "crash", null), SandboxError);
  assertEquals(await host.call("sum", "work", 1), 1);
  await assertRejects(() => host.reload("sum"), SandboxError, "is pinned");
  assertEquals(await host.call("sum", "work", 1), 1);
});

Deno.test("links, pipes, directories and odd names are no plugins", async () => {
  await using folder = await Folder.make();
  await using elsewhere = await Folder.make();
  await elsewhere.put("secret.wasm", await counter(1));
  await Deno.symlink(elsewhere.at("secret.wasm"), folder.at("link.wasm"));
  await Deno.symlink(elsewhere.path, folder.at("tree.wasm"));
  await Deno.symlink("/dev/zero", folder.at("zero.wasm"));
  await Deno.mkdir(folder.at("directory.wasm"));
  await new Deno.Command("mkfifo", { args: [folder.at("pipe.wasm")] }).output();
  for (
    const name of [
      "__proto__",
      "a\u0007b",
      "a\nb",
      "..",
      "",
      "x".repeat(65),
      "é",
    ]
  ) {
    await folder.put(`${name}.wasm`, await counter(1));
  }
  await folder.put("constructor.wasm", await counter(1));
  const { host, events } = await open({ directory: folder.path });
  await using _ = host;
  assertEquals(host.list().map(({ name }) => name), ["constructor"]);
  assertEquals(await host.call("constructor", "add", 1), 1);
  const ignored = events.filter(({ type }) => type === "ignored");
  assertEquals(ignored.length, 12);
  // deno-lint-ignore no-control-regex -- that is the point
  for (const { plugin } of ignored) assert(!/[\u0000-\u001f]/.test(plugin));
  for (const name of ["link", "pipe", "directory", "zero", "tree"]) {
    await assertRejects(() => host.load(name), SandboxError, "it is");
  }
  for (const name of ["__proto__", "toString", "hasOwnProperty"]) {
    await assertRejects(() => host.call(name, "add"), SandboxError);
  }
});

Deno.test("a file that becomes a link is refused, and a link of a directory leads nowhere else", async () => {
  await using folder = await Folder.make();
  await using elsewhere = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await elsewhere.put("sum.wasm", await counter(2));
  const link = `${folder.path}-link`;
  await Deno.symlink(folder.path, link);
  try {
    const { host } = await open({ directory: link });
    await using _ = host;
    await Deno.remove(link);
    await Deno.symlink(elsewhere.path, link);
    assertEquals((await host.reload("sum")).version, "1.0.0");
    await Deno.remove(folder.at("sum.wasm"));
    await Deno.symlink(elsewhere.at("sum.wasm"), folder.at("sum.wasm"));
    await assertRejects(
      () => host.reload("sum"),
      SandboxError,
      "symbolic link",
    );
    assertEquals(await host.call("sum", "work", 1), 1);
  } finally {
    await Deno.remove(link);
  }
});

Deno.test("a file that is swapped for a link while it is read is never followed", async () => {
  await using folder = await Folder.make();
  await using elsewhere = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await elsewhere.put("secret.wasm", await counter(2));
  const { host, events } = await open({ directory: folder.path });
  await using _ = host;
  let isOver = false;
  const swapper = (async () => {
    for (let count = 0; !isOver; count++) {
      const link = folder.at(".link");
      await Deno.symlink(elsewhere.at("secret.wasm"), link);
      await Deno.rename(link, folder.at("sum.wasm"));
      await folder.put("sum.wasm", await counter(1));
      // sometimes there is time to read it, and sometimes just not
      await new Promise((resolve) => setTimeout(resolve, count % 12));
    }
  })();
  const end = performance.now() + 1_500;
  while (performance.now() < end) {
    await host.reload("sum").catch(() => {});
    assertEquals(host.get("sum")?.version, "1.0.0");
  }
  isOver = true;
  await swapper;
  const types = new Set(events.map(({ type }) => type));
  assert(types.has("reloaded") && types.has("rejected"), [...types].join());
});

Deno.test("a pipe that takes the place of a file keeps nobody waiting", async () => {
  await using folder = await Folder.make();
  const [module, pipe] = [folder.at("good"), folder.at("pipe")];
  await folder.put("good", await counter(1));
  await folder.put("sum.wasm", await counter(1));
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  for (const file of [module, pipe]) await Deno.utime(file, 1, 1);
  const { host } = await open({ directory: folder.path, debounceMs: 1 });
  let isOver = false;
  const swapper = (async () => {
    for (let count = 0; !isOver; count++) {
      await Deno.link(count % 2 === 0 ? pipe : module, folder.at("next"));
      await Deno.rename(folder.at("next"), folder.at("sum.wasm"));
    }
  })();
  const end = performance.now() + 1_500;
  while (performance.now() < end) {
    const reload = host.reload("sum").then(() => true, () => true);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), 10_000);
    });
    assert(await Promise.race([reload, late]), "somebody waits");
    clearTimeout(timer);
  }
  isOver = true;
  await swapper;
  await host[Symbol.asyncDispose]();
});

Deno.test("long files that are no modules are not kept", async () => {
  await using folder = await Folder.make();
  for (let count = 0; count < 24; count++) {
    const path = folder.at(`long${count}.wasm`);
    // one that is no module at all, and one that begins like one
    const start = count % 4 === 0 ? "not wasm" : "\0asm\x01\0\0\0";
    await Deno.writeTextFile(path, start);
    await Deno.truncate(path, 8 * 2 ** 20);
    await Deno.utime(path, 1, 1);
  }
  const { host } = await open({ directory: folder.path });
  await using _ = host;
  assert(host.list().every(({ state }) => state === "failed"));
  collectGarbage();
  const external = Deno.memoryUsage().external / 2 ** 20;
  assert(external < 64, `${Math.round(external)} MiB are kept`);
});

Deno.test("files that go on changing hold up the others but once", async () => {
  await using folder = await Folder.make();
  const names = Array.from({ length: 16 }, (_, each) => `busy${each}.wasm`);
  for (const name of names) await folder.put(name, await counter(1));
  await folder.put("good.wasm", await counter(1));
  const writer = setInterval(() => {
    const now = new Date();
    for (const name of names) Deno.utimeSync(folder.at(name), now, now);
  }, 20);
  const start = performance.now();
  const { host } = await open({
    directory: folder.path,
    debounceMs: 100,
    settleTimeoutMs: 600,
  });
  const took = performance.now() - start;
  clearInterval(writer);
  await using _ = host;
  assertEquals(host.get("good")?.state, "serving");
  assertEquals(host.get("busy0")?.state, "failed");
  assert(took < 6_000, `it took ${took} ms`);
});

Deno.test("policy files that are none refuse the plugin, and nothing else", async () => {
  await using folder = await Folder.make();
  await folder.put("good.wasm", await counter(1));
  const bad: Record<string, string> = {
    broken: "version: [",
    unknown: "version: 1\ncapabilities: [{ type: everything }]\n",
    huge: `version: 1\n# ${"x".repeat(300_000)}\n`,
    empty: "",
    tagged: "version: 1\nlimits: !!js/function 'x'\n",
  };
  for (const [name, policy] of Object.entries(bad)) {
    await folder.put(`${name}.wasm`, await counter(1));
    await folder.put(`${name}.yaml`, policy);
  }
  await folder.put("linked.wasm", await counter(1));
  await Deno.symlink("/etc/passwd", folder.at("linked.yaml"));
  const { host } = await open({ directory: folder.path });
  await using _ = host;
  for (const { name, state } of host.list()) {
    assertEquals(state, name === "good" ? "serving" : "failed", name);
  }
  const error = await assertRejects(
    () => host.call("linked", "add", 1),
    SandboxError,
  );
  assert(!JSON.stringify(error).includes("root:"));
});

Deno.test("of a thousand files no more than maxPlugins are loaded, and those that are named count", async () => {
  await using folder = await Folder.make();
  const module = await counter(1);
  for (let i = 0; i < 1_000; i++) {
    await Deno.writeFile(
      folder.at(`p${String(i).padStart(4, "0")}.wasm`),
      module,
    );
  }
  const { host, events } = await open({
    directory: folder.path,
    plugins: { mine: { module } },
    maxPlugins: 10,
  });
  await using _ = host;
  assertEquals(host.list().length, 10);
  assertEquals(host.get("mine")?.state, "serving");
  assertEquals(host.get("p0008")?.state, "serving");
  assertEquals(events.filter(({ type }) => type === "ignored").length, 991);
  const error = await assertRejects(
    () => host.load("more", { module }),
    SandboxError,
  );
  assertEquals(error.code, "overloaded");
});

Deno.test("a bomb, a loop and a liar leave the others serving, and nothing behind", async () => {
  const before = childrenOf(Deno.pid).length;
  const grow =
    `(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 64)) (i32.const 0)))) unreachable`;
  const { host } = await open({
    plugins: {
      good: { module: await counter(1) },
      bad: {
        module: await guest({
          bomb: grow,
          spin: REPLY.spin,
          lie: "(i64.const 0x7fffffff7fffffff)",
        }),
      },
    },
    defaults: {
      isolation: "process",
      limits: { timeoutMs: 300, memoryBytes: 32 * 2 ** 20 },
    },
    supervision: { quarantineAfter: 1_000, maxBackoffMs: 1 },
  });
  const rss = Deno.memoryUsage().rss;
  let isOver = false;
  let answers = 0;
  const caller = (async () => {
    while (!isOver) {
      await host.call("good", "work", 100);
      answers++;
    }
  })();
  for (let i = 0; i < 5; i++) {
    for (const name of ["bomb", "spin", "lie"]) {
      await assertRejects(() => host.call("bad", name, null), SandboxError);
    }
  }
  isOver = true;
  await caller;
  assert(answers > 50, `${answers} answers`);
  assertEquals(host.get("good")?.failures, 0);
  await host[Symbol.asyncDispose]();
  await until(
    () => childrenOf(Deno.pid).length <= before,
    "the end of children",
  );
  const grown = Deno.memoryUsage().rss - rss;
  assert(grown < 100 * 2 ** 20, `${grown} bytes more`);
});

Deno.test("a plugin that hogs its guests takes nothing from the others", async () => {
  const { host } = await open({
    plugins: {
      good: { module: await counter(1) },
      greedy: { module: await guest({ spin: REPLY.spin }), maxInstances: 2 },
    },
    defaults: { isolation: "process", limits: { timeoutMs: 400 } },
    maxConcurrentCalls: 4,
    maxWaitingCalls: 5,
    supervision: { quarantineAfter: 1_000, backoffMs: 1, maxBackoffMs: 1 },
  });
  await using _ = host;
  const spins = Array.from(
    { length: 20 },
    () => assertRejects(() => host.call("greedy", "spin", null), SandboxError),
  );
  for (let i = 0; i < 20; i++) {
    assertEquals(await host.call("good", "work", 1), 1);
  }
  const codes = (await Promise.all(spins)).map(({ code }) => code);
  assert(codes.includes("overloaded"));
});

Deno.test("a hundred lives of a host leave no process, thread or file", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const files = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const life = async () => {
    await using host = await PluginHost.create({
      directory: folder.path,
      debounceMs: 1,
    });
    host.watch();
    await host.call("sum", "add", 1);
    await host.reload("sum");
  };
  for (let i = 0; i < 20; i++) await life();
  const before = { files: files(), threads: threads() };
  for (let i = 0; i < 100; i++) await life();
  // a watcher's thread ends a moment later
  await until(() => threads() <= before.threads + 2, "the end of threads");
  await until(() => files() <= before.files + 3, "the end of files");
});

Deno.test("a process that is killed from outside is made anew", async () => {
  const { host } = await open({
    plugins: { sum: { module: await counter(1) } },
    defaults: { isolation: "process" },
  });
  await using _ = host;
  assertEquals(await host.call("sum", "add", 1), 1);
  for (const pid of childrenOf(Deno.pid)) Deno.kill(pid, "SIGKILL");
  await host.call("sum", "add", 1).catch(() => {});
  assertEquals(await host.call("sum", "add", 1), 1);
});
