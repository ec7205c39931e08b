/** Compiles a module with a folder of code, and prints what it answers. */

import { WasmtimeRuntime } from "../../runtime/wasmtime/runtime.ts";

const [cacheDir = ""] = Deno.args;
await using runtime = await WasmtimeRuntime.open({ cacheDir });
// (module (func (export "answer") (result i32) i32.const 42))
const module = await runtime.compile(Uint8Array.fromHex(
  "0061736d010000000105016000017f03020100" +
    "070a0106616e7377657200000a06010400412a0b",
));
await using instance = await runtime.instantiate(module);
await Deno.stdout.write(
  new TextEncoder().encode(`${await instance.call("answer", [])}\n`),
);
