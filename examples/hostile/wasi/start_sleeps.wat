;; Sleeps for ever in the start function.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (start $sleep)
  (func $sleep
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 0x7fffffffffffffff))
    (loop (drop (call $poll (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 256))) (br 0)))
  (func (export "_start")))
