;; Exports a number as its memory, and its memory by another name.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "mem") 1)
  (global (export "memory") i32 (i32.const 65536))
  (func (export "_start")
    (if (i32.eqz (call $random (i32.const 0) (i32.const 8))) (then (call $exit (i32.const 42))))))
