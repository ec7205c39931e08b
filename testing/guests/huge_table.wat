;; Begins with eleven elements.
(module
  (memory (export "memory") 1)
  (table 11 funcref)
  (func (export "run")) (func (export "_start")))
