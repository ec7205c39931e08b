;; Every way to trap, each an export.
(module
  (type $none (func))
  (type $one (func (param i32) (result i32)))
  (memory (export "memory") 1 1)
  (table 4 funcref)
  (elem (i32.const 0) $nothing)
  (func $nothing)
  (func (export "unreachable") (unreachable))
  (func (export "divide_by_zero") (drop
    (i32.div_s (i32.const 1) (i32.const 0))))
  (func (export "remainder_by_zero") (drop
    (i64.rem_u (i64.const 1) (i64.const 0))))
  (func (export "division_overflows") (drop
    (i32.div_s (i32.const 0x80000000) (i32.const -1))))
  (func (export "division_of_64_overflows") (drop
    (i64.div_s (i64.const 0x8000000000000000) (i64.const -1))))
  (func (export "conversion_of_no_number") (drop
    (i32.trunc_f64_s (f64.const nan))))
  (func (export "conversion_overflows") (drop
    (i64.trunc_f32_u (f32.const 1e30))))
  (func (export "load_behind_the_end") (drop (i32.load (i32.const 65533))))
  (func (export "load_of_a_far_offset") (drop
    (i32.load offset=0xffffffff (i32.const 0xffffffff))))
  (func (export "store_behind_the_end")
    (i64.store (i32.const 65529) (i64.const 1)))
  (func (export "call_behind_the_table")
    (call_indirect (type $none) (i32.const 4)))
  (func (export "call_of_nothing")
    (call_indirect (type $none) (i32.const 1)))
  (func (export "call_of_another_type") (drop
    (call_indirect (type $one) (i32.const 0) (i32.const 0))))
  (func (export "indirect") (call_indirect (type $none) (i32.const 0)))
  ;; not a tail call: something is left to do after it
  (func $deep (export "recursion") (param i32) (result i32)
    (i32.add (call $deep (i32.add (local.get 0) (i32.const 1)))
      (i32.const 1)))
  (func (export "answer") (result i32) (i32.const 42)))
