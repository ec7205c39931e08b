;; Has a memory that may change while the host looks.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1 1 shared)
  (func (export "_start") (drop (call $random (i32.const 0) (i32.const 8)))))
