;; Grows its memory between calls, to the limit, so that what the host kept of it is stale.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $page i32)
    (if (call $random (i32.const 0) (i32.const 1)) (then (return)))
    (loop $next
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $page) (i32.const -1)) (then
        ;; the whole of the new page is there, and not one byte more
        (if (call $random (i32.mul (local.get $page) (i32.const 65536)) (i32.const 65536))
          (then (call $exit (i32.const 1))))
        (if (i32.eqz (call $random
              (i32.add (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
              (i32.const 65536)))
          (then (call $exit (i32.const 42))))
        (br_if $next (i32.lt_u (local.get $page) (i32.const 500))))))))
