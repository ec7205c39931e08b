;; Grows its table a thousand elements at a time until it is refused. Returns
;; how many it has then, and the last answer of table.grow.
(module
  (table $t 0 funcref)
  (func (export "run") (result i32 i32)
    (local $answer i32)
    (loop $again
      (local.set $answer (table.grow $t (ref.null func) (i32.const 1000)))
      (br_if $again (i32.ne (local.get $answer) (i32.const -1))))
    (table.size $t)
    (local.get $answer)))
