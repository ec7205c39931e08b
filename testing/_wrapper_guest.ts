/** Guests of the suite for wrappers, assembled to what the wrapper calls. */

import {
  assemble,
  type Bytes,
  type Code,
  constant,
  region,
  SPIN,
  UNREACHABLE,
} from "./_assemble.ts";

/** A request that holds this never ends. */
export const ENDLESS = "~";
/** A request that holds this traps. */
export const TRAP = "!";

/** What a wrapper calls. */
export interface GuestShape {
  /** The export that answers requests; `_start` for a program. */
  readonly entry: string;
  /** What it answers, as JSON. */
  readonly reply: unknown;
  /** Other exports that answer, and what. */
  readonly others: Readonly<Record<string, unknown>>;
}

/** What is wrong with a guest. */
export interface GuestFaults {
  readonly start?: "spins" | "traps";
  /** Pages of its memory. */
  readonly pages?: number;
  /** Imports what nobody grants. */
  readonly asks?: boolean;
}

/** Where requests are put, where arguments are read, where replies lie. */
const REQUEST = 65_536;
const REPLIES = 1_024;
const PAGES = 20;
const ENCODER = new TextEncoder();

/**
 * Assembles a guest: its handler looks for {@linkcode ENDLESS} and
 * {@linkcode TRAP} in the request, and answers what it always answers.
 */
export function guestOf(
  { entry, reply, others }: GuestShape,
  { start, pages = PAGES, asks = false }: GuestFaults = {},
): Uint8Array<ArrayBuffer> {
  const isProgram = entry === "_start";
  const wasi = (name: string) => ({
    module: "wasi_snapshot_preview1",
    name,
    type: 4,
  });
  const imports = [
    ...(isProgram ? ["args_sizes_get", "args_get"].map(wasi) : []),
    ...(asks ? [{ module: "env", name: "nobody_grants_this", type: 0 }] : []),
  ];
  const data: number[] = [];
  const answer = (value: unknown): Bytes => {
    const text = ENCODER.encode(JSON.stringify(value ?? null));
    const at = REPLIES + data.length;
    data.push(...text);
    return region(at, text.length);
  };
  const scan = imports.length;
  const call = (index: number): Bytes => [0x10, index];
  const functions: Code[] = [
    { type: 3, locals: 2, code: SCAN },
    isProgram
      ? { type: 0, code: [...ARGUMENTS, ...call(scan)], name: entry }
      : {
        type: 2,
        code: [0x20, 0, 0x20, 1, ...call(scan), ...answer(reply)],
        name: entry,
      },
    ...(isProgram ? [] : MEMORY_FUNCTIONS),
    ...Object.entries(others).map(([each, value]): Code => ({
      type: 2,
      code: answer(value),
      name: each,
    })),
    ...(start === undefined
      ? []
      : [{ type: 0, code: start === "spins" ? SPIN : UNREACHABLE }]),
  ];
  return assemble({
    imports,
    functions,
    pages,
    data: { at: REPLIES, bytes: data },
    ...(start === undefined ? {} : { start: functions.length - 1 }),
  });
}

/** Looks at each byte from local 0 on, as many as local 1 says. */
const SCAN: Bytes = [
  ...[0x02, 0x40, 0x03, 0x40],
  // at the end?
  ...[0x20, 2, 0x20, 1, 0x4f, 0x0d, 1],
  ...[0x20, 0, 0x20, 2, 0x6a, 0x2d, 0, 0, 0x22, 3],
  ...[...constant(ENDLESS.charCodeAt(0)), 0x46, 0x04, 0x40, ...SPIN, 0x0b],
  ...[0x20, 3, ...constant(TRAP.charCodeAt(0)), 0x46],
  ...[0x04, 0x40, ...UNREACHABLE, 0x0b],
  ...[0x20, 2, ...constant(1), 0x6a, 0x21, 2],
  ...[0x0c, 0, 0x0b, 0x0b],
];

/** Has the arguments written, and gives where they are and how long. */
const ARGUMENTS: Bytes = [
  ...[...constant(0), ...constant(4), 0x10, 0, 0x1a],
  ...[...constant(8), ...constant(REQUEST), 0x10, 1, 0x1a],
  ...constant(REQUEST),
  ...[...constant(4), 0x28, 2, 0],
];

/** What messages need of a guest. */
const MEMORY_FUNCTIONS: readonly Code[] = [
  { type: 1, code: constant(REQUEST), name: "wasm_sandbox_alloc" },
  { type: 3, code: [], name: "wasm_sandbox_free" },
];
