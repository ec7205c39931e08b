;; Imports constants.
(module
  (import "env" "small" (global $small i32))
  (import "env" "wide" (global $wide i64))
  (func (export "small") (result i32) (global.get $small))
  (func (export "wide") (result i64) (global.get $wide)))
