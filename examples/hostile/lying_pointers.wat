;; Answers messages with pointers and lengths that are not its to give.
(module
  (memory (export "memory") 1)

  ;; An allocator that points at the last bytes of 4 GiB, far beyond the page.
  (func (export "alloc_outside") (param i32) (result i32)
    (i32.const 0xfffffff0))
  ;; An honest one.
  (func (export "wasm_sandbox_alloc") (param i32) (result i32)
    (i32.const 1024))

  ;; 32 bytes at 0xfffffff0: their end wraps around to 16 in 32 bits.
  (func (export "wrap_around") (param i32 i32) (result i64)
    (i64.const 0xfffffff000000020))
  ;; All of 4 GiB from 0 on, as a negative length.
  (func (export "whole_address_space") (param i32 i32) (result i64)
    (i64.const 0x00000000ffffffff))
  ;; Bytes that are no UTF-8, as the text of a reply.
  (func (export "broken_text") (param i32 i32) (result i64)
    (i32.store (i32.const 2048) (i32.const 0xffc0fe80))
    (i64.const 0x0000080000000004)))
