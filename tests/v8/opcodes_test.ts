import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { FEATURES } from "../../runtime/v8/features.ts";
import { gate } from "../../runtime/v8/gate.ts";
import {
  Act,
  ATOMIC,
  CORE,
  GC,
  MISC,
  SIMD,
  Sub,
} from "../../runtime/v8/opcodes.ts";
import { leb } from "../wasm.ts";
import {
  accepts,
  ALL_CONTEXTS,
  type Context,
  encode,
  type Item,
  probe,
} from "./_probe.ts";

const MODE = { deadline: true, fuel: true, tableElements: 1000 };
const OPTIONS = {
  features: Object.fromEntries(FEATURES.map((name) => [name, true])),
};

/** Highest number behind a prefix that is tried. */
const LAST_SUB = 0x13f;

const zero: Item = { leb: 0 };
const byte = (value: number): Item => ({ byte: value });
/** Atomics ask for their own alignment; 0x40 says that a memory follows. */
const MEMARG: readonly Item[][] = [0, 1, 2, 3].flatMap((align) => [
  [{ leb: align }, zero],
  [{ leb: 0x40 | align }, zero, zero],
]);
const bytes = (count: number) =>
  Array.from({ length: count }, (): Item => byte(0));

/** Immediates by what the table says of them. */
const BY_ACT: Readonly<Record<number, readonly (readonly Item[])[]>> = {
  [Act.plain]: [[]],
  [Act.leb]: [[zero], [byte(0x70)]],
  [Act.reference]: [[zero]],
  [Act.leb2]: [[zero, zero]],
  [Act.memarg]: MEMARG,
  [Act.i32Const]: [[zero]],
  [Act.f32Const]: [bytes(4)],
  [Act.f64Const]: [bytes(8)],
  [Act.block]: [[byte(0x40)]],
  [Act.loop]: [[byte(0x40)]],
  [Act.if]: [[byte(0x40)]],
  [Act.else]: [[]],
  [Act.end]: [[]],
  [Act.br]: [[zero]],
  [Act.brIf]: [[zero]],
  [Act.brTable]: [[{ leb: 1 }, zero, zero]],
  [Act.return]: [[]],
  [Act.call]: [[zero]],
  [Act.callIndirect]: [[zero, zero]],
  [Act.returnCall]: [[zero]],
  [Act.returnCallIndirect]: [[zero, zero]],
  [Act.unreachable]: [[]],
  [Act.try]: [[byte(0x40)]],
  [Act.catch]: [[zero]],
  [Act.catchAll]: [[]],
  [Act.delegate]: [[zero]],
  [Act.throw]: [[zero]],
  [Act.throwRef]: [[]],
  [Act.tryTable]: [[byte(0x40), { leb: 1 }, byte(2), zero]],
  [Act.selectTyped]: [[{ leb: 1 }, byte(0x7f)]],
  [Act.grow]: [[zero]],
};

const BY_SUB: Readonly<Record<number, readonly (readonly Item[])[]>> = {
  [Sub.none]: [[]],
  [Sub.leb]: [[zero]],
  [Sub.leb2]: [[zero, zero]],
  [Sub.memarg]: MEMARG,
  [Sub.memargLane]: MEMARG.map((items) => [...items, byte(0)]),
  [Sub.lane]: [[byte(0)]],
  [Sub.bytes16]: [bytes(16)],
  [Sub.castBranch]: [[byte(0), zero, zero, zero]],
};

/** What an instruction that nobody knows yet might take. */
const GUESSES: readonly (readonly Item[])[] = [
  [],
  [zero],
  [byte(0x40)],
  [byte(0x70)],
  [zero, zero],
  [zero, byte(0x70)],
  [zero, zero, zero],
  [zero, zero, zero, zero],
  [byte(0x40), zero],
  [{ leb: 1 }, byte(0x7f)],
  ...MEMARG,
  bytes(8),
  bytes(16),
];

interface Opcode {
  readonly bytes: readonly number[];
  /** Immediates that the table stands for, or undefined if it does not know. */
  readonly shapes: readonly (readonly Item[])[] | undefined;
}

