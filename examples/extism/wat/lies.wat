;; A plug-in that lies to its host in every way that its functions allow.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "length_unsafe" (func $length_unsafe (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (memory (export "memory") 1)

  ;; handles that are none, with what reads and writes: 0 if nothing came of it
  (func $touch (param $at i64) (result i32)
    (call $store_u8 (local.get $at) (i32.const 255))
    (call $store_u64 (local.get $at) (i64.const -1))
    (call $free (local.get $at))
    (call $var_set (local.get $at) (local.get $at))
    (i32.or
      (i32.or
        (call $load_u8 (local.get $at))
        (i64.ne (call $load_u64 (local.get $at)) (i64.const 0)))
      (i32.or
        (i64.ne (call $length (local.get $at)) (i64.const 0))
        (i64.ne (call $length_unsafe (local.get $at)) (i64.const 0)))))

  (func (export "outside") (result i32)
    (i32.or
      (i32.or
        (call $touch (i64.const -1))
        (call $touch (i64.const -8)))
      (i32.or
        (i32.or
          (call $touch (i64.const 0x7fffffffffffffff))
          (call $touch (i64.const 0x100000000)))
        (i32.or
          (call $input_load_u8 (i64.const -1))
          (i64.ne (call $input_load_u64 (i64.const -4)) (i64.const 0))))))

  ;; frees a block twice, and gives it away; two blocks must not be one
  (func (export "free_twice") (result i32)
    (local $a i64)
    (local $b i64)
    (local.set $a (call $alloc (i64.const 60000)))
    (call $free (local.get $a))
    (call $free (local.get $a))
    (call $free (i64.add (local.get $a) (i64.const 64)))
    (local.set $a (call $alloc (i64.const 60000)))
    (local.set $b (call $alloc (i64.const 60000)))
    (i64.eq (local.get $a) (local.get $b)))

  ;; a range that begins within memory and ends beyond 2^64
  (func (export "long_output") (result i32)
    (call $output_set (call $alloc (i64.const 8)) (i64.const -1))
    (i32.const 0))

  (func (export "freed_output") (result i32)
    (local $a i64)
    (local.set $a (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $a) (i64.const 42))
    (call $free (local.get $a))
    (call $output_set (local.get $a) (i64.const 8))
    (i32.const 0))

  ;; an error that is no text, and one that is no block
  (func (export "odd_error") (result i32)
    (local $a i64)
    (local.set $a (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $a) (i64.const 0x0a0d1bc0ff00fe80))
    (call $error_set (local.get $a))
    (i32.const 0))

  (func (export "no_error") (result i32)
    (call $error_set (i64.const -1))
    (call $error_set (i64.const 12345))
    (i32.const 0))

  ;; takes blocks until there are no more; gives how many were refused
  (func (export "alloc_flood") (result i32)
    (local $i i32)
    (local $refused i32)
    (loop $again
      (if (i64.eqz (call $alloc (i64.const 65536)))
        (then (local.set $refused (i32.add (local.get $refused) (i32.const 1)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000))))
    (drop (call $alloc (i64.const -1)))
    (drop (call $alloc (i64.const 0xffffffff)))
    (i32.eqz (local.get $refused)))

  ;; small blocks, all freed, again and again
  (func (export "churn") (result i32)
    (local $i i32)
    (loop $again
      (call $free (call $alloc (i64.extend_i32_u
        (i32.add (i32.and (local.get $i) (i32.const 0xffff)) (i32.const 1)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000))))
    (i32.const 0))

  ;; variables with ever new names, no value of which is large
  (func (export "var_flood") (result i32)
    (local $i i32)
    (local $key i64)
    (local.set $key (call $alloc (i64.const 8)))
    (loop $again
      (call $store_u64 (local.get $key)
        (i64.add (i64.const 0x3030303030303030) (i64.extend_i32_u (local.get $i))))
      (call $var_set (local.get $key) (local.get $key))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 200000))))
    (i32.const 0))

  ;; one line of the log after the other
  (func (export "log_flood") (result i32)
    (local $i i32)
    (local $line i64)
    (loop $again
      (local.set $line (call $alloc (i64.const 60000)))
      (call $log_info (local.get $line))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 20000))))
    (i32.const 0))

  ;; a request that is no JSON, or what the input is
  (func (export "request") (result i32)
    (drop (call $http_request (call $input_offset) (i64.const -1)))
    (i32.const 0))

  (func (export "read_config") (result i32)
    (local $value i64)
    (local.set $value (call $config_get (call $input_offset)))
    (call $output_set (local.get $value) (call $length (local.get $value)))
    (i32.const 0)))
