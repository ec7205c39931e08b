;; Spins inside of a handler of every exception, within a loop that begins
;; again whatever was caught: a deadline that is thrown would be swallowed.
(module
  (func (export "run")
    (loop $again
      (block $caught
        (try_table (catch_all $caught)
          (loop $spin
            (br $spin))))
      (br $again))))
