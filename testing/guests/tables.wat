;; Grows its table.
(module
  (table $t 4 funcref)
  (func (export "grow") (param i32) (result i32)
    (table.grow $t (ref.null func) (local.get 0)))
  (func (export "flood") (result i32)
    (loop (br_if 0 (i32.ge_s
      (table.grow $t (ref.null func) (i32.const 100)) (i32.const 0))))
    (table.size $t)))
