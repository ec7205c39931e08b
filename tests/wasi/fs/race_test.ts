import { assert, assertEquals } from "@std/assert";
import { race } from "./race.ts";

/** Longest bursts of what is known to be left, for so short a race. */
const RARE = 5;

for (const inline of [false, true]) {
  const where = inline ? "with all permissions" : "with scoped permissions";
  Deno.test(`HostTree holds while directories are swapped, ${where}`, async () => {
    const { swaps, counts } = await race(2, { inline });
    assert(swaps > 1000, `only ${swaps} swaps`);
    for (const name of ["read", "write", "list", "stat", "createWritten"]) {
      assertEquals(counts[name]?.outside, 0, name);
    }
    // what names a path has a window of microseconds, as the module says
    for (const [name, { tried, outside }] of Object.entries(counts)) {
      assert(outside <= RARE, `${name}: ${outside} of ${tried}`);
    }
  });
}
