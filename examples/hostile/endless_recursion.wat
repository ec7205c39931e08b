;; Calls itself until the stack that it shares with the host is full, and
;; catches what it can on the way up to begin again.
(module
  (func $deeper (export "run") (result i32)
    (try (result i32)
      (do
        (i32.add (call $deeper) (i32.const 1)))
      (catch_all
        (call $deeper)))))
