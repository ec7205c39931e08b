;; Recurses without end, and asks its host on the way.
(module
  (import "env" "deep" (func $deep (param i32)))
  ;; level, and a mask of the levels that ask
  (func $down (export "down") (param i32 i32) (result i32)
    (if (i32.eqz (i32.and (local.get 0) (local.get 1)))
      (then (call $deep (local.get 0))))
    (i32.add (i32.const 1) (call $down
      (i32.add (local.get 0) (i32.const 1)) (local.get 1))))
  (func (export "once") (param i32) (call $deep (local.get 0)))
  (func (export "answer") (result i32) (i32.const 42)))
