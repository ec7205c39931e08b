;; Wants what every object of the host's language inherits.
(module
  (import "wasi_snapshot_preview1" "constructor" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "__proto__" (global externref))
  (memory (export "memory") 1)
  (func (export "_start")))
