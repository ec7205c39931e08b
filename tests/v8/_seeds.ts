/** Small modules to mutate: each shows instructions of one feature. */

import { body, build, funcType, wat } from "../wasm.ts";

const TEXTS = [
  `(module (func (export "f") (param i32 i64 f32 f64) (result i32)
    (local i32 i64)
    (block (loop (br_if 0 (local.get 0)) (br 1)))
    (if (result i32) (local.get 0) (then (i32.const -5)) (else (unreachable)))))`,
  `(module (memory 1 4) (global $g (mut i32) (i32.const 1))
    (data (i32.const 8) "hello") (data $d "passive")
    (func $start (global.set $g (i32.const 2))) (start $start)
    (func (export "f") (param i32) (result i32)
      (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
      (memory.copy (i32.const 0) (i32.const 1) (i32.const 64))
      (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3))
      (data.drop $d) (i64.store8 offset=8 (i32.const 0) (i64.const 300))
      (i32.add (memory.grow (i32.const 1)) (i32.load16_u (local.get 0)))))`,
  `(module (type $t (func (param i32) (result i32)))
    (import "env" "f" (func $f (type $t))) (import "env" "g" (global i32))
    (table $a 4 9 funcref) (table $b 2 externref)
    (elem (table $a) (i32.const 0) func $f $g)
    (elem $e funcref (ref.func $g) (ref.null func))
    (func $g (export "g") (type $t)
      (br_table 0 0 (local.get 0) (local.get 0)))
    (func (export "h") (param i32 externref) (result i32)
      (table.copy $a $a (i32.const 0) (i32.const 1) (i32.const 2))
      (table.init $a $e (i32.const 0) (i32.const 0) (i32.const 2))
      (table.fill $b (i32.const 0) (local.get 1) (local.get 0))
      (drop (table.grow $b (local.get 1) (i32.const 1)))
      (table.set $b (i32.const 0) (local.get 1)) (elem.drop $e)
      (call_indirect $a (type $t) (local.get 0) (i32.const 1))))`,
  `(module (tag $t (param i32)) (func $throw (throw $t (i32.const 1)))
    (func (export "f") (result i32)
      (try (result i32) (do (call $throw) (i32.const 0))
        (catch $t) (catch_all (rethrow 0))))
    (func (export "g")
      (try (do (try (do (call $throw)) (delegate 0))) (catch_all))))`,
  `(module (tag $t (param i32)) (func $throw (throw $t (i32.const 1)))
    (func (export "f") (result i32)
      (block $c (result i32)
        (try_table (catch $t $c) (call $throw)) (i32.const 0)))
    (func (export "g") (block $c (result exnref)
      (try_table (catch_all_ref $c) (call $throw)) (return)) (throw_ref)))`,
  `(module (table funcref (elem $f))
    (func $f (export "f") (param i32)
      (if (i32.eqz (local.get 0)) (then (return)))
      (return_call $g (i32.sub (local.get 0) (i32.const 1))))
    (func $g (param i32)
      (return_call_indirect (param i32) (local.get 0) (i32.const 0))))`,
  `(module (memory 1) (func (export "f") (param v128) (result i32)
    (v128.store (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14
      15 (local.get 0) (v128.const i64x2 1 2)))
    (i8x16.extract_lane_s 3 (v128.load8_lane 2 (i32.const 0)
      (i32x4.relaxed_trunc_f32x4_s (f32x4.splat (f32.const 1)))))))`,
  `(module (memory $a 1) (memory $b i64 1 2) (memory $c 1 1 shared)
    (func (export "f") (result i32)
      (memory.copy $a $b (i32.const 0) (i64.const 0) (i32.const 9))
      (memory.fill $b (i64.const 0) (i32.const 0) (i64.const 2000000))
      (atomic.fence)
      (i32.atomic.rmw.add $c (i32.const 0) (i32.load $a (i32.const 4)))))`,
  `(module (table i64 2 4 funcref) (func (export "f") (param i64)
    (table.fill (i64.const 0) (table.get (i64.const 1)) (local.get 0))
    (drop (table.grow (ref.null func) (i64.const 1)))))`,
];

/** Garbage collection and function references, which no assembler here knows. */
function references(): Uint8Array<ArrayBuffer> {
  const CONST_0 = [0x41, 0];
  return build({
    types: [
      [0x4e, 2, [0x5f, 1, 0x7f, 1], [0x50, 0, 0x5e, 0x78, 1]],
      funcType(),
      funcType([[0x63, 2], 0x6e], [0x7f]),
    ],
    functions: [2, 3],
    tables: [[0x40, 0, 0x63, 2, 1, 2, 9, 0xd0, 2, 0x0b]],
    globals: [[0x6e, 0, CONST_0, 0xfb, 0x1c, 0x0b]],
    exports: [[1, 0x66, 0, 1]],
    elements: [[3, 0, 1, 0]],
    bodies: [
      body([CONST_0, 0xfb, 0, 0, 0xfb, 2, 0, 0, 0x1a]),
      body([
        [0x02, 0x40, 0x20, 0, 0xd5, 0, 0x14, 2, 0x0b], // br_on_null, call_ref
        [CONST_0, CONST_0, 0xfb, 6, 1, 0xfb, 0x0f, 0x1a], // array.new, len
        [0x20, 1, 0xfb, 0x14, 0x6c, 0x1a], // ref.test i31
        [0x02, 0x63, 0x6c, 0x20, 1, 0xfb, 0x18, 3, 0, 0x6e, 0x6c],
        [0x1a, 0xd0, 0x6c, 0x0b, 0xd1], // br_on_cast, ref.is_null
      ]),
    ],
  });
}

/** A module for each feature. */
export async function featureModules(): Promise<Uint8Array[]> {
  return [...await Promise.all(TEXTS.map((text) => wat(text))), references()];
}
