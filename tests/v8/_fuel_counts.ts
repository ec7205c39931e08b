/**
 * Prints what each kernel and guest returns and burns, as JSON: an object by
 * file, of the results of its functions and the fuel they took.
 */

import { makeGuest, MODES } from "./_gate.ts";

const ROOT = new URL("../../", import.meta.url);
const TABLE_ELEMENTS = 100_000;

/** Functions of the guests that take numbers, with arguments. */
const GUESTS: Readonly<
  Record<string, readonly (readonly [string, ...(number | bigint)[]])[]>
> = {
  "examples/guests/assemblyscript/primes.wasm": [
    ["countPrimes", 100_000],
    ["fib", 90],
    ["wasm_sandbox_alloc", 1000],
  ],
  "examples/guests/c/text_stats.wasm": [
    ["add", 2, 3],
    ["mul64", 2n ** 40n, 3n],
    ["wasm_sandbox_alloc", 1000],
  ],
  "examples/guests/rust/slugify.wasm": [["wasm_sandbox_alloc", 1000]],
};

/** Result of a call, and the fuel it took. */
export type Count = readonly [result: string, fuel: string];

/** Runs all of them in each mode that counts fuel. */
export async function fuelCounts(): Promise<Record<string, Count[]>> {
  const counts: Record<string, Count[]> = {};
  const files = { ...GUESTS };
  for await (const { name } of Deno.readDir(new URL("bench/kernels", ROOT))) {
    if (name.endsWith(".wasm")) files[`bench/kernels/${name}`] = [["run", 1]];
  }
  for (const [file, calls] of Object.entries(files).sort()) {
    const bytes = await Deno.readFile(new URL(file, ROOT));
    for (const [name, mode] of Object.entries(MODES)) {
      const guest = makeGuest(bytes, {
        ...mode,
        tableElements: TABLE_ELEMENTS,
      });
      counts[`${file}, ${name}`] = calls.map((call) => {
        const before = guest.fuel;
        const result = guest.call(...call);
        return [String(result), String(before - guest.fuel)];
      });
    }
  }
  return counts;
}

// deno-lint-ignore no-console -- what the parent reads
if (import.meta.main) console.log(JSON.stringify(await fuelCounts()));
