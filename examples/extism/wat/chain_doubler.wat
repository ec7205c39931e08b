;; Is linked with chain_main.wat, and it with this: a cycle of functions.
(module
  (import "main" "add_one" (func $add (param i64) (result i64)))
  (func (export "double") (param $value i64) (result i64)
    (call $add (i64.mul (local.get $value) (i64.const 2)))))
