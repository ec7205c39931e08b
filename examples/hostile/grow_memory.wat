;; Grows its memory page by page until it is refused. Returns how many pages
;; it has then, and the last answer of memory.grow.
(module
  (memory 0)
  (func (export "run") (result i32 i32)
    (local $answer i32)
    (loop $again
      (local.set $answer (memory.grow (i32.const 1)))
      (br_if $again (i32.ne (local.get $answer) (i32.const -1))))
    (memory.size)
    (local.get $answer)))
