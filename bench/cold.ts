/**
 * How long it takes from a module's bytes to the first result.
 *
 * @module
 */

import { type HostImports, Sandbox } from "../mod.ts";
import { measureFirstUse } from "./first_use.ts";
import {
  type Benchmark,
  interleave,
  print,
  type RunOptions,
  type Side,
  summarize,
  type Summary,
  table,
  unique,
} from "./measure.ts";
import { readPackaged, SQLITE } from "./packages.ts";

/** A guest, and a call that does next to nothing. */
interface Guest {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly imports: HostImports;
  readonly call: string;
  readonly args: readonly number[];
}

const KERNEL = new URL("./kernels/fib.wasm", import.meta.url);
const GUESTS = new URL("../examples/guests/", import.meta.url);

/** Measures first results. */
export const cold: Benchmark = {
  name: "cold",
  about:
    "From bytes to the first result of a trivial call, in milliseconds:\n" +
    "Sandbox.create, call and dispose against WebAssembly.instantiate and call.\n" +
    "Cold: bytes that were never seen. Warm: bytes whose code is still cached,\n" +
    "by the engine for raw, by the runtime for ours.",
  async run(options) {
    const rows: Record<string, readonly Summary[]> = {};
    for (const guest of await guests()) {
      rows[guest.name] = await measure(guest, options);
    }
    print(table(
      [
        "module",
        "raw cold",
        "ours cold",
        "half within",
        "raw warm",
        "ours warm",
        "half within",
      ],
      Object.entries(rows).map(([name, all]) => [
        name,
        ...all.flatMap(({ median, low, high }, index) => [
          median.toFixed(3),
          ...(index % 2 === 0 ? [] : [`${low.toFixed(2)}–${high.toFixed(2)}`]),
        ]),
      ]),
    ));
    return { rows, firstUse: await measureFirstUse(KERNEL, options) };
  },
};

async function guests(): Promise<readonly Guest[]> {
  const read = async (
    name: string,
    url: URL,
    call: string,
    args: number[],
  ) => ({
    name,
    bytes: await Deno.readFile(url),
    imports: {},
    call,
    args,
  });
  const all: Guest[] = [
    await read("fib, 0.3 KB", KERNEL, "run", [0]),
    await read(
      "text_stats, 8 KB",
      new URL("c/text_stats.wasm", GUESTS),
      "add",
      [1, 2],
    ),
    await read(
      "slugify, 61 KB",
      new URL("rust/slugify.wasm", GUESTS),
      "wasm_sandbox_alloc",
      [16],
    ),
  ];
  try {
    const [bytes = new Uint8Array()] = await readPackaged([SQLITE]);
    const imports = stubs(new WebAssembly.Module(bytes));
    // "P" runs the constructors, as the package's own script does first
    all.push({ name: "SQLite, 688 KB", bytes, imports, call: "P", args: [] });
  } catch (error) {
    print(
      `SQLite skipped: ${error instanceof Error ? error.message : error}\n`,
    );
  }
  return all;
}

/** Functions for all imports, which give 0. */
function stubs(module: WebAssembly.Module): HostImports {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => 0;
  }
  return imports;
}

async function measure(
  guest: Guest,
  { quick }: RunOptions,
): Promise<readonly Summary[]> {
  const raw = (bytes: () => Uint8Array<ArrayBuffer>): Side => ({
    name: "raw",
    run: () => useRaw(guest, bytes()),
  });
  const ours = (bytes: () => Uint8Array<ArrayBuffer>): Side => ({
    name: "ours",
    run: () => useSandbox(guest, bytes()),
  });
  // the engine forgets code that nobody holds
  const held = new WebAssembly.Module(guest.bytes);
  const fresh = () => unique(guest.bytes);
  const same = () => guest.bytes;
  const times = await interleave(
    [raw(fresh), ours(fresh), raw(same), ours(same)],
    { rounds: quick ? 10 : 60, warmup: 5 },
  );
  // Module.exports keeps `held` in use until here
  return WebAssembly.Module.exports(held).length < 0
    ? []
    : times.map(summarize);
}

async function useRaw(
  { imports, call, args }: Guest,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { instance } = await WebAssembly.instantiate(
    bytes,
    imports as WebAssembly.Imports,
  );
  (instance.exports[call] as (...args: readonly number[]) => unknown)(...args);
}

async function useSandbox(
  { imports, call, args }: Guest,
  module: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await using sandbox = await Sandbox.create({ module, imports });
  sandbox.callSync(call, args);
}
