;; Grows its memory, and uses it.
(module
  (memory (export "memory") 2)
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  ;; as much as there is; gives the pages
  (func (export "flood") (result i32)
    (loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
    (memory.size))
  ;; a byte into every 4 KiB, which are pages of the machine; gives the pages
  (func (export "touch") (result i32) (local i32)
    (loop
      (i32.store8 (i32.mul (local.get 0) (i32.const 4096)) (i32.const 1))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get 0)
        (i32.mul (memory.size) (i32.const 16)))))
    (i32.div_u (local.get 0) (i32.const 16))))
