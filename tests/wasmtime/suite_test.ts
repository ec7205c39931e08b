import { WasmtimeRuntime } from "../../runtime/wasmtime/runtime.ts";
import { testRuntime } from "../../testing/mod.ts";
await testRuntime("WasmtimeRuntime", () => WasmtimeRuntime.open());
