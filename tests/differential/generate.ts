/**
 * Random modules: valid, and the same for the same seed. Each counts what a
 * call of it does and returns when that was too much, so that all of them end,
 * but for those that recurse without end on purpose.
 *
 * @module
 */

import type { Random } from "../v8/_random.ts";
import { body, build, type Bytes, leb, name, vec } from "../wasm.ts";
import { constant, sleb, valueOf, zero } from "./_constants.ts";
import { type NumberType, type Type, TYPE_BYTES } from "./_operators.ts";
import {
  CHECKPOINT,
  type HostShape,
  randomOf,
  type SegmentShape,
  type Shape,
  shapeOf,
  type Signature,
  STEPS_GLOBAL,
} from "./_shape.ts";
import { Statements } from "./_statements.ts";

export { type HostShape } from "./_shape.ts";

/** A call of an exported function. */
export interface GuestCall {
  readonly name: string;
  readonly args: readonly (number | bigint)[];
}

/** A random module, and what is done with it. */
export interface Generated {
  readonly seed: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the host grants, in module {@linkcode HOST_MODULE}. */
  readonly hosts: readonly HostShape[];
  readonly calls: readonly GuestCall[];
  /** Parts that can be left out: functions, and their statements. */
  readonly parts: readonly string[];
  /** The encodings of operators in it, as hexadecimal digits. */
  readonly operators: ReadonlySet<string>;
}

/** Module that the functions of the host and the constant come from. */
export const HOST_MODULE = "env";
/** Name there of the constant, an i32. */
export const CONSTANT_NAME = "constant";
/** Module that the checkpoint comes from, a function without parameters. */
export const PROBE_MODULE = "probe";
/** Name of the checkpoint. */
export const CHECKPOINT_NAME = "check";
/** Export that lets the next call do as much as any. */
export const REFILL = "refill";
/** Export that gives the numeric globals and the state of the tables. */
export const STATE = "state";
/** Export that recurses without end, in some modules. */
export const DEEP = "deep";

/** How often a call may enter functions and loops. */
const STEPS = 150;
/** One module out of so many recurses without end. */
const DEEP_EVERY = 40;

const NOTHING: Signature = { params: [], results: [] };

/**
 * Makes a module.
 *
 * @param seed Which one.
 * @param without Parts to leave out, to find what matters.
 * @returns The module and its calls.
 */
export function generate(
  seed: number,
  without: ReadonlySet<string> = new Set(),
): Generated {
  const shape = shapeOf(seed);
  const parts: string[] = [];
  const bodies = shape.functions.map((self) => {
    const writer = new Statements(shape, self);
    parts.push(`${self.index}`);
    if (without.has(`${self.index}`)) writer.zeros(self.signature.results);
    else {
      writer.body((statement) => {
        const part = `${self.index}.${statement}`;
        parts.push(part);
        return without.has(part);
      });
    }
    const locals = writer.declared.map(([count, type]) =>
      [count, TYPE_BYTES[type]] as const
    );
    return body(writer.out, locals);
  });
  const isDeep = seed % DEEP_EVERY === 0;
  return {
    seed,
    bytes: assemble(shape, bodies, isDeep),
    hosts: shape.hosts,
    calls: [
      ...callsOf(shape),
      ...isDeep ? [{ name: DEEP, args: [1] }] : [],
    ],
    parts,
    operators: shape.written,
  };
}

function callsOf({ seed, functions }: Shape): GuestCall[] {
  const random = randomOf(seed, 0xca11);
  const exported = functions.filter((each) => each.exported);
  return Array.from({ length: 3 + random.below(6) }, () => {
    const { index, signature: { params } } = random.pick(exported);
    const args = params.map((type) => valueOf(random, type as NumberType));
    return { name: `f${index}`, args };
  });
}

/** A function that the module has besides the random ones. */
interface Extra {
  readonly name: string | undefined;
  readonly signature: Signature;
  readonly code: Bytes;
}

