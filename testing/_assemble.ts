/** Puts modules together from bytes, without a toolchain. */

/** Bytes of a module. */
export type Bytes = readonly number[];

/** A function: its type, its locals of i32, its code. */
export interface Code {
  /** An index into {@linkcode TYPES}. */
  readonly type: number;
  readonly locals?: number;
  /** Its instructions, without the last `end`. */
  readonly code: Bytes;
  /** What it is exported as. */
  readonly name?: string;
}

/** A function that is imported. */
export interface Import {
  readonly module: string;
  readonly name: string;
  /** An index into {@linkcode TYPES}. */
  readonly type: number;
}

/** What a module is made of. */
export interface ModuleParts {
  readonly imports?: readonly Import[];
  readonly functions: readonly Code[];
  /** Pages of its memory, which is exported as `memory`. */
  readonly pages: number;
  /** Which of its functions runs when it is instantiated. */
  readonly start?: number;
  /** What its memory holds, and where. */
  readonly data: { readonly at: number; readonly bytes: Bytes };
}

const I32 = 0x7f;
const I64 = 0x7e;
const ENCODER = new TextEncoder();

/** Types of functions by number. */
export const TYPES: readonly Bytes[] = [
  [0x60, 0, 0],
  [0x60, 1, I32, 1, I32],
  [0x60, 2, I32, I32, 1, I64],
  [0x60, 2, I32, I32, 0],
  [0x60, 2, I32, I32, 1, I32],
];

/** A loop without end. */
export const SPIN: Bytes = [0x03, 0x40, 0x0c, 0, 0x0b];
/** A trap. */
export const UNREACHABLE: Bytes = [0x00];

/** Puts a module together; functions count on from the imports. */
export function assemble(
  { imports = [], functions, pages, start, data }: ModuleParts,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, TYPES),
    ...(imports.length === 0 ? [] : section(
      2,
      imports.map((each) => [
        ...name(each.module),
        ...name(each.name),
        0,
        each.type,
      ]),
    )),
    ...section(3, functions.map(({ type }) => [type])),
    ...section(5, [[0, ...unsigned(pages)]]),
    ...section(7, [
      [...name("memory"), 2, 0],
      ...functions.flatMap((each, index) =>
        each.name === undefined
          ? []
          : [[...name(each.name), 0, ...unsigned(imports.length + index)]]
      ),
    ]),
    ...(start === undefined
      ? []
      : [8, ...counted(unsigned(imports.length + start))]),
    ...section(10, functions.map(bodyOf)),
    ...section(11, [[0, ...constant(data.at), 0x0b, ...counted(data.bytes)]]),
  ]);
}

/** Puts an i32 on the stack. */
export function constant(value: number): Bytes {
  return [0x41, ...signed(BigInt(value))];
}

/** Puts an i64 on the stack: a region of the memory, as a reply gives it. */
export function region(at: number, length: number): Bytes {
  return [
    0x42,
    ...signed(BigInt.asIntN(64, BigInt(at) << 32n | BigInt(length))),
  ];
}

function bodyOf({ locals = 0, code }: Code): Bytes {
  const declared = locals === 0 ? [0] : [1, locals, I32];
  return counted([...declared, ...code, 0x0b]);
}

/** LEB128 with a sign. */
function signed(value: bigint): Bytes {
  const out: number[] = [];
  for (let rest = value;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    const isLast = low & 64 ? rest === -1n : rest === 0n;
    out.push(isLast ? low : low | 128);
    if (isLast) return out;
  }
}

/** LEB128 without a sign. */
function unsigned(value: number): Bytes {
  const out: number[] = [];
  for (let rest = BigInt(value);;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest === 0n ? low : low | 128);
    if (rest === 0n) return out;
  }
}

function counted(bytes: Bytes): Bytes {
  return [...unsigned(bytes.length), ...bytes];
}

function name(text: string): Bytes {
  return counted([...ENCODER.encode(text)]);
}

function section(id: number, items: readonly Bytes[]): Bytes {
  return [id, ...counted([...unsigned(items.length), ...items.flat()])];
}
