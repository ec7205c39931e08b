;; Wants the functions of a version that does not exist.
(module
  (import "wasi_snapshot_preview2" "fd_close" (func (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
