;; An exit must not be caught by a handler of the old kind that catches everything.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (try (do (call $exit (i32.const 7))) (catch_all (call $exit (i32.const 42))))
    (loop (try (do (call $exit (i32.const 42))) (catch_all)) (br 0))))
