;; Begins with eleven elements.
(module (table 11 funcref) (func (export "run")))
