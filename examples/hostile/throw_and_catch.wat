;; Throws and catches for ever, in the older encoding of exceptions: all its
;; time is spent in the engine's unwinder.
(module
  (tag $ball (param i32))
  (func (export "run")
    (loop $again
      (try
        (do
          (throw $ball (i32.const 1)))
        (catch_all))
      (br $again))))
