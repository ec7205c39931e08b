;; Imports what every object has by inheritance.
(module
  (import "__proto__" "constructor" (func $a))
  (import "constructor" "toString" (func $b))
  (import "env" "hasOwnProperty" (func $c))
  (import "env" "__proto__" (func $d))
  (func (export "run") (call $a) (call $b) (call $c) (call $d)))
