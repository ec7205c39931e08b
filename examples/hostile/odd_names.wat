;; Exports names that JavaScript gives a meaning: an object with a `then` is
;; awaited, one with a `toJSON` is asked, and `__proto__` is what it inherits.
(module
  (func (export "then") (result i32) (i32.const 1))
  (func (export "__proto__") (result i32) (i32.const 2))
  (func (export "toJSON") (result i32) (i32.const 3))
  (func (export "") (result i32) (i32.const 4)))
