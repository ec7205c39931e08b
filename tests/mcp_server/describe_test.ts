import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { call, HOSTILE, inMemory, serverOf, textOf } from "./_peers.ts";

/** What guests say of themselves, and why that is refused. */
const LIES: ReadonlyMap<string, string> = new Map([
  ["describe_shadow", "tools[0] is there already"],
  ["describe_twice", "tools[1] is there already"],
  ["describe_name", "tools[0] is no name"],
  ["describe_proto", "tools[0] is no name"],
  [
    "describe_missing",
    'tools[0].handler is "absent", which the module does not',
  ],
  ["describe_hidden", "tools[0].description holds U+202E, which nobody sees"],
  ["describe_escape", "tools[0].description holds U+001B, which nobody sees"],
  ["describe_tags", "tools[0].description holds U+E0041, which nobody sees"],
  ["describe_schema", 'does not compile: #/type is not "object"'],
  ["describe_keyword", "does not compile: #/required must be array"],
  ["describe_loop", "#/properties/a/$ref leads back to itself"],
  ["describe_remote", "#/$ref refers to elsewhere"],
  ["describe_pattern", "is none of those that run in linear time"],
  ["describe_uri", "resources[0] is no URI"],
  ["describe_template", "is no URI template"],
  ["describe_member", 'tools[0] has "policy", which is not known'],
  ["describe_list", "tools is no list"],
  ["describe_text", "what it gives is no object"],
  ["describe_flood", "what it gives has more than 256 entries"],
]);

for (const [describe, problem] of LIES) {
  Deno.test(`create() refuses what a guest says by ${describe}`, async () => {
    const error = await assertRejects(
      () =>
        serverOf({
          guests: {
            // what is refused here depends on no isolation
            liar: { module: HOSTILE, describe, isolation: "inline" },
          },
          tools: { mine: { guest: "liar", handler: "echo" } },
        }),
      SandboxError,
      problem,
    );
    assertEquals(error.code, "guest-protocol");
    assertStringIncludes(
      error.message,
      `Cannot use the guest "liar": what its export "${describe}" says is wrong`,
    );
  });
}

Deno.test("create() ends a guest that describes itself for ever", async () => {
  const error = await assertRejects(
    () =>
      serverOf({
        guests: {
          liar: {
            module: HOSTILE,
            describe: "describe_spin",
            limits: { timeoutMs: 100 },
          },
        },
      }),
    SandboxError,
  );
  assertEquals(error.code, "limit-exceeded");
});

Deno.test("create() can be cancelled", async () => {
  const reason = new Error("enough");
  await assertRejects(
    () => serverOfAborted(AbortSignal.abort(reason)),
    Error,
    "enough",
  );
  const controller = new AbortController();
  const created = serverOfAborted(controller.signal);
  setTimeout(() => controller.abort(reason), 200);
  await assertRejects(() => created, Error, "enough");
});

async function serverOfAborted(signal: AbortSignal): Promise<void> {
  const { McpServer } = await import("../../wrappers/mcp_server.ts");
  await McpServer.create({
    name: "test",
    version: "1",
    guests: {
      slow: {
        module: HOSTILE,
        describe: "describe_spin",
        limits: { timeoutMs: 30_000 },
      },
    },
  }, { signal });
}

Deno.test("an expression of a guest runs in linear time", async () => {
  await using server = await serverOf({
    guests: {
      slow: {
        module: HOSTILE,
        describe: "describe_slow",
        limits: { messageBytes: 2 ** 23 },
      },
    },
  });
  await using peer = await inMemory(server);
  const start = performance.now();
  // the platform's own engine does not come back from half as much
  const a = "aa".repeat(20_000);
  const result = await call(peer, "echo", { a });
  assertStringIncludes(textOf(result), "must match pattern");
  const large = await call(peer, "echo", { a: a.repeat(600) });
  assertStringIncludes(textOf(large), "too large to be checked");
  if (performance.now() - start > 5_000) throw new Error("it took too long");
});
