import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type CallContext, createPlugin } from "../../wrappers/extism/mod.ts";
import {
  failure,
  GREET,
  ISOLATIONS,
  open,
  plugin,
  PROBE,
  SHOUT,
} from "./_plugins.ts";

for (const isolation of ISOLATIONS) {
  Deno.test(`ExtismPlugin.call() passes bytes, text and numbers, ${isolation}`, async () => {
    await using probe = await open(PROBE, { isolation });
    assertEquals(probe.sandbox.isolation, isolation);
    const vowels = await probe.call("vowels", "Ein Elefant");
    assertEquals(vowels?.getBigUint64(0, true), 5n);
    assertEquals((await probe.call("echo", 12.5))?.text(), "12.5");
    const part = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    const echo = await probe.call("echo", part);
    assertEquals(echo?.bytes(), Uint8Array.of(1, 2, 3));
    assertEquals(echo?.buffer.byteLength, 3);
    const large = new Uint8Array(2_000_000).map((_, index) => index * 7);
    const back = await probe.call("echo", large);
    assertEquals(back?.byteLength, large.length);
    assertEquals(back?.getUint8(1_999_999), large[1_999_999]);
  });

  Deno.test(`ExtismPlugin.call() tells no output from an empty one, ${isolation}`, async () => {
    await using probe = await open(PROBE, { isolation });
    assertEquals(await probe.call("silent"), null);
    assertEquals((await probe.call("nothing"))?.byteLength, 0);
    assertEquals((await probe.call("echo", "x"))?.text(), "x");
    assertEquals(await probe.call("silent"), null);
  });

  Deno.test(`ExtismPlugin.call() throws what a plug-in complains of, ${isolation}`, async () => {
    await using probe = await open(PROBE, { isolation });
    const error = await failure(
      probe.call("complain", "out of cheese\u001b[31m"),
      "guest-error",
    );
    assertEquals(error.details, {
      export: "complain",
      problem: "out of cheese\\u{1b}[31m",
    });
    assertStringIncludes(error.message, "Plugin-originated error: out of");
    // it lives on, with what it knows
    assertEquals((await probe.call("count"))?.getUint8(0), 1);
    await failure(probe.call("complain", "again"), "guest-error");
    assertEquals((await probe.call("count"))?.getUint8(0), 2);
    // a trap ends it, and the next call begins anew
    const panic = await failure(probe.call("panic"), "guest-error");
    assertEquals(panic.details.problem, "panicked");
    assertEquals((await probe.call("count"))?.getUint8(0), 1);
  });

  Deno.test(`createPlugin() gives a PDK's plug-in its host, ${isolation}`, async () => {
    await using greet = await open(GREET, {
      isolation,
      functions: SHOUT,
      config: { greeting: "Moin" },
    });
    assertEquals((await greet.call("greet", "Ada"))?.text(), "Moin, Ada!");
    assertEquals((await greet.call("remember", "one"))?.text(), "nothing");
    assertEquals((await greet.call("remember", "two"))?.text(), "one");
    assertEquals((await greet.call("loud", "quiet"))?.text(), "QUIET");
    const error = await failure(greet.call("complain", "hm"), "guest-error");
    assertStringIncludes(error.message, "non-zero exit code: 7");
    assert(await greet.reset());
    assertEquals((await greet.call("remember", "three"))?.text(), "nothing");
  });

  Deno.test(`CallContext shows a function of the host its plug-in, ${isolation}`, async () => {
    const seen: unknown[] = [];
    const shout = async (context: CallContext, handle: bigint) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push(
        context.hostContext(),
        context.config["greeting"],
        context.read(handle)?.text(),
        context.length(handle),
        context.read(handle + 1n),
        context.getVariable("last")?.text(),
      );
      context.setVariable("last", "from the host");
      return context.store("done");
    };
    await using greet = await open(GREET, {
      isolation,
      functions: { "extism:host/user": { shout } },
      config: { greeting: "Hi" },
    });
    await greet.call("remember", "first");
    const mine = { who: "me" };
    assertEquals((await greet.call("loud", "abc", mine))?.text(), "done");
    assertEquals(seen, [mine, "Hi", "abc", 3n, null, "first"]);
    assert(seen[0] === mine);
    assertEquals(
      (await greet.call("remember", "x"))?.text(),
      "from the host",
    );
  });

  Deno.test(`ExtismPlugin.call() throws what a function of the host throws, ${isolation}`, async () => {
    const mine = new RangeError("mine");
    const throwing = {
      "extism:host/user": {
        shout(context: CallContext, handle: bigint) {
          if (context.read(handle)?.text() === "set") context.setError("set");
          throw mine;
        },
      },
    };
    await using greet = await open(GREET, { isolation, functions: throwing });
    assert(await greet.call("loud", "x").catch((error) => error) === mine);
    assert(await greet.call("loud", "x").catch((error) => error) === mine);
    // unless it has set what the caller is to be told
    const error = await failure(greet.call("loud", "set"), "guest-error");
    assertEquals(error.details.problem, "set");
    assertEquals((await greet.call("greet", "you"))?.text(), "Hello, you!");
  });

  Deno.test(`ExtismPlugin.call() keeps its deadline and revives, ${isolation}`, async () => {
    const never = {
      "extism:host/user": {
        shout: async () => await new Promise<bigint>(() => {}),
      },
    };
    await using greet = await open(GREET, {
      isolation,
      functions: never,
      timeoutMs: 200,
    });
    const start = performance.now();
    const error = await failure(greet.call("loud", "x"), "limit-exceeded");
    assertEquals(error.details.limit, "timeoutMs");
    assert(performance.now() - start < 3_000);
    assertEquals((await greet.call("greet", "you"))?.text(), "Hello, you!");
  });

  Deno.test(`ExtismPlugin.call() refuses to be called by itself, ${isolation}`, async () => {
    const functions = {
      "extism:host/user": {
        shout: async (context: CallContext) => {
          assert(greet.isActive());
          assertEquals(await greet.reset(), false);
          await greet.call("greet", "inner");
          return context.store("never");
        },
      },
    };
    await using greet = await open(GREET, { isolation, functions });
    const error = await failure(greet.call("loud", "x"), "instance-busy");
    assertStringIncludes(error.message, "plugin is not reentrant");
    assertEquals(greet.isActive(), false);
    assertEquals((await greet.call("greet", "you"))?.text(), "Hello, you!");
  });

  Deno.test(`createPlugin() gives the log to a logger, ${isolation}`, async () => {
    const lines: string[] = [];
    const logger = {
      warn: (line: string) => lines.push(`warn ${line}`),
      error: (line: string) => lines.push(`error ${line}`),
    };
    const options = { isolation, logger, functions: SHOUT } as const;
    await using greet = await open(GREET, options);
    await failure(greet.call("complain", "odd\nline"), "guest-error");
    assertEquals(lines, ["warn odd\\u{a}line"]);
    await using quiet = await open(GREET, { ...options, logLevel: "error" });
    await failure(quiet.call("complain", "unheard"), "guest-error");
    assertEquals(lines.length, 1);
  });
}

