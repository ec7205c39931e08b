;; A program that needs nothing, and does nothing.
(module (memory (export "memory") 1) (func (export "_start")))
