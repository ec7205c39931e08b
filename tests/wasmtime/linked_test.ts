import { assertEquals } from "@std/assert";
import { wat } from "../wasm.ts";
import { open, testOnWasmtime } from "./_wasmtime.ts";

testOnWasmtime(
  "WasmtimeRuntime links modules that import from each other in a circle",
  async () => {
    await using runtime = await open();
    const limits = { memoryBytes: 8 * 65_536 };
    const compile = async (text: string) =>
      await runtime.compile(await wat(text), { limits });
    const main = await compile(`(module
    (import "lib" "even" (func $even (param i32) (result i32)))
    (import "lib" "memory" (memory 1))
    (import "lib" "g" (global $g i32))
    (func (export "odd") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (call $even (i32.sub (local.get 0) (i32.const 1))))
        (else (i32.const 0))))
    (func (export "grow") (result i32) (memory.grow (i32.const 100)))
    (func (export "peek") (result i32) (i32.load8_u (global.get $g))))`);
    const lib = await compile(`(module
    (import "main" "odd" (func $odd (param i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 16) "\\2a")
    (global (export "g") i32 (i32.const 16))
    (func (export "even") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (call $odd (i32.sub (local.get 0) (i32.const 1))))
        (else (i32.const 1)))))`);
    await using instance = await runtime.instantiate(main, { linked: { lib } });
    assertEquals(await instance.call("odd", [7]), 1);
    assertEquals(await instance.call("odd", [8]), 0);
    assertEquals(await instance.call("peek", []), 42);
    assertEquals(await instance.call("grow", []), -1);
  },
);

testOnWasmtime(
  "WasmtimeRuntime caps the memories of linked modules together",
  async () => {
    await using runtime = await open();
    const limits = { memoryBytes: 8 * 65_536 };
    const text = (imports: string) =>
      `(module ${imports} (memory 1)
      (func $grow (export "grow") (result i32) (memory.grow (i32.const 1)))
      (func (export "all") (result i32)
        (loop (br_if 0 (i32.ne (call $grow) (i32.const -1))))
        ${imports === "" ? "(i32.const 0)" : "(call $other)"}))`;
    const main = await runtime.compile(
      await wat(text(`(import "lib" "all" (func $other (result i32)))`)),
      { limits },
    );
    const lib = await runtime.compile(await wat(text("")), { limits });
    await using instance = await runtime.instantiate(main, { linked: { lib } });
    await instance.call("all", []);
    assertEquals(instance.usage().memoryBytes, 8 * 65_536);
  },
);
