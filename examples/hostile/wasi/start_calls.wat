;; Calls WASI from the start function, before anybody ran it: it writes, and exits.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\20\00\00\00\06\00\00\00")
  (data (i32.const 32) "early\n../outside/secret.txt")
  (start $early)
  (func $early
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0)))
    (if (i32.eqz (call $open (i32.const 3) (i32.const 1) (i32.const 38) (i32.const 21)
          (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 0)))
      (then (call $exit (i32.const 42))))
    (call $exit (i32.const 5)))
  (func (export "_start") (call $exit (i32.const 42))))
