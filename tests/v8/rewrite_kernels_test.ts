import { assert, assertEquals } from "@std/assert";
import { call } from "./_gate.ts";
import { type Count, fuelCounts } from "./_fuel_counts.ts";

const KERNELS = new URL("../../bench/kernels/", import.meta.url);

/** What `run(1)` returns, by kernel: computed without gate and rewriter. */
const CHECKSUMS: Readonly<Record<string, number>> = {
  "base64.wasm": 2060696223,
  "bignum.wasm": 13201810,
  "binary_trees.wasm": -368376469,
  "bytecode_vm.wasm": -1242976435,
  "collatz.wasm": -280761045,
  "crc32.wasm": -2008438466,
  "dijkstra.wasm": -786683201,
  "fib.wasm": 711056359,
  "game_of_life.wasm": -852630836,
  "hash_map.wasm": -861350165,
  "heapsort.wasm": -1257063356,
  "image_blur.wasm": -142353039,
  "json_tokenizer.wasm": -299360405,
  "levenshtein.wasm": 165699022,
  "lz77.wasm": 332629475,
  "mandelbrot.wasm": 584353769,
  "matmul.wasm": 1618419100,
  "nbody.wasm": 1126525797,
  "nqueens.wasm": 2097341342,
  "quicksort.wasm": -252131230,
  "recursion.wasm": 195152504,
  "regex_match.wasm": -1482416138,
  "sha256.wasm": -1737724059,
  "sieve.wasm": -291720678,
  "spectral_norm.wasm": -1904899098,
  "string_build.wasm": -303592569,
};

/** Counts in a process that compiles in one way only. */
async function countsWith(flag: string): Promise<Record<string, Count[]>> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-read",
      "--no-check",
      "--no-lock",
      "--no-config",
      `--v8-flags=${flag}`,
      new URL("_fuel_counts.ts", import.meta.url).pathname,
    ],
    stderr: "inherit",
  }).output();
  assertEquals(code, 0, flag);
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("instrument() keeps the results of the kernels", async () => {
  const counts = await fuelCounts();
  for (const [name, checksum] of Object.entries(CHECKSUMS)) {
    const bytes = await Deno.readFile(new URL(name, KERNELS));
    const { instance } = await WebAssembly.instantiate(bytes);
    assertEquals(call(instance.exports, "run", 1), checksum, `${name}, raw`);
    const results = Object.entries(counts)
      .filter(([key]) => key.includes(`/${name},`))
      .map(([, [count]]) => Number(count?.[0]));
    assertEquals(results, [checksum, checksum, checksum], name);
  }
});

Deno.test("instrument() counts the same fuel whichever tier compiles", async () => {
  const [baseline, optimized, both] = await Promise.all([
    countsWith("--liftoff-only"),
    countsWith("--no-liftoff"),
    fuelCounts(),
  ]);
  assertEquals(baseline, both);
  assertEquals(optimized, both);
  assert(Object.keys(both).length > 80);
  for (const [key, counts] of Object.entries(both)) {
    const fueled = key.includes("fuel");
    for (const [, fuel] of counts) assertEquals(Number(fuel) > 0, fueled, key);
  }
});
