;; Has a start function, which asks its host.
(module
  (import "env" "started" (func $started (result i32)))
  (global $value (mut i32) (i32.const 0))
  (func $start (global.set $value (call $started)))
  (start $start)
  (func (export "value") (result i32) (global.get $value)))
