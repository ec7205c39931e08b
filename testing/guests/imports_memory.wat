;; Imports a memory, which no host can grant.
(module (import "env" "memory" (memory 1)) (func (export "run")))