function extrasOf(shape: Shape, isDeep: boolean): Extra[] {
  const { functions, hosts, hasStart } = shape;
  const readable = shape.globals.filter(({ type }) => isNumber(type));
  const first = functions.length + hosts.length + 1;
  const extras: Extra[] = [{
    name: REFILL,
    signature: NOTHING,
    code: [0x41, sleb(BigInt(STEPS)), 0x24, STEPS_GLOBAL],
  }, {
    name: STATE,
    signature: {
      params: [],
      results: [...readable.map(({ type }) => type), "i32", "i32", "i32"],
    },
    code: [
      readable.map(({ index }) => [0x23, index]),
      [0xfc, 0x10, 0, 0xfc, 0x10, 1, 0x3f, 0],
    ],
  }, {
    name: "isNull",
    signature: { params: ["i32"], results: ["i32"] },
    code: [0x20, 0, 0x25, 0, 0xd1],
  }];
  if (isDeep) {
    extras.push({
      name: DEEP,
      signature: { params: ["i32"], results: ["i32"] },
      code: [
        [0x20, 0, 0x41, 1, 0x6a, 0x10, leb(first + extras.length)],
        [0x20, 0, 0x6a],
      ],
    });
  }
  if (hasStart) {
    const [callee] = functions;
    if (callee !== undefined) {
      extras.push({
        name: undefined,
        signature: NOTHING,
        code: [
          callee.signature.params.map(zero),
          0x10,
          leb(callee.index),
          callee.signature.results.map(() => 0x1a),
        ],
      });
    }
  }
  return extras;
}

function isNumber(type: Type): boolean {
  return type !== "v128" && type !== "funcref" && type !== "externref";
}

function assemble(
  shape: Shape,
  bodies: readonly Bytes[],
  isDeep: boolean,
): Uint8Array<ArrayBuffer> {
  const { types, functions, hosts, globals, memory, tables, data } = shape;
  const random = randomOf(shape.seed, 0xa55e);
  const extras = extrasOf(shape, isDeep);
  const all = [...functions, ...extras];
  const first = functions.length + hosts.length + 1;
  // every signature must have its number before the types are written
  const numbers = all.map(({ signature }) => types.of(signature));
  const imports = importsOf(shape);
  return build({
    types: types.encoded,
    imports,
    functions: numbers,
    tables: tables.map(({ type, min, max }) => [TYPE_BYTES[type], 1, min, max]),
    memories: [[1, memory.min, memory.max]],
    globals: [
      [TYPE_BYTES.i32, 1, 0x41, 0xe4, 0, 0x0b], // 100 steps for the start
      ...globals.map(({ type, mutable }) => [
        TYPE_BYTES[type],
        mutable ? 1 : 0,
        constant(random, type),
        0x0b,
      ]),
    ],
    exports: [
      [name("memory"), 2, 0],
      ...functions.filter(({ exported }) => exported).map(({ index }) => [
        name(`f${index}`),
        0,
        leb(index),
      ]),
      ...extras.flatMap((extra, index) =>
        extra.name === undefined
          ? []
          : [[name(extra.name), 0, leb(first + index)]]
      ),
    ],
    ...shape.hasStart ? { start: first + extras.length - 1 } : {},
    elements: elementsOf(shape, random),
    dataCount: data.length,
    bodies: [...bodies, ...extras.map(({ code }) => body(code))],
    data: data.map((segment) => dataOf(segment, random)),
  });
}

function importsOf({ types, hosts }: Shape): Bytes[] {
  const imports: Bytes[] = [
    [name(PROBE_MODULE), name(CHECKPOINT_NAME), 0, types.of(NOTHING)],
    ...hosts.map((host) => [
      name(HOST_MODULE),
      name(host.name),
      0,
      types.of(host.signature),
    ]),
    [name(HOST_MODULE), name(CONSTANT_NAME), 3, TYPE_BYTES.i32, 0],
  ];
  if (imports.length !== CHECKPOINT + hosts.length + 2) {
    throw new RangeError("Cannot number the functions: imports have moved");
  }
  return imports;
}

function elementsOf(shape: Shape, random: Random): Bytes[] {
  const { elements, slots, functions, hosts } = shape;
  const count = functions.length + hosts.length + 1;
  const declared = Array.from({ length: count }, (_, index) => leb(index));
  return [
    ...elements.map(({ length, offset }) =>
      offset === undefined
        // expressions: a function or null
        ? [
          5,
          0x70,
          vec(Array.from({ length }, () =>
            random.below(4) === 0
              ? [0xd0, 0x70, 0x0b]
              : [0xd2, leb(random.below(count)), 0x0b])),
        ]
        : [
          0,
          0x41,
          offset,
          0x0b,
          vec(slots.map((slot) =>
            leb(slot)
          )),
        ]
    ),
    // every function may be referred to
    [3, 0, vec(declared)],
  ];
}

function dataOf({ length, offset }: SegmentShape, random: Random): Bytes {
  const content = Array.from({ length }, () => random.below(256));
  if (offset === undefined) return [1, vec(content)];
  return [0, 0x41, sleb(BigInt(offset)), 0x0b, vec(content)];
}
