import { assertEquals, assertStringIncludes } from "@std/assert";
import { LineLog } from "../../cli/line_log.ts";

Deno.test("LineLog ends though nobody reads it", async () => {
  const never = Promise.withResolvers<void>();
  const log = new LineLog({ stderr: () => never.promise });
  for (let line = 0; line < 5_000; line++) log.add(`line ${line}`);
  const start = performance.now();
  await log[Symbol.asyncDispose]();
  assertEquals(performance.now() - start < 10_000, true);
});

Deno.test("LineLog writes on after a write that failed, and says what it lost", async () => {
  const written: string[] = [];
  const gate = Promise.withResolvers<void>();
  let fails = true;
  const log = new LineLog({
    async stderr(text) {
      await gate.promise;
      if (fails) throw new Error("it is closed");
      written.push(text);
    },
  });
  for (let line = 0; line < 100; line++) log.add(`line ${line}`);
  gate.resolve();
  await log[Symbol.asyncDispose]();
  fails = false;
  log.add("later");
  await log[Symbol.asyncDispose]();
  assertStringIncludes(written.join(""), "later\n");
  assertStringIncludes(written.join(""), "99 lines were dropped\n");
});
