import { assert, assertEquals, assertThrows } from "@std/assert";
import { body, build, funcType, name, wat } from "../wasm.ts";
import { BOTH, call, FULL_TANK, makeGuest, MODES } from "./_gate.ts";

/** Calls of `f`, each with what it must cost. */
type Costs = readonly (readonly [args: readonly number[], cost: number])[];

/**
 * An instruction costs 1; what only shapes the control flow, and `drop`,
 * cost nothing. Each entry of a function costs 1 and 1 for each 8 locals.
 */
const CASES: Readonly<Record<string, readonly [text: string, Costs]>> = {
  "nothing": [`(func $f)`, [[[], 1]]],
  "a straight line": [
    `(func $f (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))`,
    [[[1, 2], 1 + 3]],
  ],
  "parameters and locals": [
    `(func $f (param i32 i32) (local i64 i64 i64 i64 i64) (local f32 f64))`,
    [[[1, 2], 2]],
  ],
  "if and else": [
    `(func $f (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.const 1))
        (else (i32.add (i32.const 1) (i32.const 2)))))`,
    [[[1], 1 + 2 + 1], [[0], 1 + 2 + 3]],
  ],
  "if without else": [
    `(func $f (param i32) (result i32)
      (if (local.get 0) (then (local.set 0 (i32.const 9)))) (local.get 0))`,
    [[[1], 1 + 2 + 2 + 1], [[0], 1 + 2 + 1]],
  ],
  "br_if": [
    `(func $f (param i32)
      (block (br_if 0 (local.get 0)) (nop) (drop (i32.const 1))))`,
    [[[1], 1 + 2], [[0], 1 + 2 + 1]],
  ],
  "br_table": [
    `(func $f (param i32)
      (block $c
        (block $b
          (block $a (br_table $a $b $c (local.get 0)))
          (drop (i32.const 1))
          (br $c))
        (drop (i32.add (i32.const 1) (i32.const 2)))))`,
    [[[0], 3 + 2], [[1], 3 + 3], [[2], 3], [[99], 3]],
  ],
  "br_table that leaves the function": [
    `(func $f (param i32)
      (block (br_table 0 1 (local.get 0))) (drop (i32.const 1)))`,
    [[[0], 3 + 1], [[1], 3]],
  ],
  "a loop": [
    `(func $f (param i32) (local $i i32)
      (loop $next
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (local.get 0)))))`,
    [[[1], 1 + 7], [[10], 1 + 70], [[100_000], 1 + 700_000]],
  ],
  "a loop to which nothing goes back": [
    `(func $f (loop (drop (i32.const 1))))`,
    [[[], 1 + 1]],
  ],
  "a loop in a loop": [
    `(func $f (param i32) (local $i i32) (local $j i32)
      (loop $outer
        (local.set $j (i32.const 3))
        (loop $inner
          (br_if $inner (local.tee $j
            (i32.sub (local.get $j) (i32.const 1)))))
        (br_if $outer (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`,
    [[[1], 1 + 2 + 15 + 5], [[7], 1 + 7 * (2 + 15 + 5)]],
  ],
  "calls": [
    `(func $g (result i32) (i32.const 1))
     (func $f (result i32)
       (i32.add (call $g) (i32.add (call $g) (i32.const 5))))`,
    [[[], 1 + 5 + 2 * 2]],
  ],
  "call_indirect": [
    `(table funcref (elem $g)) (func $g)
     (func $f (call_indirect (i32.const 0)))`,
    [[[], 1 + 2 + 1]],
  ],
  "an early return": [
    `(func $f (param i32)
      (if (local.get 0) (then (return))) (drop (i32.const 1)))`,
    [[[1], 1 + 2], [[0], 1 + 2 + 1]],
  ],
  "a branch out of the function": [
    `(func $f (param i32)
      (br_if 0 (local.get 0)) (drop (i32.const 1)) (br 0) (unreachable))`,
    [[[1], 1 + 2], [[0], 1 + 2 + 2]],
  ],
  "nested blocks": [
    `(func $f (param i32)
      (block $a (block $b (block $c
        (br_if $a (i32.eq (local.get 0) (i32.const 1)))
        (br_if $b (i32.eq (local.get 0) (i32.const 2)))
        (drop (i32.const 0)))
       (drop (i32.const 0)) (drop (i32.const 0)))
      (drop (i32.const 0))))`,
    [[[1], 1 + 4], [[2], 1 + 8 + 1], [[3], 1 + 8 + 1 + 2 + 1]],
  ],
  "code that nothing reaches": [
    `(func $f (param i32)
      (block (br 0) (loop (drop (i32.const 1)) (br 0)))
      (if (local.get 0) (then (return) (drop (i32.const 1))))
      (drop (i32.const 1)))`,
    [[[1], 1 + 1 + 2], [[0], 1 + 1 + 2 + 1]],
  ],
  "legacy exceptions": [
    `(tag $t)
     (func $throw (param i32) (if (local.get 0) (then (throw $t))))
     (func $f (param i32)
       (try (do (call $throw (local.get 0)))
         (catch_all (drop (i32.const 1)))))`,
    [[[0], 1 + 2 + (1 + 2)], [[1], 1 + 2 + (1 + 2 + 1) + 1]],
  ],
  "try_table": [
    `(tag $t)
     (func $throw (param i32) (if (local.get 0) (then (throw $t))))
     (func $f (param i32)
       (block $caught
         (try_table (catch $t $caught) (call $throw (local.get 0)))
         (return))
       (drop (i32.const 1)))`,
    [[[0], 1 + 2 + (1 + 2)], [[1], 1 + 2 + (1 + 2 + 1) + 1]],
  ],
  // a stretch is charged as a whole before its first call
  "what follows a call that throws": [
    `(tag $t)
     (func $throw (throw $t))
     (func $f
       (try (do (call $throw) (drop (i32.add (i32.const 1) (i32.const 2))))
         (catch $t)))`,
    [[[], 1 + 1 + 3 + (1 + 1)]],
  ],
  "an exception through functions that do not catch": [
    `(tag $t)
     (func $deep (param i32)
       (if (i32.eqz (local.get 0)) (then (throw $t)))
       (call $deep (i32.sub (local.get 0) (i32.const 1))))
     (func $f (param i32)
       (try (do (call $deep (local.get 0))) (catch $t)))`,
    [[[0], 1 + 2 + (1 + 3 + 1)], [[5], 1 + 2 + 5 * (1 + 3 + 4) + 5]],
  ],
  "return_call": [
    `(func $f (param i32)
      (if (i32.eqz (local.get 0)) (then (return)))
      (return_call $f (i32.sub (local.get 0) (i32.const 1))))`,
    [[[0], 1 + 3], [[1], 8 + 4], [[10_000], 80_000 + 4]],
  ],
  "return_call_indirect": [
    `(type $t (func (param i32))) (table funcref (elem $f))
     (func $f (type $t)
      (if (i32.eqz (local.get 0)) (then (return)))
      (return_call_indirect (type $t)
        (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))`,
    [[[0], 1 + 3], [[10], 90 + 4]],
  ],
  "operations on memory": [
    `(memory 1) (data $d "abcdefghij")
     (func $f (param i32)
       (memory.fill (i32.const 0) (i32.const 0) (local.get 0))
       (memory.copy (i32.const 0) (i32.const 9) (local.get 0))
       (memory.init $d (i32.const 0) (i32.const 0) (i32.const 10)))`,
    [[[0], 1 + 12], [[63], 1 + 12], [[640], 1 + 12 + 2 * 10]],
  ],
  "operations of a constant length": [
    `(memory 1)
     (func $f
       (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))
       (memory.copy (i32.const 0) (i32.const 9) (i32.const 127)))`,
    [[[], 1 + 8 + 1024 + 1]],
  ],
  "operations on a table": [
    `(table $t 100 funcref)
     (func $f (param i32)
       (table.fill $t (i32.const 0) (ref.null func) (local.get 0)))`,
    [[[0], 1 + 4], [[64], 1 + 4 + 64]],
  ],
  "growth": [
    `(memory 0 2) (table 0 2 funcref)
     (func $f
       (drop (memory.grow (i32.const 1)))
       (drop (table.grow (ref.null func) (i32.const 1))))`,
    [[[], 1 + (1 + 256) + (2 + 256)]],
  ],
};

