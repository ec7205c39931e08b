import { WasmerRuntime } from "../../runtime/wasmer/mod.ts";
import { testRuntime } from "../../testing/mod.ts";

await testRuntime("WasmerRuntime", () => WasmerRuntime.open());
