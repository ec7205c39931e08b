import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import type { Instrumentation } from "../../runtime/v8/layout.ts";
import { wat } from "../wasm.ts";
import { call, FULL_TANK, type Guest, makeGuest, MODES } from "./_gate.ts";
import { Random } from "./_random.ts";

const MIB = 2 ** 20;
const PAGES = 80;
const MEMORY_BYTES = PAGES * 65_536;
const SEGMENT_BYTES = 2.5 * MIB;
const ELEMENTS = 400_000;
const SEGMENT_ELEMENTS = 300_000;

/** What the runs of a raw and a rewritten module have in common. */
interface Pair {
  readonly raw: WebAssembly.Exports;
  readonly guest: Guest;
}

/** Arguments by name of an export. */
type Case = readonly [name: string, ...args: number[]];

async function pairOf(
  text: string,
  mode: Instrumentation,
): Promise<Pair> {
  const bytes = await wat(text);
  const { instance } = await WebAssembly.instantiate(bytes);
  return { raw: instance.exports, guest: makeGuest(bytes, mode) };
}

/** Calls both, and returns whether they trapped; fails if only one does. */
function callBoth(
  { raw, guest }: Pair,
  [name, ...args]: Case,
  wide: (name: string, index: number) => boolean,
): boolean {
  const values = args.map((value, index) =>
    wide(name, index) ? BigInt(value) : value | 0
  );
  const outcome = (exports: WebAssembly.Exports) => {
    try {
      call(exports, name, ...values);
      return "returned";
    } catch (error) {
      assert(error instanceof WebAssembly.RuntimeError, String(error));
      return "trapped";
    }
  };
  const expected = outcome(raw);
  guest.fuel = FULL_TANK;
  assertEquals(outcome(guest.exports), expected, `${name} ${args}`);
  return expected === "trapped";
}

const LENGTHS = [0, 1, 63, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 7];

/** Places and lengths, near each other and near the end. */
function* memoryCases(random: Random): Generator<Case> {
  const names = ["fill", "copyAA", "copyAB", "copyBA", "copyBB"];
  for (const name of names) {
    for (const length of [...LENGTHS, MEMORY_BYTES, MEMORY_BYTES + 1]) {
      const last = Math.max(0, MEMORY_BYTES - length);
      yield [name, 0, 5, length];
      yield [name, 5, 0, length];
      yield [name, last, 0, length];
      yield [name, last + 1, 0, length];
      yield [name, 0, last, length];
      yield [name, 0, last + 1, length];
    }
    yield [name, MEMORY_BYTES, MEMORY_BYTES, 0];
    yield [name, MEMORY_BYTES + 1, 0, 0];
    for (const length of [2 ** 32 - 1, 2 ** 63, 2 ** 64 - 2048]) {
      yield [name, 0, 0, length];
      yield [name, 2 ** 64 - 2048, 1, length];
      yield [name, 1, 2 ** 64 - 2048, length];
    }
    yield [name, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1];
    for (let round = 0; round < 12; round++) {
      const target = random.below(2 * MIB);
      const offset = random.below(5) - 2 + (random.below(3) - 1) * MIB;
      const source = Math.max(0, target + offset);
      yield [name, target, source, random.below(4 * MIB)];
    }
  }
}

function* initCases(segment: number, total: number): Generator<Case> {
  for (const length of [0, 1, MIB, MIB + 1, 2 * MIB + 3, segment]) {
    yield ["init", 7, segment - length, length];
    yield ["init", total - length, 0, length];
    yield ["init", total - length + 1, 0, length];
    yield ["init", 7, segment - length + 1, length];
  }
  yield ["init", 0, 0, 2 ** 32 - 1];
}

/** A module whose memories `$a` and `$b` have addresses of these types. */
function memoryText(a: "i32" | "i64", b: "i32" | "i64"): string {
  const random = new Random(1);
  const letters = Array.from(
    { length: SEGMENT_BYTES },
    () => String.fromCharCode(97 + random.below(26)),
  ).join("");
  const both = a === "i64" && b === "i64" ? "i64" : "i32";
  const copy = (name: string, to: string, from: string, types: string) =>
    `(func (export "${name}") (param ${types})
      (memory.copy ${to} ${from}
        (local.get 0) (local.get 1) (local.get 2)))`;
  return `(module
    (memory $a (export "a") ${a} ${PAGES} ${PAGES})
    (memory $b (export "b") ${b} ${PAGES} ${PAGES})
    (data $d "${letters}")
    (func (export "fill") (param ${a} i32 ${a})
      (memory.fill $a (local.get 0) (local.get 1) (local.get 2)))
    ${copy("copyAA", "$a", "$a", `${a} ${a} ${a}`)}
    ${copy("copyAB", "$a", "$b", `${a} ${b} ${both}`)}
    ${copy("copyBA", "$b", "$a", `${b} ${a} ${both}`)}
    ${copy("copyBB", "$b", "$b", `${b} ${b} ${b}`)}
    (func (export "init") (param ${a} i32 i32)
      (memory.init $a $d (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (data.drop $d)))`;
}

function sameMemory({ raw, guest }: Pair, name: "a" | "b"): boolean {
  const mine = guest.memories[name === "a" ? "0" : "1"];
  const other = raw[name];
  assert(mine !== undefined && other instanceof WebAssembly.Memory);
  return Buffer.from(mine.buffer).equals(Buffer.from(other.buffer));
}

function fillWithNoise({ raw, guest }: Pair): void {
  const random = new Random(2);
  for (const [index, name] of ["a", "b"].entries()) {
    const memory = raw[name];
    const copy = guest.memories[String(index)];
    assert(memory instanceof WebAssembly.Memory && copy !== undefined);
    const words = new Uint32Array(memory.buffer);
    for (let at = 0; at < words.length; at++) words[at] = random.next();
    new Uint32Array(copy.buffer).set(words);
  }
}

