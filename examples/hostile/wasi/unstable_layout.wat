;; The older interface has facts about a file of 56 bytes: the eight behind them are not its own.
;; Uses both versions at once, on the mount with the number 3.
(module
  (import "wasi_unstable" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_unstable" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_seek" (func $seek_old (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 256) "in.txt../outside/secret.txt")
  (func $must (param i32) (if (i32.eqz (local.get 0)) (then (call $exit (i32.const 42)))))
  (func (export "_start") (local $fd i32)
    ;; 56 bytes end at 184
    (i64.store (i32.const 184) (i64.const 0x5a5a5a5a5a5a5a5a))
    (drop (call $stat (i32.const 3) (i32.const 128)))
    (call $must (i64.eq (i64.load (i32.const 184)) (i64.const 0x5a5a5a5a5a5a5a5a)))
    (call $must (call $open (i32.const 3) (i32.const 1) (i32.const 262) (i32.const 21)
      (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 0)))
    (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 256) (i32.const 6)
          (i32.const 0) (i64.const 38) (i64.const 0) (i32.const 0) (i32.const 0)))
      (then
        (local.set $fd (i32.load (i32.const 0)))
        ;; "2" is the start of the file there, and its end here; before the start is nowhere
        (call $must (call $seek_old (local.get $fd) (i64.const -1) (i32.const 2) (i32.const 8)))
        (call $must (call $seek (local.get $fd) (i64.const -1) (i32.const 0) (i32.const 8)))
        (call $must (i32.eqz
          (call $seek_old (local.get $fd) (i64.const 0) (i32.const 2) (i32.const 8))))
        (call $must (i64.eqz (i64.load (i32.const 8))))))))