for (const [what, [text, costs]] of Object.entries(CASES)) {
  Deno.test(`instrument() counts the fuel of ${what}`, async () => {
    const bytes = await wat(`(module ${text} (export "f" (func $f)))`);
    for (const mode of Object.values(MODES)) {
      if (!mode.fuel) continue;
      const guest = makeGuest(bytes, mode);
      for (const [args, cost] of costs) {
        guest.fuel = FULL_TANK;
        guest.call("f", ...args);
        assertEquals(Number(FULL_TANK - guest.fuel), cost, `f(${args})`);
      }
    }
  });
}

Deno.test("instrument() charges long stretches in full", () => {
  // more than one entry of the plan holds
  const grows = 300_000;
  const grow = new Uint8Array(2 * grows).map((_, at) => at % 2 ? 0 : 0x40);
  const code = [0x10, 0, 0x41, 0, grow, 0x1a, 0x10, 0];
  const caught = [0x06, 0x40, code, 0x19, 0x0b];
  const bytes = build({
    types: [funcType()],
    functions: [0, 0, 0],
    memories: [[0, 0]],
    exports: [[name("f"), 0, 1], [name("catching"), 0, 2]],
    bodies: [body([]), body(code), body(caught)],
  });
  const cost = 1 + 2 * 2 + 1 + grows * 256;
  for (const mode of [BOTH, { ...BOTH, deadline: false }]) {
    for (const which of ["f", "catching"]) {
      const guest = makeGuest(bytes, mode);
      guest.call(which);
      assertEquals(FULL_TANK - guest.fuel, BigInt(cost), which);
    }
  }
});