/** Which parameters are addresses of 64 bits, by export. */
const isWide = (a: string, b: string) => (name: string, index: number) => {
  const [to, from] = ({
    fill: [a, "i32"],
    copyAA: [a, a],
    copyAB: [a, b],
    copyBA: [b, a],
    copyBB: [b, b],
    init: [a, "i32"],
  } as Readonly<Record<string, readonly string[]>>)[name] ?? [];
  if (index === 0) return to === "i64";
  if (index === 1) return from === "i64";
  return name === "fill" ? to === "i64" : to === "i64" && from === "i64";
};

for (
  const [a, b] of [["i32", "i32"], ["i64", "i64"], ["i64", "i32"]] as const
) {
  const text = memoryText(a, b);
  for (const [name, mode] of Object.entries(MODES)) {
    Deno.test(`instrument() keeps what memory operations do, ${a} and ${b}, ${name}`, async () => {
      const pair = await pairOf(text, mode);
      const wide = isWide(a, b);
      fillWithNoise(pair);
      let traps = 0;
      const cases = [
        ...memoryCases(new Random(3)),
        ...initCases(SEGMENT_BYTES, MEMORY_BYTES),
      ];
      for (const each of cases) {
        if (callBoth(pair, each, wide)) traps++;
        assert(sameMemory(pair, "a"), `${each}: memory a`);
        assert(sameMemory(pair, "b"), `${each}: memory b`);
      }
      assert(traps > 50 && traps < cases.length * 2 / 3, `${traps} traps`);
      callBoth(pair, ["drop"], wide);
      for (const length of [0, 1, MIB + 1]) {
        const trapped = callBoth(pair, ["init", 0, 0, length], wide);
        assertEquals(trapped, length > 0);
      }
      assert(sameMemory(pair, "a"));
    });
  }
}

/** Functions 0 to 3 return their number; a hash tells what a table holds. */
const TABLE_TEXT = `(module
  (type $number (func (result i32)))
  (table $t (export "t") ${ELEMENTS} ${ELEMENTS} funcref)
  (table $u (export "u") ${ELEMENTS} ${ELEMENTS} funcref)
  ${
  [0, 1, 2, 3].map((n) => `(func $f${n} (result i32) (i32.const ${n}))`)
    .join("\n")
}
  (table $four funcref (elem $f0 $f1 $f2 $f3))
  (elem $e func ${
  Array.from({ length: SEGMENT_ELEMENTS }, (_, n) => `$f${n * 7 % 11 % 4}`)
    .join(" ")
})
  (func (export "fill") (param i32 i32 i32)
    (table.fill $t (local.get 0)
      (table.get $four (i32.and (local.get 1) (i32.const 3))) (local.get 2)))
  ${
  ["t t", "t u", "u t", "u u"].map((pair) => {
    const [to = "", from = ""] = pair.split(" ");
    return `(func (export "copy${to}${from}") (param i32 i32 i32)
      (table.copy $${to} $${from}
        (local.get 0) (local.get 1) (local.get 2)))`;
  }).join("\n")
}
  (func (export "init") (param i32 i32 i32)
    (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (elem.drop $e))
  ${
  ["t", "u"].map((table) =>
    `(func (export "hash${table}") (result i32) (local $i i32) (local $h i32)
      (loop $next
        (local.set $h (i32.add
          (i32.rotl (i32.mul (local.get $h) (i32.const 31)) (i32.const 5))
          (if (result i32) (ref.is_null (table.get $${table} (local.get $i)))
            (then (i32.const 7))
            (else (call_indirect $${table} (type $number) (local.get $i))))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (i32.const ${ELEMENTS}))))
      (local.get $h))`
  ).join("\n")
})`;

const PIECE = 131_072;

function* tableCases(random: Random): Generator<Case> {
  for (const name of ["fill", "copytt", "copytu", "copyut", "copyuu"]) {
    for (const length of [0, 1, PIECE, PIECE + 1, 3 * PIECE, ELEMENTS + 1]) {
      const last = Math.max(0, ELEMENTS - length);
      yield [name, 0, 3, length];
      yield [name, 2, 1, length];
      yield [name, last, 0, length];
      yield [name, last + 1, 2, length];
    }
    yield [name, 1, 1, 2 ** 32 - 1];
    for (let round = 0; round < 4; round++) {
      const target = random.below(PIECE);
      const source = Math.max(0, target + random.below(9) - 4);
      yield [name, target, source, PIECE + random.below(PIECE)];
    }
  }
}

for (const [name, mode] of Object.entries(MODES)) {
  Deno.test(`instrument() keeps what table operations do, ${name}`, async () => {
    const tableElements = 2 * ELEMENTS + 4;
    const pair = await pairOf(TABLE_TEXT, { ...mode, tableElements });
    const narrow = () => false;
    const cases = [
      ...initCases(SEGMENT_ELEMENTS, ELEMENTS),
      ...tableCases(new Random(4)),
    ];
    for (const each of cases) {
      callBoth(pair, each, narrow);
      for (const hash of ["hasht", "hashu"]) {
        const mine = call(pair.guest.exports, hash);
        assertEquals(mine, call(pair.raw, hash), `${each}: ${hash}`);
      }
    }
    callBoth(pair, ["drop"], narrow);
    for (const length of [0, 1, PIECE + 1]) {
      const trapped = callBoth(pair, ["init", 0, 0, length], narrow);
      assertEquals(trapped, length > 0);
    }
  });
}
