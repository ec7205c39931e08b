import { assert } from "@std/assert";
import { isWell, poolSoak } from "./soak.ts";

for (
  const [isolation, calls] of [["inline", 5_000], ["process", 500]] as const
) {
  Deno.test(`GuestPool.use() answers good calls among bad ones, ${isolation}`, async () => {
    const report = await poolSoak(isolation, calls, 16);
    assert(isWell(report), Deno.inspect(report));
    assert(report.answered > calls / 2, Deno.inspect(report));
  });
}