function* opcodes(): Generator<Opcode> {
  for (let opcode = 0; opcode < 256; opcode++) {
    if (opcode >= 0xfb && opcode <= 0xfe) continue;
    yield { bytes: [opcode], shapes: BY_ACT[CORE.act[opcode] ?? -1] };
  }
  const prefixes = [[0xfb, GC], [0xfc, MISC], [0xfd, SIMD], [0xfe, ATOMIC]];
  for (const [prefix, table] of prefixes as [number, typeof GC][]) {
    for (let sub = 0; sub <= LAST_SUB; sub++) {
      const shapes = BY_SUB[table.act[sub] ?? Sub.unknown];
      yield { bytes: [prefix, ...leb(sub)], shapes };
    }
  }
}

function hex(opcode: readonly number[]): string {
  return opcode.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function firstAccepting(
  opcode: readonly number[],
  shapes: readonly (readonly Item[])[],
): [Context, readonly Item[]] | undefined {
  for (const context of ALL_CONTEXTS) {
    for (const items of shapes) {
      if (accepts(context, [...opcode, ...encode(items)])) {
        return [context, items];
      }
    }
  }
}

const ALL = [...opcodes()];
const KNOWN = ALL.filter(({ shapes }) => shapes !== undefined);
const UNKNOWN = ALL.filter(({ shapes }) => shapes === undefined);

Deno.test("the opcode tables know what the engine accepts", () => {
  const wrong = KNOWN.filter(({ bytes, shapes = [] }) =>
    firstAccepting(bytes, shapes) === undefined
  );
  assertEquals(wrong.map(({ bytes }) => hex(bytes)), []);
});

Deno.test("the opcode tables leave out nothing that the engine accepts", () => {
  const wrong = UNKNOWN.filter(({ bytes }) =>
    firstAccepting(bytes, GUESSES) !== undefined
  );
  assertEquals(wrong.map(({ bytes }) => hex(bytes)), []);
});

Deno.test("the opcode tables read as many immediates as the engine", () => {
  const wrong: string[] = [];
  for (const { bytes, shapes = [] } of KNOWN) {
    for (const items of shapes) {
      const [context] = firstAccepting(bytes, [items]) ?? [];
      if (context === undefined) continue;
      // with fewer, the engine would eat the end of the function
      const immediates = encode(items);
      immediates.forEach((_, length) => {
        const short = [...bytes, ...immediates.slice(0, length)];
        if (accepts(context, short)) wrong.push(`${hex(short)} is enough`);
      });
    }
  }
  assertEquals(wrong, []);
});

Deno.test("the opcode tables tell bytes and numbers apart as the engine", () => {
  const wrong: string[] = [];
  for (const { bytes, shapes = [] } of KNOWN) {
    const [context, items] = firstAccepting(bytes, shapes) ?? [];
    if (context === undefined || items === undefined) continue;
    const padded = [...bytes, ...encode(items, 1)];
    if (!accepts(context, padded)) wrong.push(`${hex(padded)} is refused`);
    const asNumber = items.map((item): Item =>
      "byte" in item ? { leb: item.byte } : item
    );
    const stretched = [...bytes, ...encode(asNumber, 1)];
    const isByte = items.some((item) => "byte" in item && item.byte === 0);
    if (isByte && accepts(context, stretched)) {
      wrong.push(`${hex(stretched)} is accepted`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("gate() accepts every instruction that the engine accepts", () => {
  for (const { bytes, shapes = [] } of KNOWN) {
    for (const items of shapes) {
      const [context] = firstAccepting(bytes, [items]) ?? [];
      if (context === undefined) continue;
      gate(probe(context, [...bytes, ...encode(items)]), MODE, OPTIONS);
      gate(probe(context, [...bytes, ...encode(items, 1)]), MODE, OPTIONS);
    }
  }
});

Deno.test("gate() refuses every instruction that it does not know", () => {
  const [context] = ALL_CONTEXTS;
  if (context === undefined) throw new Error("no context");
  for (const { bytes } of UNKNOWN) {
    const module = probe(context, bytes);
    const error = assertThrows(
      () => gate(module, MODE, OPTIONS),
      SandboxError,
      "is not known",
      hex(bytes),
    );
    assert(SandboxError.is(error, "module-refused"));
    assertEquals(error.details.reason, "unknown instruction");
  }
});
