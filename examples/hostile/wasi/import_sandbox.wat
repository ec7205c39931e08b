;; Wants the sandbox's own functions.
(module
  (import "wasm_sandbox:epoch" "now" (func))
  (memory (export "memory") 1)
  (func (export "_start")))
