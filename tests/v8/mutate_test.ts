import { assert, assertEquals } from "@std/assert";
import { instrument } from "../../runtime/v8/gate.ts";
import { ALL_FEATURES, BOTH } from "./_gate.ts";
import { featureModules } from "./_seeds.ts";
import { mutantOf, readSeeds, settingsOf, tryMutant } from "./mutate.ts";

const MUTANTS = 20_000;

Deno.test("instrument() accepts the modules that mutants are made of", async () => {
  for (const module of await featureModules()) {
    const copy = new Uint8Array(module);
    const { code } = instrument(copy, BOTH, { features: ALL_FEATURES });
    assert(WebAssembly.validate(code));
  }
});

Deno.test("instrument() refuses a mutant or makes it valid", async () => {
  const seeds = await readSeeds();
  let accepted = 0;
  for (let number = 0; number < MUTANTS; number++) {
    if (tryMutant(seeds, number)) accepted++;
  }
  // mutants that are all refused would test the reader only
  assert(accepted > MUTANTS / 20, `${accepted} accepted`);
  assert(accepted < MUTANTS / 2, `${accepted} accepted`);
});

Deno.test("mutantOf() gives the same mutant for the same number", async () => {
  const seeds = await readSeeds();
  for (const number of [0, 1, 12_345, 2 ** 31]) {
    assertEquals(mutantOf(seeds, number), mutantOf(seeds, number));
    assertEquals(settingsOf(number), settingsOf(number));
  }
});
