import { InterpreterRuntime } from "../../examples/runtimes/interpreter/mod.ts";
import { testRuntime } from "../../testing/mod.ts";

await testRuntime("InterpreterRuntime", () => new InterpreterRuntime());
