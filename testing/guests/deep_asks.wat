;; Recurses without end, and asks its host on each level.
(module
  (import "env" "deep" (func $deep (param i32)))
  (func $down (export "down") (param i32) (result i32)
    (call $deep (local.get 0))
    (i32.add (call $down (i32.add (local.get 0) (i32.const 1)))
      (i32.const 1)))
  (func (export "once") (param i32) (call $deep (local.get 0)))
  (func (export "answer") (result i32) (i32.const 42)))
