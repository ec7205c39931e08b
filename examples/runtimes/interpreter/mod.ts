/**
 * A runtime of one's own, in one folder; README.md beside it says how it is
 * built, and one line registers it.
 *
 * @module
 */

export { InterpreterRuntime } from "./runtime.ts";
