import { WasmtimeRuntime } from "../../runtime/wasmtime/runtime.ts";
import { testRuntime } from "../../testing/mod.ts";
import { LIBRARY } from "./_wasmtime.ts";

if (LIBRARY !== undefined) {
  await testRuntime("WasmtimeRuntime", () => WasmtimeRuntime.open());
}
