;; Calls a module that it is linked with, which calls back: 1, doubled and with
;; one more, until it is above 100.
(module
  (import "doubler" "double" (func $double (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (func (export "add_one") (param $value i64) (result i64)
    (if (result i64) (i64.gt_u (local.get $value) (i64.const 100))
      (then (local.get $value))
      (else (call $double (i64.add (local.get $value) (i64.const 1))))))
  (func (export "run") (result i32)
    (local $block i64)
    (local.set $block (call $alloc (i64.const 8)))
    (call $store (local.get $block) (call $double (i64.const 1)))
    (call $output (local.get $block) (i64.const 8))
    (i32.const 0)))
