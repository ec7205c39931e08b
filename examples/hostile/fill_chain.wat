;; Each memory.fill is one instruction that writes 64 MiB. A check between
;; instructions alone would come late.
(module
  (memory 1024)
  (func (export "run")
    (loop $again
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x4000000))
      (memory.fill (i32.const 0) (i32.const 2) (i32.const 0x4000000))
      (memory.fill (i32.const 0) (i32.const 3) (i32.const 0x4000000))
      (memory.fill (i32.const 0) (i32.const 4) (i32.const 0x4000000))
      (br $again))))
