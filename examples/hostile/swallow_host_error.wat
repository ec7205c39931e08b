;; Calls a host function that throws, catches everything, and goes on.
(module
  (import "host" "fail" (func $fail))
  (func (export "run")
    (loop $again
      (block $caught
        (try_table (catch_all $caught)
          (call $fail)))
      (br $again))))
