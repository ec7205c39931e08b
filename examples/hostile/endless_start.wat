;; Never returns from its start function, which runs before the host holds
;; anything of the instance's.
(module
  (func $start
    (loop $again
      (br $again)))
  (start $start))
