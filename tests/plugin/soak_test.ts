import { assert, assertEquals } from "@std/assert";
import { soakReloads, SPARE_THREADS } from "./soak.ts";

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`40 reloads under 100 calls a second lose no call, ${isolation}`, async () => {
    const report = await soakReloads({
      reloads: 40,
      callsPerSecond: 100,
      pauseMs: 1,
      host: { defaults: { isolation }, debounceMs: 5 },
    });
    assertEquals(report.failure, undefined);
    assertEquals([report.failed, report.wrong], [0, 0]);
    assert(report.answered > 20, `${report.answered} calls`);
    assert(report.reloads >= 40 && report.rejected >= 8);
    assertEquals(report.processes, 0);
    assert(report.threads <= SPARE_THREADS, `${report.threads} threads more`);
    assert(report.files <= 4, `${report.files} files more`);
  });
}
