;; Exports names that mean something to JavaScript.
(module
  (func (export "then") (result i32) (i32.const 0))
  (func (export "__proto__") (result i32) (i32.const 1))
  (func (export "constructor") (result i32) (i32.const 2))
  (func (export "toJSON") (result i32) (i32.const 3))
  (func (export "") (result i32) (i32.const 4))
  (func (export "valueOf") (result i32) (i32.const 5)))
