/**
 * Mutation of modules: whatever a module has become, gate and rewriter must
 * refuse it with their own error or make a valid module out of it, and soon.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { FEATURES, type ModuleFeatures } from "../../runtime/v8/features.ts";
import { instrument } from "../../runtime/v8/gate.ts";
import type { Instrumentation } from "../../runtime/v8/layout.ts";
import { leb } from "../wasm.ts";
import { Random } from "./_random.ts";
import { featureModules } from "./_seeds.ts";

/** No mutant may keep gate, rewriter and engine busy for longer. */
const LONGEST_MS = 2000;
/** Seeds up to this size are picked most of the time. */
const SMALL_BYTES = 2048;
/** One mutant out of so many comes from a seed that is not small. */
const LARGE_EVERY = 100;
/** Longest range that is inserted, deleted or moved. */
const LONGEST_RANGE = 64;

const FOLDERS = [
  "../../bench/kernels/",
  "../../examples/guests/assemblyscript/",
  "../../examples/guests/c/",
  "../../examples/guests/rust/",
];

/** Modules to begin with. */
export interface Seeds {
  readonly small: readonly Uint8Array[];
  readonly large: readonly Uint8Array[];
}

/** Reads the kernels and guests, and assembles a module for each feature. */
export async function readSeeds(): Promise<Seeds> {
  const modules: Uint8Array[] = await featureModules();
  for (const folder of FOLDERS) {
    const url = new URL(folder, import.meta.url);
    const entries = await Array.fromAsync(Deno.readDir(url));
    const names = entries.map(({ name }) => name)
      .filter((name) => name.endsWith(".wasm"));
    for (const name of names.sort()) {
      modules.push(await Deno.readFile(new URL(name, url)));
    }
  }
  const isSmall = ({ length }: Uint8Array) => length <= SMALL_BYTES;
  return {
    small: modules.filter(isSmall),
    large: modules.filter((module) => !isSmall(module)),
  };
}

type Mutation = (bytes: number[], random: Random, other: Uint8Array) => void;

function place(bytes: readonly number[], random: Random): number {
  return random.below(bytes.length + 1);
}

/** Values that mean something: ends, blocks, prefixes, types, bounds. */
// deno-fmt-ignore -- a table
const TELLING = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12,
  0x18, 0x19, 0x1a, 0x1f, 0x20, 0x40, 0x41, 0x4e, 0x50, 0x5e, 0x5f, 0x60, 0x63,
  0x64, 0x69, 0x6e, 0x6f, 0x70, 0x7b, 0x7f, 0x80, 0xd0, 0xfb, 0xfc, 0xfd, 0xfe,
  0xff,
];

const NUMBERS = [0, 1, 127, 128, 10_000, 65_536, 2 ** 20, 2 ** 31, 2 ** 32 - 1];

/** Start and end of each section, as far as they can be told. */
function sections(bytes: readonly number[]): [start: number, end: number][] {
  const found: [number, number][] = [];
  let at = 8;
  while (at < bytes.length) {
    const start = at++;
    let size = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
    if (at > bytes.length) break;
    found.push([start, at]);
  }
  return found;
}

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ 1 << random.below(8);
  },
  function setByte(bytes, random) {
    bytes[random.below(bytes.length)] = random.below(256);
  },
  function setTellingByte(bytes, random) {
    bytes[random.below(bytes.length)] = random.pick(TELLING);
  },
  function insertByte(bytes, random) {
    bytes.splice(place(bytes, random), 0, random.pick(TELLING));
  },
  function deleteRange(bytes, random) {
    const length = 1 + random.below(random.pick([1, 4, LONGEST_RANGE]));
    bytes.splice(place(bytes, random), length);
  },
  function duplicateRange(bytes, random) {
    const start = place(bytes, random);
    const range = bytes.slice(start, start + 1 + random.below(LONGEST_RANGE));
    bytes.splice(place(bytes, random), 0, ...range);
  },
  function setNumber(bytes, random) {
    const at = place(bytes, random);
    let length = 1;
    while ((bytes[at + length - 1] ?? 0) > 0x7f) length++;
    const number = leb(random.pick(NUMBERS), 1 + random.below(6));
    bytes.splice(at, length, ...number);
  },
  function padNumber(bytes, random) {
    const at = place(bytes, random);
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) bytes.splice(at, 1, ...leb(byte, 2 + random.below(5)));
  },
  function swapSections(bytes, random) {
    const found = sections(bytes);
    if (found.length < 2) return;
    const index = random.below(found.length - 1);
    const [start, middle] = found[index] ?? [0, 0];
    const [, end] = found[index + 1] ?? [0, 0];
    const swapped = [
      ...bytes.slice(middle, end),
      ...bytes.slice(start, middle),
    ];
    swapped.forEach((byte, offset) => bytes[start + offset] = byte);
  },
  function dropSection(bytes, random) {
    const found = sections(bytes);
    if (found.length === 0) return;
    const [start, end] = random.pick(found);
    bytes.splice(start, end - start);
  },
  function splice(bytes, random, other) {
    const start = random.below(other.length);
    const length = 1 + random.below(LONGEST_RANGE);
    const part = other.subarray(start, start + length);
    const replaced = random.pick([0, part.length]);
    bytes.splice(place(bytes, random), replaced, ...part);
  },
  function takeSection(bytes, random, other) {
    const theirs = sections([...other]);
    const mine = sections(bytes);
    if (theirs.length === 0 || mine.length === 0) return;
    const [from, to] = random.pick(theirs);
    const same = mine.find(([start]) => bytes[start] === other[from]);
    const [start, end] = same ?? random.pick(mine.map(([at]) => [at, at]));
    bytes.splice(
      start ?? 0,
      (end ?? 0) - (start ?? 0),
      ...other.subarray(from, to),
    );
  },
];

