;; Has one function of 101 bytes.
(module
  (memory (export "memory") 1)
  (func (export "_start"))
  (func (export "run")
  nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop
  nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop
  nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop
  nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop
  nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop
  nop nop nop nop))
