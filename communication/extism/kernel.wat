;; The kernel of Extism plug-ins: the memory that host and plug-in share, and
;; the functions of "extism:host/env" that work on nothing else.
;;
;; What the plug-in can write (memory $data) and what is known about its blocks
;; (memory $meta) are two memories, so nothing that a plug-in writes can forge a
;; block. Blocks are made of granules of 64 bytes; a handle is the address of the
;; block's first byte, a multiple of 64, and 0 is none. Every function takes
;; constant time: allocation takes the end of what is there, then a free block of
;; a fitting class (four to each power of two, found by two bitmaps), then more
;; pages. Free blocks are not joined: the host resets all of them for each call.
;;
;; $meta holds the heads of the free lists, 4 bytes for each of 112 classes, and
;; from 1024 on 8 bytes for each granule that begins a block: its length in bytes
;; (of a free block the granule of the next one), and size in granules * 4 + 1 if
;; it lives, + 2 if it is free.
(module
  (import "kernel" "data" (memory $data 1 65536))
  (import "kernel" "meta" (memory $meta 1 65536))

  ;; end of what was handed out, in bytes; granule 0 is no block's
  (global $top (mut i32) (i32.const 64))
  (global $low (mut i64) (i64.const 0))
  (global $high (mut i64) (i64.const 0))
  (global $input (mut i32) (i32.const 0))
  (global $inputLength (mut i32) (i32.const 0))
  (global $output (mut i32) (i32.const 0))
  (global $outputLength (mut i32) (i32.const 0))
  (global $error (mut i32) (i32.const 0))
  ;; whether output_set was called since the last reset
  (global $hasOutput (mut i32) (i32.const 0))

  ;; ---- what is known about a block

  ;; where it is known: at 0, which no block has, for what is no block's begin
  (func $entry (param $handle i64) (result i32)
    (local $at i32)
    (if (i64.ge_u (local.get $handle) (i64.extend_i32_u (global.get $top)))
      (then (return (i32.const 0))))
    (local.set $at (i32.wrap_i64 (local.get $handle)))
    (if (i32.or (i32.eqz (local.get $at)) (i32.and (local.get $at) (i32.const 63)))
      (then (return (i32.const 0))))
    (local.set $at
      (i32.add (i32.const 1024) (i32.shr_u (local.get $at) (i32.const 3))))
    (select
      (local.get $at)
      (i32.const 0)
      (i32.eq
        (i32.and (i32.load $meta offset=4 (local.get $at)) (i32.const 3))
        (i32.const 1))))

  (func $length (export "length") (export "length_unsafe")
    (param $handle i64) (result i64)
    (local $at i32)
    (local.set $at (call $entry (local.get $handle)))
    (if (i32.eqz (local.get $at)) (then (return (i64.const 0))))
    (i64.load32_u $meta (local.get $at)))

  ;; notes a block at a granule, as living
  (func $note (param $granule i32) (param $granules i32) (param $length i32)
    (local $at i32)
    (local.set $at
      (i32.add (i32.const 1024) (i32.shl (local.get $granule) (i32.const 3))))
    (i32.store $meta (local.get $at) (local.get $length))
    (i32.store $meta offset=4 (local.get $at)
      (i32.or (i32.shl (local.get $granules) (i32.const 2)) (i32.const 1))))

  ;; ---- classes of free blocks

  ;; the class that a size belongs to, rounded down
  (func $class (param $granules i32) (result i32)
    (local $exponent i32)
    (if (i32.lt_u (local.get $granules) (i32.const 8))
      (then (return (local.get $granules))))
    (local.set $exponent (i32.sub (i32.const 31) (i32.clz (local.get $granules))))
    (i32.add
      (i32.add
        (i32.shl (i32.sub (local.get $exponent) (i32.const 3)) (i32.const 2))
        (i32.const 8))
      (i32.and
        (i32.shr_u (local.get $granules) (i32.sub (local.get $exponent) (i32.const 2)))
        (i32.const 3))))

  ;; the least class whose every block has at least so many granules
  (func $fitting (param $granules i32) (result i32)
    (if (i32.lt_u (local.get $granules) (i32.const 8))
      (then (return (local.get $granules))))
    (call $class
      (i32.add
        (local.get $granules)
        (i32.sub
          (i32.shl
            (i32.const 1)
            (i32.sub (i32.const 29) (i32.clz (local.get $granules))))
          (i32.const 1)))))

  (func $mark (param $class i32)
    (if (i32.lt_u (local.get $class) (i32.const 64))
      (then (global.set $low
        (i64.or (global.get $low)
          (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $class))))))
      (else (global.set $high
        (i64.or (global.get $high)
          (i64.shl (i64.const 1)
            (i64.extend_i32_u (i32.sub (local.get $class) (i32.const 64)))))))))

  (func $unmark (param $class i32)
    (if (i32.lt_u (local.get $class) (i32.const 64))
      (then (global.set $low
        (i64.and (global.get $low)
          (i64.rotl (i64.const -2) (i64.extend_i32_u (local.get $class))))))
      (else (global.set $high
        (i64.and (global.get $high)
          (i64.rotl (i64.const -2)
            (i64.extend_i32_u (i32.sub (local.get $class) (i32.const 64)))))))))

  ;; the least class from this one on that has a free block; -1 if there is none
  (func $find (param $class i32) (result i32)
    (local $rest i64)
    (if (i32.lt_u (local.get $class) (i32.const 64))
      (then
        (local.set $rest
          (i64.and (global.get $low)
            (i64.shl (i64.const -1) (i64.extend_i32_u (local.get $class)))))
        (if (i64.ne (local.get $rest) (i64.const 0))
          (then (return (i32.wrap_i64 (i64.ctz (local.get $rest))))))
        (local.set $class (i32.const 64))))
    (local.set $rest
      (i64.and (global.get $high)
        (i64.shl (i64.const -1)
          (i64.extend_i32_u (i32.sub (local.get $class) (i32.const 64))))))
    (if (i64.eqz (local.get $rest)) (then (return (i32.const -1))))
    (i32.add (i32.const 64) (i32.wrap_i64 (i64.ctz (local.get $rest)))))

  ;; puts a block at the head of its list
  (func $put (param $granule i32) (param $granules i32)
    (local $class i32)
    (local $head i32)
    (local $at i32)
    (local.set $class (call $class (local.get $granules)))
    (local.set $head (i32.shl (local.get $class) (i32.const 2)))
    (local.set $at
      (i32.add (i32.const 1024) (i32.shl (local.get $granule) (i32.const 3))))
    (i32.store $meta (local.get $at) (i32.load $meta (local.get $head)))
    (i32.store $meta offset=4 (local.get $at)
      (i32.or (i32.shl (local.get $granules) (i32.const 2)) (i32.const 2)))
    (i32.store $meta (local.get $head) (local.get $granule))
    (call $mark (local.get $class)))

  ;; takes a free block, and puts back what is too much; 0 if there is none
  (func $take (param $granules i32) (param $length i32) (result i32)
    (local $class i32)
    (local $head i32)
    (local $granule i32)
    (local $at i32)
    (local $rest i32)
    (local.set $class (call $find (call $fitting (local.get $granules))))
    (if (i32.lt_s (local.get $class) (i32.const 0)) (then (return (i32.const 0))))
    (local.set $head (i32.shl (local.get $class) (i32.const 2)))
    (local.set $granule (i32.load $meta (local.get $head)))
    (local.set $at
      (i32.add (i32.const 1024) (i32.shl (local.get $granule) (i32.const 3))))
    (i32.store $meta (local.get $head) (i32.load $meta (local.get $at)))
    (if (i32.eqz (i32.load $meta (local.get $at)))
      (then (call $unmark (local.get $class))))
    (local.set $rest
      (i32.sub
        (i32.shr_u (i32.load $meta offset=4 (local.get $at)) (i32.const 2))
        (local.get $granules)))
    (if (i32.ge_u (local.get $rest) (i32.const 2))
      (then (call $put
        (i32.add (local.get $granule) (local.get $granules))
        (local.get $rest)))
      (else (local.set $granules (i32.add (local.get $granules) (local.get $rest)))))
    (call $note (local.get $granule) (local.get $granules) (local.get $length))
    (i32.shl (local.get $granule) (i32.const 6)))

  ;; ---- allocation

  ;; grows both memories until so many bytes of data are there
  (func $grow (param $end i64) (result i32)
    (local $more i64)
    (local.set $more
      (i64.sub
        (i64.shr_u (i64.add (local.get $end) (i64.const 65535)) (i64.const 16))
        (i64.extend_i32_u (memory.size $data))))
    (if (i64.gt_s (local.get $more) (i64.const 0))
      (then
        (if (i64.gt_u (local.get $more) (i64.const 65535))
          (then (return (i32.const 0))))
        (if (i32.eq
              (memory.grow $data (i32.wrap_i64 (local.get $more)))
              (i32.const -1))
          (then (return (i32.const 0))))))
    ;; 8 bytes for 64, and the heads
    (local.set $more
      (i64.sub
        (i64.shr_u
          (i64.add
            (i64.add (i64.shr_u (local.get $end) (i64.const 3)) (i64.const 1024))
            (i64.const 65535))
          (i64.const 16))
        (i64.extend_i32_u (memory.size $meta))))
    (if (i64.gt_s (local.get $more) (i64.const 0))
      (then (if (i32.eq
              (memory.grow $meta (i32.wrap_i64 (local.get $more)))
              (i32.const -1))
          (then (return (i32.const 0))))))
    (i32.const 1))

  (func $bump (param $end i64) (param $length i32) (result i64)
    (local $handle i32)
    (local.set $handle (global.get $top))
    (global.set $top (i32.wrap_i64 (local.get $end)))
    (call $note
      (i32.shr_u (local.get $handle) (i32.const 6))
      (i32.shr_u
        (i32.sub (global.get $top) (local.get $handle))
        (i32.const 6))
      (local.get $length))
    (i64.extend_i32_u (local.get $handle)))

  (func (export "alloc") (param $length i64) (result i64)
    (local $size i64)
    (local $end i64)
    (local $handle i32)
    (if (i64.eqz (local.get $length)) (then (return (i64.const 0))))
    ;; what is above this cannot be had, and would overflow below
    (if (i64.gt_u (local.get $length) (i64.const 0xfff00000))
      (then (return (i64.const 0))))
    (local.set $size
      (i64.and (i64.add (local.get $length) (i64.const 63)) (i64.const -64)))
    (local.set $end
      (i64.add (i64.extend_i32_u (global.get $top)) (local.get $size)))
    (if (i64.le_u (local.get $end)
          (i64.shl (i64.extend_i32_u (memory.size $data)) (i64.const 16)))
      (then
        (if (i32.eqz (call $grow (local.get $end)))
          (then (return (i64.const 0))))
        (return (call $bump
          (local.get $end)
          (i32.wrap_i64 (local.get $length))))))
    (local.set $handle
      (call $take
        (i32.wrap_i64 (i64.shr_u (local.get $size) (i64.const 6)))
        (i32.wrap_i64 (local.get $length))))
    (if (local.get $handle)
      (then (return (i64.extend_i32_u (local.get $handle)))))
    (if (i64.gt_u (local.get $end) (i64.const 0xffffffc0))
      (then (return (i64.const 0))))
    (if (i32.eqz (call $grow (local.get $end))) (then (return (i64.const 0))))
    (call $bump (local.get $end) (i32.wrap_i64 (local.get $length))))

  (func (export "free") (param $handle i64)
    (local $at i32)
    (local.set $at (call $entry (local.get $handle)))
    (if (i32.eqz (local.get $at)) (then (return)))
    (call $put
      (i32.wrap_i64 (i64.shr_u (local.get $handle) (i64.const 6)))
      (i32.shr_u (i32.load $meta offset=4 (local.get $at)) (i32.const 2)))
    (if (i64.eq (local.get $handle) (i64.extend_i32_u (global.get $input)))
      (then (global.set $inputLength (i32.const 0)))))

  ;; ---- reading and writing; what lies outside reads as 0 and is not written

  (func (export "load_u8") (param $at i64) (result i32)
    (if (i64.ge_u (local.get $at)
          (i64.shl (i64.extend_i32_u (memory.size $data)) (i64.const 16)))
      (then (return (i32.const 0))))
    (i32.load8_u $data (i32.wrap_i64 (local.get $at))))

  (func (export "load_u64") (param $at i64) (result i64)
    (if (i64.gt_u (local.get $at)
          (i64.sub
            (i64.shl (i64.extend_i32_u (memory.size $data)) (i64.const 16))
            (i64.const 8)))
      (then (return (i64.const 0))))
    (i64.load $data (i32.wrap_i64 (local.get $at))))

  (func (export "store_u8") (param $at i64) (param $value i32)
    (if (i64.ge_u (local.get $at)
          (i64.shl (i64.extend_i32_u (memory.size $data)) (i64.const 16)))
      (then (return)))
    (i32.store8 $data (i32.wrap_i64 (local.get $at)) (local.get $value)))

  (func (export "store_u64") (param $at i64) (param $value i64)
    (if (i64.gt_u (local.get $at)
          (i64.sub
            (i64.shl (i64.extend_i32_u (memory.size $data)) (i64.const 16))
            (i64.const 8)))
      (then (return)))
    (i64.store $data (i32.wrap_i64 (local.get $at)) (local.get $value)))

  ;; ---- input, output, error

  (func (export "input_offset") (result i64)
    (i64.extend_i32_u (global.get $input)))

  (func (export "input_length") (result i64)
    (i64.extend_i32_u (global.get $inputLength)))

  (func (export "input_load_u8") (param $at i64) (result i32)
    (if (i64.ge_u (local.get $at) (i64.extend_i32_u (global.get $inputLength)))
      (then (return (i32.const 0))))
    (i32.load8_u $data
      (i32.add (global.get $input) (i32.wrap_i64 (local.get $at)))))

  (func (export "input_load_u64") (param $at i64) (result i64)
    (if (i64.ge_u (local.get $at) (i64.extend_i32_u (global.get $inputLength)))
      (then (return (i64.const 0))))
    (if (i64.lt_u
          (i64.sub
            (i64.extend_i32_u (global.get $inputLength))
            (local.get $at))
          (i64.const 8))
      (then (return (i64.const 0))))
    (i64.load $data
      (i32.add (global.get $input) (i32.wrap_i64 (local.get $at)))))

  ;; whether a range lies in what was handed out
  (func $isRange (param $at i64) (param $length i64) (result i32)
    (if (i64.gt_u (local.get $at) (i64.extend_i32_u (global.get $top)))
      (then (return (i32.const 0))))
    (i64.le_u
      (local.get $length)
      (i64.sub (i64.extend_i32_u (global.get $top)) (local.get $at))))

  ;; for the host alone
  (func (export "input_set") (param $at i64) (param $length i64)
    (if (i32.eqz (call $isRange (local.get $at) (local.get $length)))
      (then (return)))
    (global.set $input (i32.wrap_i64 (local.get $at)))
    (global.set $inputLength (i32.wrap_i64 (local.get $length))))

  (func (export "output_set") (param $at i64) (param $length i64)
    (if (i32.eqz (call $isRange (local.get $at) (local.get $length)))
      (then (return)))
    (global.set $output (i32.wrap_i64 (local.get $at)))
    (global.set $outputLength (i32.wrap_i64 (local.get $length)))
    (global.set $hasOutput (i32.const 1)))

  ;; for the host alone
  (func (export "has_output") (result i32) (global.get $hasOutput))
  (func (export "output_offset") (result i32) (global.get $output))
  (func (export "output_length") (result i32) (global.get $outputLength))

  (func (export "error_set") (param $handle i64)
    (if (i64.ge_u (local.get $handle) (i64.extend_i32_u (global.get $top)))
      (then (return)))
    (global.set $error (i32.wrap_i64 (local.get $handle))))

  (func (export "error_get") (result i64)
    (i64.extend_i32_u (global.get $error)))

  ;; for the host alone: no block is left, and nothing is set
  (func (export "reset")
    (memory.fill $meta
      (i32.const 0)
      (i32.const 0)
      (i32.add (i32.const 1024) (i32.shr_u (global.get $top) (i32.const 3))))
    (global.set $top (i32.const 64))
    (global.set $low (i64.const 0))
    (global.set $high (i64.const 0))
    (global.set $input (i32.const 0))
    (global.set $inputLength (i32.const 0))
    (global.set $output (i32.const 0))
    (global.set $outputLength (i32.const 0))
    (global.set $error (i32.const 0))
    (global.set $hasOutput (i32.const 0)))
)
