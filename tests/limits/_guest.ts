/**
 * Guests that use as much of one thing as they are told.
 *
 * @module
 */

import { wat } from "../wasm.ts";

/** Functions of WASI that the guests use, with their types. */
const WASI: Readonly<Record<string, string>> = {
  "args_get": "(param i32 i32) (result i32)",
  "fd_allocate": "(param i32 i64 i64) (result i32)",
  "fd_close": "(param i32) (result i32)",
  "fd_filestat_set_size": "(param i32 i64) (result i32)",
  "fd_pwrite": "(param i32 i32 i32 i64 i32) (result i32)",
  "fd_read": "(param i32 i32 i32 i32) (result i32)",
  "fd_write": "(param i32 i32 i32 i32) (result i32)",
  "path_create_directory": "(param i32 i32 i32) (result i32)",
  "path_link": "(param i32 i32 i32 i32 i32 i32 i32) (result i32)",
  "path_open": "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
  "path_remove_directory": "(param i32 i32 i32) (result i32)",
  "path_symlink": "(param i32 i32 i32 i32 i32) (result i32)",
  "poll_oneoff": "(param i32 i32 i32 i32) (result i32)",
  "proc_exit": "(param i32)",
};

/**
 * Makes a guest. Its export `run` takes a number and gives one; as a program it
 * takes the number from its first argument, and its exit code is what `run`
 * gives. The first page is for the helpers: the name of `$next` at 16, a list
 * of one buffer at 32, results at 48, 64 KiB of room from 65536.
 *
 * @param body The body of `run`, where `$n` is the number and `$e` is free.
 * @param fields More of the module.
 * @returns The module.
 */
export function limitedGuest(
  body: string,
  fields = "",
): Promise<Uint8Array<ArrayBuffer>> {
  const wasi = Object.entries(WASI).map(([name, type]) =>
    `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${type}))`
  );
  return wat(`(module ${wasi.join("\n")}
    (import "env" "tick" (func $tick (param i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 16) "aaaa")
    ${fields}
    (func $next ;; another name each time
      (i32.store8 (i32.const 16)
        (i32.add (i32.load8_u (i32.const 16)) (i32.const 1))))
    (func $open (param $flags i32) (result i32)
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4)
        (local.get $flags)
        (select (i64.const 0) (i64.const 0x400146) ;; all that a file may be
          (i32.eq (local.get $flags) (i32.const 2)))
        (i64.const 0) (i32.const 0) (i32.const 48)))
    (func $made (result i32) ;; a file, open
      (drop (call $open (i32.const 1)))
      (i32.load (i32.const 48)))
    (func $buffer (param $length i32)
      (i32.store (i32.const 32) (i32.const 65536))
      (i32.store (i32.const 36) (local.get $length)))
    (func $put (param $fd i32) (param $length i32) (result i32)
      (call $buffer (local.get $length))
      (call $fd_write (local.get $fd) (i32.const 32) (i32.const 1)
        (i32.const 52)))
    (func $run (export "run") (param $n i32) (result i32) (local $e i32)
      ${body})
    (func $amount (result i32) (local $at i32) (local $n i32) (local $c i32)
      (drop (call $args_get (i32.const 64) (i32.const 128)))
      (local.set $at (i32.load (i32.const 68)))
      (block (loop
        (local.set $c (i32.load8_u (local.get $at)))
        (br_if 1 (i32.eqz (local.get $c)))
        (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10))
          (i32.sub (local.get $c) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br 0)))
      (local.get $n))
    (func (export "_start") (call $proc_exit (call $run (call $amount)))))`);
}

/** Text that does something `$n` times, and gives what the last one gave. */
export function times(once: string): string {
  return `(block (loop
      (br_if 1 (i32.eqz (local.get $n)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (local.set $e ${once})
      (br 0)))
    (local.get $e)`;
}

/** A module that echoes, or replies with as many bytes as `reply` is told. */
export function echo(): Promise<Uint8Array<ArrayBuffer>> {
  return wat(`(module
    (memory (export "memory") 4)
    (func (export "wasm_sandbox_alloc") (param i32) (result i32)
      (i32.const 1024))
    (func (export "echo") (param i32 i32) (result i64)
      (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
        (i64.extend_i32_u (local.get 1))))
    (func (export "reply") (param i32 i32) (result i64)
      (i64.or (i64.shl (i64.const 1024) (i64.const 32))
        (i64.extend_i32_u (i32.load (local.get 0)))))
    (func (export "answer") (result i32) (i32.const 42)))`);
}
