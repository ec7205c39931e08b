;; Two functions that call each other for ever: no loop to put a check into,
;; and no stack that grows until it overflows.
(module
  (func $ping (export "run")
    (return_call $pong))
  (func $pong
    (return_call $ping)))
