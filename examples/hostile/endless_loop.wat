;; Never returns. Nothing in it calls, allocates or waits: only a check in the
;; loop itself can stop it.
(module
  (func (export "run")
    (loop $again
      (br $again))))
