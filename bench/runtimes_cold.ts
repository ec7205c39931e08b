/**
 * From a module's bytes to its first result, on each engine.
 *
 * @module
 */

import type { HostImports, Runtime } from "../runtime/types.ts";
import { print, type RunOptions, unique } from "./measure.ts";
import { readPackaged, SQLITE } from "./packages.ts";
import type { WasmtimePeer } from "./runtimes_peer.ts";
import { storeCode } from "./runtimes_stored.ts";
import {
  compare,
  type Engines,
  type Findings,
  SAME_CONFIG,
  SIDES,
  timedAsync,
  type TimedSide,
} from "./runtimes_sides.ts";

/** A guest, and a call that does next to nothing. */
interface Guest {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly imports: HostImports;
  readonly call: string;
  readonly args: readonly number[];
}

/** What was found of one guest. */
export interface ColdFigures {
  /** Bytes that were never seen. */
  readonly unseen: Findings;
  /** Bytes that were compiled before, by the same runtime. */
  readonly compiled: Findings;
  /** Bytes that a runtime in another process has compiled before. */
  readonly stored?: Findings;
}

const SLUGIFY = new URL(
  "../examples/guests/rust/slugify.wasm",
  import.meta.url,
);

/** Measures first results. */
export async function measureCold(
  engines: Engines,
  { quick }: RunOptions,
): Promise<Readonly<Record<string, ColdFigures>>> {
  const figures: Record<string, ColdFigures> = {};
  for (const guest of await guests()) {
    await engines.peer?.load({
      guest: guest.name,
      module: guest.bytes,
      config: SAME_CONFIG,
    });
    figures[guest.name] = await measure(guest, engines, quick ? 5 : 25);
  }
  return figures;
}

const WARMUP = 2;

async function measure(
  guest: Guest,
  engines: Engines,
  rounds: number,
): Promise<ColdFigures> {
  const shared = {
    base: SIDES.peer,
    unit: "ms",
    rounds,
    warmup: WARMUP,
  } as const;
  const unseen = await compare({
    ...shared,
    title: `${guest.name}, unseen`,
    sides: unseenSides(guest, engines),
  });
  const compiled = await compare({
    ...shared,
    title: `${guest.name}, seen before`,
    sides: compiledSides(guest, engines),
  });
  const { peer, wasmtime } = engines;
  if (wasmtime === undefined) return { unseen, compiled };
  const { libraryPath } = wasmtime;
  await using stored = await storeCode(
    guest.bytes,
    libraryPath,
    rounds + WARMUP,
  );
  return {
    unseen,
    compiled,
    stored: await compare({
      ...shared,
      title: `${guest.name}, from disk`,
      sides: [
        ...peerSide(guest, peer, "deserialize"),
        ours(SIDES.wasmtime, guest, stored.runtime, () => stored.next()),
      ],
    }),
  };
}

async function guests(): Promise<readonly Guest[]> {
  const slugify: Guest = {
    name: "slugify, 61 KB",
    bytes: await Deno.readFile(SLUGIFY),
    imports: {},
    call: "wasm_sandbox_alloc",
    args: [16],
  };
  try {
    const [bytes = new Uint8Array()] = await readPackaged([SQLITE]);
    const imports = stubs(new WebAssembly.Module(bytes));
    return [
      slugify,
      // "P" runs the constructors, as the package's own script does first
      { name: "SQLite, 688 KB", bytes, imports, call: "P", args: [] },
    ];
  } catch (error) {
    print(`SQLite skipped: ${error instanceof Error ? error.message : error}`);
    return [slugify];
  }
}

/** Functions for all imports, which give 0. */
function stubs(module: WebAssembly.Module): HostImports {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => 0;
  }
  return imports;
}

function unseenSides(
  guest: Guest,
  { v8, wasmtime, peer }: Engines,
): readonly TimedSide[] {
  const fresh = () => unique(guest.bytes);
  return [
    ...peerSide(guest, peer, "compile"),
    ...(wasmtime === undefined
      ? []
      : [ours(SIDES.wasmtime, guest, wasmtime, fresh)]),
    ours(SIDES.v8, guest, v8, fresh),
    raw(guest, fresh),
  ];
}

function compiledSides(
  guest: Guest,
  { v8, wasmtime, peer }: Engines,
): readonly TimedSide[] {
  const same = () => guest.bytes;
  return [
    ...peerSide(guest, peer, "deserialize"),
    ...(wasmtime === undefined
      ? []
      : [ours(SIDES.wasmtime, guest, wasmtime, same)]),
    ours(SIDES.v8, guest, v8, same),
    raw(guest, same),
  ];
}

function peerSide(
  { name, call, args }: Guest,
  peer: WasmtimePeer | undefined,
  from: "compile" | "deserialize",
): readonly TimedSide[] {
  if (peer === undefined) return [];
  const first = { guest: name, name: call, args };
  return [{ name: SIDES.peer, run: () => peer.first(first, from) }];
}

function ours(
  name: string,
  { imports, call, args }: Guest,
  runtime: Runtime,
  next: () => Uint8Array<ArrayBuffer>,
): TimedSide {
  return {
    name,
    run() {
      const bytes = next();
      return timedAsync(async () => {
        const module = await runtime.compile(bytes);
        await using instance = await runtime.instantiate(module, { imports });
        instance.callSync(call, args);
      });
    },
  };
}

function raw(
  { imports, call, args }: Guest,
  next: () => Uint8Array<ArrayBuffer>,
): TimedSide {
  return {
    name: SIDES.raw,
    run() {
      const bytes = next();
      return timedAsync(async () => {
        const { instance } = await WebAssembly.instantiate(
          bytes,
          imports as WebAssembly.Imports,
        );
        const { [call]: first } = instance.exports;
        (first as (...args: readonly number[]) => unknown)(...args);
      });
    },
  };
}
