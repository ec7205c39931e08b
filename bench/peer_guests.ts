/**
 * One piece of work, counting vowels, as a guest for each interface: the same
 * loop, written by hand in the text format.
 *
 * @module
 */

/** Vowels of the byte `$c`, counted into `$n`; the same for every guest. */
const COUNT = `
  (local.set $c (i32.or (local.get $c) (i32.const 32)))
  (local.set $n (i32.add (local.get $n)
    (i32.or (i32.or (i32.or
      (i32.eq (local.get $c) (i32.const 97))
      (i32.eq (local.get $c) (i32.const 101)))
      (i32.or (i32.eq (local.get $c) (i32.const 105))
        (i32.eq (local.get $c) (i32.const 111))))
      (i32.eq (local.get $c) (i32.const 117)))))`;

/** Goes over the bytes from `$at` to `$end`. */
const SCAN = `
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
    (local.set $c (i32.load8_u (local.get $at)))
    ${COUNT}
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br $next)))`;

/** Bytes in by our guest ABI; the reply is the count, four bytes. */
export const OURS = `(module (memory (export "memory") 2)
  (func (export "wasm_sandbox_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "count") (param $at i32) (param $length i32) (result i64)
    (local $end i32) (local $c i32) (local $n i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    ${SCAN}
    (i32.store (i32.const 0) (local.get $n))
    (i64.const 4)))`;

/** A plug-in of Extism; its output is the count, eight bytes. */
export const EXTISM = `(module
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $load (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (func (export "count") (result i32)
    (local $at i64) (local $end i64) (local $c i32) (local $n i32)
    (local.set $end (call $length))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $at) (local.get $end)))
      (local.set $c (call $load (local.get $at)))
      ${COUNT}
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br $next)))
    (local.set $at (call $alloc (i64.const 8)))
    (call $store (local.get $at) (i64.extend_i32_u (local.get $n)))
    (call $output (local.get $at) (i64.const 8))
    (i32.const 0)))`;

/** Reads all of standard input, writes the count as four bytes. */
export const WASI = `(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (local $at i32) (local $end i32) (local $c i32) (local $n i32)
    (block $eof (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 65536))
      (br_if $eof (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $eof (i32.eqz (i32.load (i32.const 8))))
      (local.set $at (i32.const 1024))
      (local.set $end (i32.add (local.get $at) (i32.load (i32.const 8))))
      ${SCAN}
      (br $more)))
    (i32.store (i32.const 16) (local.get $n))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 4))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;
