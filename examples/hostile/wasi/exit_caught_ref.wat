;; As exit_caught, by a handler of the new kind, which keeps what was thrown.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $exit (i32.const 7)))
      (unreachable))
    (drop)
    (call $exit (i32.const 42))))
