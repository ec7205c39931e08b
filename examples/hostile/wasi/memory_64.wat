;; Has a memory of 64-bit addresses, and functions that take them.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i64 i64) (result i32)))
  (memory (export "memory") i64 1)
  (func (export "_start") (drop (call $random (i64.const 0) (i64.const 8)))))
