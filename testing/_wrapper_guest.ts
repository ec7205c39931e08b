/** Guests of the suite for wrappers, assembled to what the wrapper calls. */

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

const I32 = 0x7f;
const I64 = 0x7e;
/** Where requests are put, where arguments are read, where replies lie. */
const REQUEST = 65_536;
const REPLIES = 1_024;
const PAGES = 20;
const ENCODER = new TextEncoder();

type Bytes = readonly number[];

/** Types by number. */
const TYPES: readonly Bytes[] = [
  [0x60, 0, 0],
  [0x60, 1, I32, 1, I32],
  [0x60, 2, I32, I32, 1, I64],
  [0x60, 2, I32, I32, 0],
  [0x60, 2, I32, I32, 1, I32],
];

/** A function: its type, its locals of i32, its code. */
interface Code {
  readonly type: number;
  readonly locals?: number;
  readonly code: Bytes;
  /** What it is exported as. */
  readonly name?: string;
}

/**
 * Assembles a guest: its handler looks for {@linkcode ENDLESS} and
 * {@linkcode TRAP} in the request, and answers what it always answers.
 */
export function guestOf(
  { entry, reply, others }: GuestShape,
  { start, pages = PAGES, asks = false }: GuestFaults = {},
): Uint8Array<ArrayBuffer> {
  const isProgram = entry === "_start";
  const imports = [
    ...(isProgram ? ["args_sizes_get", "args_get"] : []).map((
      each,
    ) => [...name("wasi_snapshot_preview1"), ...name(each), 0, 4]),
    ...(asks ? [[...name("env"), ...name("nobody_grants_this"), 0, 0]] : []),
  ];
  const data: number[] = [];
  const answer = (value: unknown): Bytes => {
    const text = ENCODER.encode(JSON.stringify(value ?? null));
    const at = BigInt(REPLIES + data.length);
    data.push(...text);
    return [0x42, ...signed(at << 32n | BigInt(text.length))];
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
  const last = imports.length + functions.length - 1;
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, TYPES),
    ...(imports.length === 0 ? [] : section(2, imports)),
    ...section(3, functions.map(({ type }) => [type])),
    ...section(5, [[0, ...signed(BigInt(pages), false)]]),
    ...section(7, [
      [...name("memory"), 2, 0],
      ...functions.flatMap((each, index) =>
        each.name === undefined
          ? []
          : [[...name(each.name), 0, imports.length + index]]
      ),
    ]),
    ...(start === undefined ? [] : [8, 1, last]),
    ...section(10, functions.map(bodyOf)),
    ...section(11, [[0, ...constant(REPLIES), 0x0b, ...counted(data)]]),
  ]);
}

const SPIN: Bytes = [0x03, 0x40, 0x0c, 0, 0x0b];
const UNREACHABLE: Bytes = [0x00];

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

const MEMORY_FUNCTIONS: readonly Code[] = [
  { type: 1, code: constant(REQUEST), name: "wasm_sandbox_alloc" },
  { type: 3, code: [], name: "wasm_sandbox_free" },
];

function bodyOf({ locals = 0, code }: Code): Bytes {
  const declared = locals === 0 ? [0] : [1, locals, I32];
  return counted([...declared, ...code, 0x0b]);
}

function constant(value: number): Bytes {
  return [0x41, ...signed(BigInt(value))];
}

/** LEB128; without a sign it has no bit for it. */
function signed(value: bigint, hasSign = true): Bytes {
  const out: number[] = [];
  for (let rest = value;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    const isLast = rest === 0n && (!hasSign || (low & 64) === 0);
    out.push(isLast ? low : low | 128);
    if (isLast) return out;
  }
}

function counted(bytes: Bytes): Bytes {
  return [...signed(BigInt(bytes.length), false), ...bytes];
}

function name(text: string): Bytes {
  return counted([...ENCODER.encode(text)]);
}

function section(id: number, items: readonly Bytes[]): Bytes {
  const count = signed(BigInt(items.length), false);
  return [id, ...counted([...count, ...items.flat()])];
}
