;; Tries to catch what its host throws.
(module
  (import "env" "none" (func $none))
  (func (export "run") (result i32)
    (block (try_table (catch_all 0) (call $none)) (return (i32.const 1)))
    (i32.const 2)))
