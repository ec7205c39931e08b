/**
 * Tests that were written for the default runtime, on Wasmtime: whatever they
 * make names it, unless they name a runtime or the isolation "process".
 */

import { Sandbox } from "../../mod.ts";
import { LIBRARY } from "./_wasmtime.ts";

/** What is V8's own: its name, its count of memories, its exceptions. */
const OF_V8: readonly RegExp[] = [
  /shows memory, and enforcement\(\) who enforces/,
  /takes resets and fresh calls in turn/,
  // guests with exceptions of the older kind
  /^(sleep_caught|exit_caught|exit_finally):/,
  /^an exit that is not granted ends the guest as well/,
  /in a process|, process/,
];

/** Proposals that the tests allow although their guests do not use them. */
const LACKED = { legacyExceptions: false };

if (LIBRARY !== undefined) {
  const { create } = Sandbox;
  Sandbox.create = (options, operation) => {
    const { runtime, isolation } = options;
    if (runtime !== undefined || isolation === "process") {
      return create.call(Sandbox, options, operation);
    }
    const features = { ...options.features, ...LACKED };
    const given = options.features === undefined ? {} : { features };
    const ported = { ...options, ...given, runtime: "wasmtime" };
    return create.call(Sandbox, ported, operation);
  };
  port();
  await import("../sandbox_test.ts");
  await import("../execute_test.ts");
  await import("../hostile_wasi_test.ts");
}

/** Registers tests under another name, and leaves out those of V8 alone. */
function port(): void {
  const { test } = Deno;
  const named = (name: string, rest: readonly unknown[]) => {
    if (OF_V8.some((pattern) => pattern.test(name))) return;
    Reflect.apply(test, Deno, [`on Wasmtime: ${name}`, ...rest]);
  };
  const ported = (first: unknown, ...rest: readonly unknown[]) => {
    if (typeof first === "string") named(first, rest);
    else throw new TypeError("Cannot port a test without a name");
  };
  Object.defineProperty(Deno, "test", { value: ported });
}
