import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../mod.ts";
import { failure, ISOLATIONS, LIES, open } from "./_plugins.ts";

for (const isolation of ISOLATIONS) {
  Deno.test(`a plug-in gets nothing by handles that are none, ${isolation}`, async () => {
    await using lies = await open(LIES, { isolation });
    for (const name of ["outside", "free_twice", "no_error"]) {
      // 0: nothing came of it
      await lies.call(name, "input").catch((error) => {
        // an invalid value of a variable fails the call, and nothing more
        if (!/invalid handle/.test(error.message)) throw error;
      });
    }
    assertEquals(await lies.call("long_output"), null);
    assertEquals(
      (await lies.call("freed_output"))?.getBigUint64(0, true),
      42n,
    );
    const error = await failure(lies.call("odd_error"), "guest-error");
    // no control character gets through, and what is no text is replaced
    assert(/^[\x20-\x7e\ufffd]*$/.test(error.details.problem));
  });

  Deno.test(`a plug-in has no more memory than its pages, ${isolation}`, async () => {
    await using lies = await open(LIES, {
      isolation,
      memory: { maxPages: 64 },
    });
    await lies.call("alloc_flood");
    const { used = 0 } = lies.sandbox.usage().limits.memoryBytes ?? {};
    assert(used < 6 * 2 ** 20, `${used} bytes`);
    const start = performance.now();
    await lies.call("churn");
    assert(performance.now() - start < 2_000);
  });

  Deno.test(`a plug-in cannot fill its host with variables, ${isolation}`, async () => {
    await using lies = await open(LIES, {
      isolation,
      memory: { maxVarBytes: 2 ** 30 },
    });
    const error = await failure(lies.call("var_flood"), "guest-error");
    assert(error.message.includes("Variable store is full"));
  });

  Deno.test(`a plug-in's requests without a grant reach nobody, ${isolation}`, async () => {
    await using listener = Object.assign(
      Deno.listen({ hostname: "127.0.0.1", port: 0 }),
      {
        [Symbol.asyncDispose]: () => Promise.resolve(listener.close()),
      },
    );
    let connections = 0;
    (async () => {
      for await (const connection of listener) {
        connections++;
        connection.close();
      }
    })();
    const { port } = listener.addr as Deno.NetAddr;
    const url = JSON.stringify({ url: `http://127.0.0.1:${port}/` });
    await using lies = await open(LIES, { isolation });
    const denied = await failure(lies.call("request", url), "access-denied");
    assertEquals(denied.details.capability, "network");
    const odd = ["", "no json", "[]", '{"url":1}', '{"url":"x","method":1}'];
    for (const input of odd) {
      await failure(lies.call("request", input), "host-function-failed");
    }
    assertEquals(connections, 0);
  });

  Deno.test(`a plug-in reads no more than its configuration, ${isolation}`, async () => {
    await using lies = await open(LIES, {
      isolation,
      config: { key: "value" },
    });
    assertEquals((await lies.call("read_config", "key"))?.text(), "value");
    for (const name of ["__proto__", "constructor", "toString", "", "ke"]) {
      assertEquals((await lies.call("read_config", name))?.byteLength, 0);
    }
  });
}

Deno.test("a plug-in that floods the log leaves its host's memory alone", async () => {
  await using lies = await open(LIES, { timeoutMs: 1_500 });
  await lies.call("read_config", "");
  const before = Deno.memoryUsage().rss;
  // it is paced, so that its deadline comes before its end
  const error = await assertRejects(() => lies.call("log_flood"));
  assert(SandboxError.is(error, "limit-exceeded"), String(error));
  assert(Deno.memoryUsage().rss - before < 64 * 2 ** 20);
});
