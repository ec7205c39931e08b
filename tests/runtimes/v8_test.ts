import { V8Runtime } from "../../runtime/mod.ts";
import { testRuntime } from "../../testing/mod.ts";

await testRuntime("V8Runtime", () => new V8Runtime());
