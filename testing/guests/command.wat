;; A program: does what the first letter of its first argument says, as much as
;; the digits behind it say, and gives its result as exit code. The first page
;; is for names and results; 64 KiB of room begin at 65536.
(module
  (import "wasi_snapshot_preview1" "args_get"
    (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get"
    (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close"
    (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)

  (func $buffer (param $at i32) (param $length i32)
    (i32.store (i32.const 56) (local.get $at))
    (i32.store (i32.const 60) (local.get $length)))
  (func $put (param $fd i32) (param $length i32) (result i32)
    (call $buffer (i32.const 65536) (local.get $length))
    (call $fd_write (local.get $fd) (i32.const 56) (i32.const 1)
      (i32.const 52)))
  ;; a piece of so many bytes: how many there were
  (func $get (param $fd i32) (param $length i32) (result i32)
    (call $buffer (i32.const 65536) (local.get $length))
    (if (call $fd_read (local.get $fd) (i32.const 56) (i32.const 1)
      (i32.const 52)) (then (return (i32.const 0))))
    (i32.load (i32.const 52)))
  (func $read_all (param $piece i32) (result i32) (local $sum i32)
    (local $some i32)
    (block (loop
      (br_if 1 (i32.eqz
        (local.tee $some (call $get (i32.const 0) (local.get $piece)))))
      (local.set $sum (i32.add (local.get $sum) (local.get $some)))
      (br 0)))
    (local.get $sum))
  (func $show_args (result i32) (local $error i32)
    (if (local.tee $error (call $args_sizes_get (i32.const 64)
      (i32.const 68))) (then (return (local.get $error))))
    (if (local.tee $error (call $args_get (i32.const 1024)
      (i32.const 65536))) (then (return (local.get $error))))
    (call $put (i32.const 1) (i32.load (i32.const 68))))
  (func $show_environment (result i32) (local $error i32)
    (if (local.tee $error (call $environ_sizes_get (i32.const 64)
      (i32.const 68))) (then (return (local.get $error))))
    (if (local.tee $error (call $environ_get (i32.const 1024)
      (i32.const 65536))) (then (return (local.get $error))))
    (call $put (i32.const 1) (i32.load (i32.const 68))))
  (func $sleep (param $ms i32) (result i32)
    (i32.store (i32.const 80) (i32.const 0))
    (i32.store (i32.const 88) (i32.const 1))
    (i64.store (i32.const 96) (i64.mul (i64.const 1000000)
      (i64.extend_i32_u (local.get $ms))))
    (call $poll_oneoff (i32.const 72) (i32.const 200) (i32.const 1)
      (i32.const 48)))
  (func $deep (param i32) (result i32)
    (i32.add (call $deep (i32.add (local.get 0) (i32.const 1)))
      (i32.const 1)))
  ;; what is done so often: gives what the last one gave
  (func $repeat (param $op i32) (param $n i32) (result i32) (local $last i32)
    (block (loop
      (br_if 1 (i32.eqz (local.get $n)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (if (i32.eq (local.get $op) (i32.const 104)) ;; h: asks its host
        (then (local.set $last (call $fd_close (i32.const 99)))))
      (br 0)))
    (local.get $last))
  (func $run (export "run") (param $op i32) (param $n i32) (result i32)
    (if (i32.eq (local.get $op) (i32.const 97)) ;; a: its arguments
      (then (return (call $show_args))))
    (if (i32.eq (local.get $op) (i32.const 99)) ;; c: the time
      (then (return (call $clock_time_get (i32.const 0) (i64.const 1)
        (i32.const 48)))))
    (if (i32.eq (local.get $op) (i32.const 101)) ;; e: bytes to stderr
      (then (return (call $put (i32.const 2) (local.get $n)))))
    (if (i32.eq (local.get $op) (i32.const 105)) ;; i: all of stdin, in pieces
      (then (return (call $read_all (local.get $n)))))
    (if (i32.eq (local.get $op) (i32.const 107)) ;; k: random bytes
      (then (return (call $random_get (i32.const 48) (i32.const 8)))))
    (if (i32.eq (local.get $op) (i32.const 109)) ;; m: grows its memory
      (then (return (select (i32.const 99) (i32.const 0)
        (i32.lt_s (memory.grow (local.get $n)) (i32.const 0))))))
    (if (i32.eq (local.get $op) (i32.const 111)) ;; o: bytes to stdout
      (then (return (call $put (i32.const 1) (local.get $n)))))
    (if (i32.eq (local.get $op) (i32.const 113)) ;; q: copies stdin to stdout
      (then (return (call $put (i32.const 1)
        (call $get (i32.const 0) (i32.const 60000))))))
    (if (i32.eq (local.get $op) (i32.const 114)) ;; r: recursion without end
      (then (return (call $deep (i32.const 0)))))
    (if (i32.eq (local.get $op) (i32.const 115)) ;; s: a loop without end
      (then (loop (br 0))))
    (if (i32.eq (local.get $op) (i32.const 117)) ;; u: a trap
      (then (unreachable)))
    (if (i32.eq (local.get $op) (i32.const 118)) ;; v: its variables
      (then (return (call $show_environment))))
    (if (i32.eq (local.get $op) (i32.const 120)) ;; x: an exit code
      (then (return (local.get $n))))
    (if (i32.eq (local.get $op) (i32.const 122)) ;; z: sleeps
      (then (return (call $sleep (local.get $n)))))
    (call $repeat (local.get $op) (local.get $n)))
  (func (export "_start") (local $at i32) (local $op i32) (local $n i32)
    (local $digit i32)
    (drop (call $args_get (i32.const 1024) (i32.const 2048)))
    (local.set $at (i32.load (i32.const 1028)))
    (local.set $op (i32.load8_u (local.get $at)))
    (block (loop
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $digit
        (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
      (br_if 1 (i32.gt_u (local.get $digit) (i32.const 9)))
      (local.set $n (i32.add (local.get $digit)
        (i32.mul (local.get $n) (i32.const 10))))
      (br 0)))
    (call $proc_exit (call $run (local.get $op) (local.get $n)))))
