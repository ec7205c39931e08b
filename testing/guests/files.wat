;; A program that uses files: does what the first letter of its first argument
;; says, as much as the digits behind it say, and gives the error of the last as
;; exit code. Its mount is the preopened directory named . or /workspace, or
;; else the first.
(module
  (import "wasi_snapshot_preview1" "args_get"
    (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
    (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $path_create_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "aaaa")
  (data (i32.const 20) "in.txt")
  (data (i32.const 26) "../../../etc/passwd")
  (global $mount (mut i32) (i32.const 3))

  ;; whether a name is "." or as long as "/workspace"
  (func $is_mount (param $fd i32) (param $length i32) (result i32)
    (if (i32.eq (local.get $length) (i32.const 10))
      (then (return (i32.const 1))))
    (if (i32.ne (local.get $length) (i32.const 1))
      (then (return (i32.const 0))))
    (drop (call $fd_prestat_dir_name (local.get $fd) (i32.const 72)
      (i32.const 1)))
    (i32.eq (i32.load8_u (i32.const 72)) (i32.const 46)))
  (func $find (local $fd i32)
    (local.set $fd (i32.const 3))
    (loop
      (if (i32.eqz (call $fd_prestat_get (local.get $fd) (i32.const 64)))
        (then
          (if (call $is_mount (local.get $fd) (i32.load (i32.const 68)))
            (then (global.set $mount (local.get $fd)) (return)))))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $fd) (i32.const 16)))))
  (func $next ;; another name of four letters each time
    (i32.store8 (i32.const 16)
      (i32.add (i32.load8_u (i32.const 16)) (i32.const 1))))
  (func $open (param $path i32) (param $length i32) (param $flags i32)
    (param $rights i64) (result i32)
    (call $path_open (global.get $mount) (i32.const 0) (local.get $path)
      (local.get $length) (local.get $flags) (local.get $rights)
      (i64.const 0) (i32.const 0) (i32.const 48)))
  (func $buffer (param $length i32)
    (i32.store (i32.const 56) (i32.const 65536))
    (i32.store (i32.const 60) (local.get $length)))
  (func $put (param $fd i32) (param $length i32) (result i32)
    (call $buffer (local.get $length))
    (call $fd_write (local.get $fd) (i32.const 56) (i32.const 1)
      (i32.const 52)))
  (func $get (param $fd i32) (param $length i32) (result i32)
    (call $buffer (local.get $length))
    (if (call $fd_read (local.get $fd) (i32.const 56) (i32.const 1)
      (i32.const 52)) (then (return (i32.const 0))))
    (i32.load (i32.const 52)))
  ;; in.txt, to the standard output
  (func $show_file (result i32) (local $error i32)
    (if (local.tee $error (call $open (i32.const 20) (i32.const 6)
      (i32.const 0) (i64.const 2))) (then (return (local.get $error))))
    (call $put (i32.const 1)
      (call $get (i32.load (i32.const 48)) (i32.const 60000))))
  (func $make_file (result i32)
    (call $next)
    (call $open (i32.const 16) (i32.const 4) (i32.const 1) (i64.const 0x46)))
  (func $write_file (param $length i32) (result i32) (local $error i32)
    (if (local.tee $error (call $make_file)) (then
      (return (local.get $error))))
    (call $put (i32.load (i32.const 48)) (local.get $length)))
  (func $make_directory (result i32)
    (call $next)
    (call $path_create_directory (global.get $mount) (i32.const 16)
      (i32.const 4)))
  ;; what is done so often: gives what the last one gave
  (func $repeat (param $op i32) (param $n i32) (result i32) (local $last i32)
    (block (loop
      (br_if 1 (i32.eqz (local.get $n)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (if (i32.eq (local.get $op) (i32.const 102)) ;; f: opens a file
        (then (local.set $last (call $make_file))))
      (if (i32.eq (local.get $op) (i32.const 100)) ;; d: makes a directory
        (then (local.set $last (call $make_directory))))
      (br 0)))
    (local.get $last))
  (func $run (param $op i32) (param $n i32) (result i32)
    (call $find)
    (if (i32.eq (local.get $op) (i32.const 103)) ;; g: a file out of reach
      (then (return (call $open (i32.const 26) (i32.const 19) (i32.const 0)
        (i64.const 2)))))
    (if (i32.eq (local.get $op) (i32.const 112)) ;; p: a file to stdout
      (then (return (call $show_file))))
    (if (i32.eq (local.get $op) (i32.const 119)) ;; w: bytes to a file
      (then (return (call $write_file (local.get $n)))))
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
