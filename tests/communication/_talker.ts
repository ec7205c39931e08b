/**
 * A guest that talks with its host, in the calling thread.
 *
 * @module
 */

import { GuestHost } from "../../runtime/guest_host.ts";
import { V8Runtime } from "../../runtime/mod.ts";
import type { CallStreams } from "../../communication/types.ts";
import type { Instance, WasmResult } from "../../runtime/types.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";
import { wat } from "../wasm.ts";
import type { Host } from "./_host.ts";

/** Calls `f`, sends, receives, reads, writes and logs, as often as it is told. */
const TALKER = await wat(`(module
  (import "wasm_sandbox" "version" (func $version (result i32)))
  (import "wasm_sandbox" "call"
    (func $call (param i32 i32 i32 i32) (result i64)))
  (import "wasm_sandbox" "receive" (func $receive (param i32) (result i64)))
  (import "wasm_sandbox" "take" (func $take (param i32 i32) (result i32)))
  (import "wasm_sandbox" "send" (func $send (param i32 i32) (result i32)))
  (import "wasm_sandbox" "read" (func $read (param i32 i32) (result i32)))
  (import "wasm_sandbox" "write" (func $write (param i32 i32) (result i32)))
  (import "wasm_sandbox" "log" (func $log (param i32 i32 i32)))
  (import "wasm_sandbox" "fail" (func $fail (param i32 i32)))
  (memory (export "memory") 4)
  (data (i32.const 0) "f")
  (data (i32.const 16) "{\\"key\\":\\"abc\\",\\"n\\":12345}")
  (data (i32.const 64) "\\ff\\fe")
  (func (export "version") (result i32) (call $version))
  (func (export "call") (param $n i32) (result i64) (local $last i64)
    (loop
      (local.set $last (call $call
        (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 23)))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $last))
  (func (export "ask") (param $n i32) (result i64) (local $last i64)
    (loop
      (local.set $last (call $call
        (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 23)))
      (drop (call $take (i32.const 1024) (i32.const 1024)))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $last))
  (func (export "bad_name") (param $n i32) (result i64) (local $last i64)
    (loop
      (local.set $last (call $call
        (i32.const 64) (i32.const 2) (i32.const 0) (i32.const 0)))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $last))
  (func (export "send") (param $n i32) (result i32) (local $last i32)
    (loop
      (local.set $last (call $send (i32.const 16) (i32.const 23)))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $last))
  (func (export "receive") (param i32) (result i64)
    (call $receive (local.get 0)))
  (func (export "log") (param $n i32) (param $length i32)
    (loop
      (call $log (i32.const 2) (i32.const 16) (local.get $length))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "copy") (result i32) (local $n i32) (local $all i32)
    (loop
      (local.set $n (call $read (i32.const 65536) (i32.const 65536)))
      (if (i32.gt_s (local.get $n) (i32.const 0)) (then
        (drop (call $write (i32.const 65536) (local.get $n)))
        (local.set $all (i32.add (local.get $all) (local.get $n)))
        (br 1))))
    (if (i32.lt_s (local.get $n) (i32.const 0)) (then
      (return (local.get $n))))
    (local.get $all))
  (func (export "fail") (result i32)
    (call $fail (i32.const 16) (i32.const 23)) (i32.const 1))
  (func (export "lie") (call $fail (i32.const -1) (i32.const -1))))`);

/** A guest and its host. */
export class Talker implements AsyncDisposable {
  /** The instance. */
  readonly instance: Instance;
  readonly #runtime: V8Runtime;
  readonly #host: GuestHost;

  private constructor(runtime: V8Runtime, instance: Instance, host: GuestHost) {
    this.#runtime = runtime;
    this.instance = instance;
    this.#host = host;
  }

  /** Makes a guest. */
  static async create(
    { services }: Host,
    limits: ResourceLimits = {},
  ): Promise<Talker> {
    const runtime = new V8Runtime();
    const host = new GuestHost({ services, limits: resolveLimits(limits) });
    const module = await runtime.compile(TALKER, { limits });
    const instance = await runtime.instantiate(module, {
      hostModules: host.modules,
      limits,
    });
    return new Talker(runtime, instance, host);
  }

  /** Calls an export. */
  call(
    name: string,
    args: readonly number[] = [],
    streams: CallStreams = {},
  ): Promise<WasmResult> {
    return this.#host.serve(
      name,
      streams,
      () => this.instance.call(name, args),
    );
  }

  /** Calls an export in the calling thread. */
  callSync(name: string, args: readonly number[] = []): WasmResult {
    return this.#host.serveSync(
      name,
      () => this.instance.callSync(name, args),
    );
  }

  /** Lets the instance go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime[Symbol.asyncDispose]();
  }
}
