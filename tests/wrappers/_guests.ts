/** Guests that answer requests, and some that do what they should not. */

import { wat } from "../wasm.ts";

/** Memory functions that are all there is to it: what is given is not kept. */
const MEMORY = `
  (memory (export "memory") 2)
  (func (export "wasm_sandbox_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "wasm_sandbox_free") (param i32 i32))`;

/** What stands in a guest's first byte decides, where it is asked by `act`. */
export const ACTOR = `(module ${MEMORY}
  (global $calls (mut i32) (i32.const 0))
  (global $left (mut i32) (i32.const 0))
  ;; answers with what it is asked
  (func (export "echo") (param $at i32) (param $length i32) (result i64)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
      (i64.extend_i32_u (local.get $length))))
  ;; a text begins with a quote: its first letter says what to do
  (func (export "act") (param $at i32) (param $length i32) (result i64)
    (local $what i32)
    (local.set $what (i32.load8_u offset=1 (local.get $at)))
    ;; s: spin
    (if (i32.eq (local.get $what) (i32.const 115))
      (then (loop $again (br $again))))
    ;; t: trap
    (if (i32.eq (local.get $what) (i32.const 116)) (then (unreachable)))
    ;; g: grow until it traps
    (if (i32.eq (local.get $what) (i32.const 103))
      (then
        (loop $more
          (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0))))
        (unreachable)))
    ;; l: lie about the reply
    (if (i32.eq (local.get $what) (i32.const 108))
      (then (return (i64.const -1))))
    ;; j: no JSON
    (if (i32.eq (local.get $what) (i32.const 106))
      (then (i32.store8 (local.get $at) (i32.const 0))))
    ;; w: work for a while, a million turns
    (if (i32.eq (local.get $what) (i32.const 119))
      (then
        (global.set $left (i32.const 3000000))
        (loop $again
          (global.set $left (i32.sub (global.get $left) (i32.const 1)))
          (br_if $again (global.get $left)))))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
      (i64.extend_i32_u (local.get $length))))
  ;; how often it was called
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.get $calls))
  (func (export "spin") (loop $again (br $again)))
  (func (export "trap") (unreachable))
  (func (export "burn") (param i32)
    (loop $again
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $again (local.get 0)))))`;

let actor: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** The bytes of {@linkcode ACTOR}. */
export function actorModule(): Promise<Uint8Array<ArrayBuffer>> {
  return actor ??= wat(ACTOR);
}
