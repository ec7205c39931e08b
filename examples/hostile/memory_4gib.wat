;; Asks for all that 32 bits can address before it has run.
(module
  (memory 65536)
  (func (export "run")))
