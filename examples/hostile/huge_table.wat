;; Asks for ten million elements, some 230 MB of the host's, in few bytes.
(module
  (table 10000000 funcref)
  (func (export "run")))
