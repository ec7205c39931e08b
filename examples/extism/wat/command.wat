;; A command that others are linked with: each call of it begins anew.
(module
  (global $starts (mut i32) (i32.const 0))
  (func $start (export "_start")
    (global.set $starts (i32.add (global.get $starts) (i32.const 1))))
  (func (export "starts") (result i32) (global.get $starts))
  (start $start))
