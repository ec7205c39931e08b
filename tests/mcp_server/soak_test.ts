import { assert } from "@std/assert";
import { isClean, soakCalls } from "./soak.ts";

Deno.test("good and bad calls by many sessions leave nothing behind", async () => {
  const report = await soakCalls(400);
  assert(isClean(report), JSON.stringify(report));
});