Deno.test("ExtismPlugin.call() gives each call the same fuel", async () => {
  await using probe = await open(PROBE, { fuelLimit: 20_000 });
  for (let round = 0; round < 5; round++) {
    await probe.call("vowels", "a".repeat(100));
    const long = probe.call("vowels", "a".repeat(100_000));
    assertEquals((await failure(long, "limit-exceeded")).details.limit, "fuel");
  }
});

Deno.test("ExtismPlugin.call() can be cancelled in a process", async () => {
  await using probe = await open(PROBE, { isolation: "process" });
  const reason = new Error("enough");
  const controller = new AbortController();
  const call = probe.call("vowels", "a".repeat(9_000_000), undefined, {
    signal: controller.signal,
  });
  controller.abort(reason);
  await assertRejects(() => call, Error, "enough");
  assertEquals((await probe.call("vowels", "a"))?.getUint8(0), 1);
});

Deno.test("ExtismPlugin says what it has", async () => {
  const probe = await open(PROBE);
  assert(await probe.functionExists("vowels"));
  assert(!await probe.functionExists("memory"));
  assert(!await probe.functionExists("toString"));
  const names = (await probe.getImports()).map(({ module }) => module);
  assertEquals(new Set(names), new Set(["extism:host/env"]));
  const memory = (await probe.getExports()).find(({ kind }) =>
    kind === "memory"
  );
  assertEquals(memory?.name, "memory");
  const missing = await failure(probe.call("vowel"), "export-not-found");
  assertStringIncludes(missing.message, 'function "vowel" does not exist');
  assertEquals(missing.details.suggestion, "vowels");
  await probe.close();
  await probe.close();
  await failure(probe.call("vowels"), "disposed");
});

Deno.test("createPlugin() refuses an input that has no room", async () => {
  await using probe = await open(PROBE, { memory: { maxPages: 2 } });
  const error = await failure(
    probe.call("echo", new Uint8Array(140_000)),
    "limit-exceeded",
  );
  assertStringIncludes(error.message, "oom");
  assertEquals((await probe.call("echo", "small"))?.text(), "small");
});

Deno.test("createPlugin() refuses what nobody grants", async () => {
  const error = await failure(
    createPlugin(plugin(GREET)),
    "import-not-granted",
  );
  assertEquals(error.details.missing, [
    { module: "extism:host/user", name: "shout", kind: "function" },
  ]);
  assertStringIncludes(error.message, "nor linked manifest items");
});

Deno.test("createPlugin() takes functions under a policy that names them", async () => {
  const { Capabilities, SecurityPolicy } = await import("../../mod.ts");
  const policy = SecurityPolicy.strict().allowCapability(
    Capabilities.hostFunctions(["extism:host/user.other"]),
  );
  await using greet = await open(GREET, { functions: SHOUT, policy });
  await assertRejects(() => greet.call("loud", "x"));
  assertEquals((await greet.call("greet", "you"))?.text(), "Hello, you!");
});
