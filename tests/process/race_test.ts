import { assert, assertEquals } from "@std/assert";
import { raceInProcess } from "./race.ts";

Deno.test("a guest in a process stays inside while directories are swapped for links", async () => {
  const { swaps, counts } = await raceInProcess(2);
  assert(swaps > 1000, `only ${swaps} swaps`);
  for (const name of ["read", "write", "list", "stat", "createWritten"]) {
    assertEquals(counts[name]?.outside, 0, name);
  }
});
