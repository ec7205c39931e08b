;; Tries to catch what its host throws.
(module
  (import "env" "none" (func $none))
  (func (export "run") (result i32)
    (try (result i32)
      (do (call $none) (i32.const 1))
      (catch_all (i32.const 2)))))
