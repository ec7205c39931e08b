import { assert, assertEquals, assertRejects } from "@std/assert";
import { WasmerRuntime } from "../../runtime/wasmer/mod.ts";
import { childrenOf, until } from "../process/_process.ts";
import { create, failure, program } from "./_wasmer.ts";

const EXIT = await program("(call $proc_exit (i32.const 3))");
const LOOP = await program("(loop $more (br $more))");

Deno.test("25 runs on Wasmer leave no process and no memory", async () => {
  await using runtime = await WasmerRuntime.open();
  {
    await using sandbox = await create(EXIT, { runtime });
    const rss: number[] = [];
    for (let index = 0; index < 25; index++) {
      assertEquals((await sandbox.execute()).exitCode, 3);
      rss.push(Deno.memoryUsage().rss);
    }
    const [early = NaN, late = NaN] = [rss[10], rss[24]];
    assert(late - early < 64 * 2 ** 20, `${early} and then ${late}`);
  }
  await until(() => childrenOf(Deno.pid).length === 0);
});

Deno.test("an abort ends a program on Wasmer", async () => {
  await using sandbox = await create(LOOP);
  const reason = new Error("enough");
  const controller = new AbortController();
  const run = sandbox.execute([], { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 100);
  assertEquals(await assertRejects(() => run), reason);
  await until(() => childrenOf(Deno.pid).length === 0);
});

Deno.test("disposal ends a program on Wasmer", async () => {
  const sandbox = await create(LOOP);
  const run = failure("disposed", () => sandbox.execute());
  await new Promise((resolve) => setTimeout(resolve, 100));
  await sandbox[Symbol.asyncDispose]();
  await run;
  await until(() => childrenOf(Deno.pid).length === 0);
});

Deno.test("disposal of the runtime ends its programs", async () => {
  const runtime = await WasmerRuntime.open();
  await using sandbox = await create(LOOP, { runtime });
  const run = sandbox.execute().then(() => undefined, (error) => error);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await runtime[Symbol.asyncDispose]();
  assert(await run !== undefined);
  await until(() => childrenOf(Deno.pid).length === 0);
  await failure("disposed", () => create(LOOP, { runtime }));
});

Deno.test("disposal of the runtime ends what is being opened", async () => {
  const runtime = await WasmerRuntime.open();
  const opening = failure("disposed", () => create(LOOP, { runtime }));
  await until(() => childrenOf(Deno.pid).length > 0);
  await runtime[Symbol.asyncDispose]();
  assertEquals(childrenOf(Deno.pid), []);
  await opening;
});

Deno.test("disposal of the runtime ends what is being opened anew", async () => {
  const runtime = await WasmerRuntime.open();
  await using sandbox = await create(EXIT, { runtime });
  await sandbox.execute();
  await until(() => childrenOf(Deno.pid).length === 0);
  const running = failure("disposed", () => sandbox.execute());
  await until(() => childrenOf(Deno.pid).length > 0);
  await runtime[Symbol.asyncDispose]();
  assertEquals(childrenOf(Deno.pid), []);
  await running;
});