/** Makes the sizes of all sections true again, if they were told apart. */
function mendSizes(bytes: number[], before: [number, number][]): void {
  const [last] = before.slice(-1);
  if (last === undefined) return;
  const grown = bytes.length - last[1];
  // one mutation has changed one section: try each
  for (const [start] of before) {
    const found = sections(bytes);
    if (found.at(-1)?.[1] === bytes.length) return;
    const byte = bytes[start + 1] ?? 0;
    const next = bytes[start + 2] ?? 0;
    const [size, length] = byte < 0x80
      ? [byte, 1]
      : [(byte & 0x7f) + (next & 0x7f) * 128, 2];
    const mended = leb(Math.max(0, size + grown), length);
    const old = bytes.splice(start + 1, length, ...mended);
    if (sections(bytes).at(-1)?.[1] === bytes.length) return;
    bytes.splice(start + 1, mended.length, ...old);
  }
}

/** The mutant of a number: always the same. */
export function mutantOf(
  seeds: Seeds,
  number: number,
): Uint8Array<ArrayBuffer> {
  const random = new Random(number);
  const pool = random.below(LARGE_EVERY) === 0 ? seeds.large : seeds.small;
  const bytes = [...random.pick(pool)];
  const rounds = random.pick([1, 1, 1, 2, 4, 16]);
  for (let round = 0; round < rounds; round++) {
    const before = sections(bytes);
    random.pick(MUTATIONS)(bytes, random, random.pick(seeds.small));
    if (bytes.length === 0) bytes.push(0);
    if (random.below(2) === 0) mendSizes(bytes, before);
  }
  return Uint8Array.from(bytes);
}

/** How gate and rewriter are to treat a mutant. */
export function settingsOf(
  number: number,
): { mode: Instrumentation; features: ModuleFeatures } {
  const random = new Random(number ^ 0x5bd1e995);
  const except = random.below(4) === 0 ? random.pick(FEATURES) : undefined;
  return {
    mode: {
      deadline: random.below(2) === 0,
      fuel: random.below(2) === 0,
      tableElements: random.pick([10, 1000, 100_000]),
    },
    features: Object.fromEntries(
      FEATURES.map((feature) => [feature, feature !== except]),
    ),
  };
}

/** A mutant that was treated in another way than it must be. */
export class MutantError extends Error {
  /** Name of the class. */
  override readonly name = "MutantError";
}

/**
 * Tries one mutant.
 *
 * @param seeds Modules to begin with.
 * @param number Which mutant.
 * @returns Whether it was accepted.
 * @throws {MutantError} If it was neither refused nor made valid, or took long.
 */
export function tryMutant(seeds: Seeds, number: number): boolean {
  const bytes = mutantOf(seeds, number);
  const { mode, features } = settingsOf(number);
  const start = performance.now();
  let code: Uint8Array<ArrayBuffer> | undefined;
  try {
    ({ code } = instrument(bytes, mode, { features }));
  } catch (cause) {
    if (!SandboxError.is(cause)) {
      throw new MutantError(`Mutant ${number} gave ${cause}`, { cause });
    }
  }
  if (code !== undefined && !WebAssembly.validate(code)) {
    throw new MutantError(`Mutant ${number} was accepted and made invalid`);
  }
  if (performance.now() - start > LONGEST_MS) {
    throw new MutantError(`Mutant ${number} took more than ${LONGEST_MS} ms`);
  }
  return code !== undefined;
}
