;; Has no memory, and passes pointers nevertheless. Exits with 0 if nothing was read or written.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func (export "_start")
    (if (i32.eqz (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0)))
      (then (call $exit (i32.const 42))))
    (if (i32.eqz (call $random (i32.const 0) (i32.const 1)))
      (then (call $exit (i32.const 42))))))