const LONG_LEAF = `(func $leaf
  ${"(drop (i32.const 1))".repeat(1000)})`;

/** Straight code that could run for long between two checks. */
const ROWS: Readonly<Record<string, string>> = {
  "calls of a long leaf": `${LONG_LEAF}
    (func (export "f") ${"(call $leaf)".repeat(5000)})`,
  "calls of a brief leaf": `(func $leaf (drop (i32.const 1)))
    (func (export "f") ${"(call $leaf)".repeat(50_000)})`,
  "exceptions": `(tag $t) (func (export "f")
    ${"(try (do (throw $t)) (catch $t))".repeat(50_000)})`,
  "operations on memory": `(memory 16) (func (export "f") ${
    "(memory.fill (i32.const 0) (i32.const 0) (i32.const 1048576))".repeat(500)
  })`,
};

for (const [what, text] of Object.entries(ROWS)) {
  Deno.test(`instrument() checks the fuel within a row of ${what}`, async () => {
    const bytes = await wat(`(module ${text})`);
    for (const mode of [BOTH, { ...BOTH, deadline: false }]) {
      const guest = makeGuest(bytes, mode);
      guest.fuel = 10n;
      assertThrows(() => guest.call("f"), WebAssembly.RuntimeError);
      // what the function costs beyond what it calls is charged in advance
      assert(guest.fuel < 0n && guest.fuel > -60_000n, `${guest.fuel} left`);
    }
  });
}

const ENDLESS: Readonly<Record<string, string>> = {
  "loop": `(func (export "f") (loop (br 0)))`,
  "recursion": `(func $f (export "f") (call $f) (call $f))`,
  "return_call": `(func $f (export "f") (return_call $f))`,
  "a catch_all around a loop": `(func (export "f")
    (try (do (loop (br 0))) (catch_all)))`,
  "a catch_all around a call": `(func $f (loop (br 0)))
    (func (export "f") (loop (try (do (call $f)) (catch_all)) (br 0)))`,
  "a try_table around a call": `(func $f (loop (br 0)))
    (func (export "f") (loop
      (block $caught (try_table (catch_all $caught) (call $f))) (br 0)))`,
  "a catch_all_ref around a call": `(func $f (loop (br 0)))
    (func (export "f") (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $f)) (return)) (drop))`,
  "throw and catch": `(tag $t)
    (func (export "f") (loop (try (do (throw $t)) (catch $t (br 1)))))`,
};

for (const [what, text] of Object.entries(ENDLESS)) {
  Deno.test(`instrument() stops ${what} when fuel runs out`, async () => {
    const bytes = await wat(`(module ${text})`);
    for (const mode of [BOTH, { ...BOTH, deadline: false }]) {
      const { exports, ...guest } = makeGuest(bytes, mode);
      const tank = exports["wasm_sandbox:fuel"];
      assert(tank instanceof WebAssembly.Global && guest.flag !== undefined);
      for (const fuel of [0n, 1n, 1000n]) {
        tank.value = fuel;
        assertThrows(() => call(exports, "f"), WebAssembly.RuntimeError);
        assert(tank.value < 0n && tank.value > -100n, `${tank.value} left`);
      }
    }
  });
}
