;; Its entry takes a number and gives one.
(module (memory (export "memory") 1)
  (func (export "_start") (param i32) (result i32) (local.get 0)))
