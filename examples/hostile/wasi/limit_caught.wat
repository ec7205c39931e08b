;; A limit must not be caught either: floods the output and swallows what ends it.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "\00\00\01\00\00\00\01\00")
  (func $flood (loop
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0))) (br 0)))
  (func (export "_start")
    (loop $again
      (block $caught (try_table (catch_all $caught) (call $flood)))
      (br $again))))
