;; Goes on working after its exit, in a handler and in a second call.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\20\00\00\00\08\00\00\00")
  (data (i32.const 32) "ESCAPED\n")
  (func $work (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0))))
  (func $leave (call $exit (i32.const 3)) (call $work))
  (func (export "_start")
    (try (do (call $leave)) (catch_all (call $work) (rethrow 0)))
    (call $work))
  (func (export "again") (call $work)))
