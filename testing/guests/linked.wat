;; Uses the functions of another module.
(module
  (import "library" "add" (func $add (param i32 i32) (result i32)))
  (import "library" "count" (func $count (result i32)))
  (import "library" "grow" (func $grow (param i32) (result i32)))
  (import "library" "spin" (func $spin))
  (import "library" "trap" (func $trap))
  (memory 1)
  (func (export "add") (param i32 i32) (result i32)
    (call $add (local.get 0) (local.get 1)))
  (func (export "count") (result i32) (call $count))
  ;; what both can grow by together, one page at a time
  (func (export "flood") (result i32) (local i32)
    (block (loop
      (br_if 1 (i32.lt_s (memory.grow (i32.const 1)) (i32.const 0)))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (br 0)))
    (block (loop
      (br_if 1 (i32.lt_s (call $grow (i32.const 1)) (i32.const 0)))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (br 0)))
    (local.get 0))
  (func (export "spin") (call $spin))
  (func (export "trap") (call $trap)))
