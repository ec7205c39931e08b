import { WasmtimeRuntime } from "../../runtime/wasmtime/runtime.ts";
import { testRuntime } from "../../testing/mod.ts";
import { LIBRARY, wasmtimeTest } from "../_wasmtime.ts";

if (LIBRARY !== undefined) {
  await testRuntime("WasmtimeRuntime", () => WasmtimeRuntime.open());
} else wasmtimeTest("testRuntime() tests WasmtimeRuntime", () => {});
