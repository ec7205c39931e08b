import { assert, assertEquals, assertThrows } from "@std/assert";
import { assembleKernel } from "../../communication/extism/build_kernel.ts";
import { Kernel, splitMemory } from "../../communication/extism/kernel.ts";
import { SandboxError } from "../../errors.ts";

/** The functions of a kernel, as a plug-in calls them. */
type Functions = Record<string, (...args: unknown[]) => bigint>;

function make(pages = 1_000): Functions {
  return new Kernel(pages).exports as unknown as Functions;
}

Deno.test("kernel_bytes.ts is what kernel.wat assembles to", async () => {
  const url = new URL(
    "../../communication/extism/kernel_bytes.ts",
    import.meta.url,
  );
  const squeeze = (text: string) => text.replaceAll(/[\s"+]/g, "");
  assertEquals(
    squeeze(await Deno.readTextFile(url)),
    squeeze(await assembleKernel()),
  );
});

Deno.test("Kernel allocates, frees and reuses as the reference does", () => {
  const { alloc, free, length, reset } = make() as Record<
    "alloc" | "free" | "length" | "reset",
    (...args: unknown[]) => bigint
  >;
  assertEquals(alloc(0n), 0n);
  const first = alloc(65_535n);
  assertEquals(length(first), 65_535n);
  for (let i = 1n; i < 5n; i++) assertEquals(length(first + i), 0n);
  free(first);
  assertEquals(alloc(65_535n), first);
  free(first);
  assertEquals(alloc(65_511n), first);
  assertEquals(length(first), 65_511n);
  free(first);
  const one = alloc(1n);
  free(one);
  const two = alloc(2n);
  assert(two > 0n && two !== one);
  const large = alloc(6_553_600n);
  assertEquals(length(large), 6_553_600n);
  free(large);
  const later = alloc(66_560n);
  reset();
  assertEquals(alloc(66_560n), first);
  assertEquals(length(later), 0n);
});

Deno.test("Kernel reads zeros outside of its memory, and writes nothing", () => {
  const kernel = make(2);
  const { alloc, load_u64: load, store_u64: store } = kernel as Record<
    "alloc" | "load_u64" | "store_u64",
    (...args: unknown[]) => bigint
  >;
  const block = alloc(8n);
  store(block, 0x0706050403020100n);
  assertEquals(load(block), 0x0706050403020100n);
  for (const at of [0xffff_ffff_ffffn, -1n, -8n, 65_536n, 65_529n, 1n << 32n]) {
    store(at, -1n);
    assertEquals(load(at), 0n, `at ${at}`);
  }
  assertEquals(load(block), 0x0706050403020100n);
});

Deno.test("Kernel gives the input by bytes and by words, no further", () => {
  const kernel = new Kernel(10);
  kernel.begin(new Uint8Array(123_457).fill(97));
  const {
    input_length: length,
    input_load_u8: byte,
    input_load_u64: word,
  } = kernel.exports as unknown as Record<
    "input_length" | "input_load_u8" | "input_load_u64",
    (at?: bigint) => unknown
  >;
  assertEquals(length(), 123_457n);
  assertEquals(byte(123_456n), 97);
  assertEquals(byte(123_457n), 0);
  assertEquals(word(123_449n), 0x6161616161616161n);
  for (const at of [123_450n, 123_457n, -1n, -8n]) assertEquals(word(at), 0n);
});

Deno.test("Kernel never gives two blocks the same bytes", () => {
  // a generator of its own: a failure can be had again
  let seed = 42;
  const random = (below: number) => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0;
    return (seed >>> 8) % below;
  };
  const { alloc, free, length } = make(300) as Record<
    "alloc" | "free" | "length",
    (...args: unknown[]) => bigint
  >;
  const live = new Map<bigint, bigint>();
  for (let step = 0; step < 4_000; step++) {
    const handles = [...live.keys()];
    const any = handles[random(handles.length || 1)];
    if (any !== undefined && random(10) > 5) {
      free(any);
      free(any);
      live.delete(any);
      assertEquals(length(any), 0n);
      continue;
    }
    const size = BigInt(random(3) === 0 ? random(200_000) : random(300)) + 1n;
    const handle = alloc(size);
    if (handle === 0n) continue;
    for (const [other, end] of live) {
      assert(handle >= other + end || handle + size <= other);
    }
    live.set(handle, size);
  }
  for (const [handle, size] of live) assertEquals(length(handle), size);
});

Deno.test("Kernel refuses what is beyond its pages", () => {
  const kernel = new Kernel(2);
  const { alloc } = kernel.exports as unknown as Record<
    "alloc",
    (length: bigint) => bigint
  >;
  for (const length of [131_073n, 1n << 32n, -1n, (1n << 63n) - 1n]) {
    assertEquals(alloc(length), 0n);
  }
  assert(alloc(131_000n) > 0n);
  const error = assertThrows(
    () => kernel.store(new Uint8Array(1_000)),
    SandboxError,
  );
  assert(SandboxError.is(error, "limit-exceeded"));
  assert(kernel.memoryBytes <= 5 * 65_536);
});

Deno.test("Kernel takes no longer for the last block than for the first", () => {
  const { alloc, free, length } = make(3_000) as Record<
    "alloc" | "free" | "length",
    (...args: unknown[]) => bigint
  >;
  const handles = Array.from({ length: 100_000 }, () => alloc(1_000n));
  const start = performance.now();
  for (const handle of handles) length(handle);
  for (const handle of handles) free(handle);
  for (let i = 0; i < 100_000; i++) alloc(1_000n);
  // a walk over the blocks would take minutes
  assert(performance.now() - start < 2_000);
});

Deno.test("splitMemory() gives the whole to the plug-in and its kernel", () => {
  const { guestBytes, maxPages } = splitMemory(64 * 2 ** 20);
  assert(guestBytes >= 48 * 2 ** 20 && maxPages > 200);
  assertThrows(() => splitMemory(2 ** 20, 16), TypeError, "memoryBytes");
  assertThrows(() => splitMemory(2 ** 20, 0), TypeError, "pages");
});
