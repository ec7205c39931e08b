/**
 * The conformance suite for runtimes.
 *
 * @module
 */

import type { MaybePromise } from "../communication/types.ts";
import type { Runtime, RuntimeFeatures } from "../runtime/types.ts";
import { denoTest } from "./_declare.ts";
import { CALL_CASES } from "./_runtime_call_cases.ts";
import type {
  Case,
  PlaceCase,
  RuntimeCase,
  SandboxCase,
} from "./_runtime_case.ts";
import { COMMAND_CASES } from "./_runtime_command_cases.ts";
import { COMPILE_CASES } from "./_runtime_compile_cases.ts";
import {
  FEATURE_CASES,
  SANDBOX_FEATURE_CASES,
} from "./_runtime_feature_cases.ts";
import { FUEL_CASES } from "./_runtime_fuel_cases.ts";
import { GRANT_CASES } from "./_runtime_grant_cases.ts";
import { HOSTILE_CASES } from "./_runtime_hostile_cases.ts";
import { HOST_CASES } from "./_runtime_host_cases.ts";
import { HOST_MODULE_CASES } from "./_runtime_host_module_cases.ts";
import { INSTANCE_CASES } from "./_runtime_instance_cases.ts";
import { LEAK_CASES } from "./_runtime_leak_cases.ts";
import { LIFE_CASES, SANDBOX_LIFE_CASES } from "./_runtime_life_cases.ts";
import { LIMIT_CASES } from "./_runtime_limit_cases.ts";
import { MESSAGE_CASES } from "./_runtime_message_cases.ts";
import { placeKinds, sandboxKinds } from "./_runtime_place.ts";
import { SANDBOX_LIMIT_CASES } from "./_runtime_sandbox_limit_cases.ts";
import { SERVICE_CASES } from "./_runtime_service_cases.ts";
import { STRESS_CASES } from "./_runtime_stress_cases.ts";
import { TRAP_CASES } from "./_runtime_trap_cases.ts";

/** Options of {@linkcode testRuntime}. */
export interface RuntimeSuiteOptions {
  /**
   * Registers a test with your runner.
   *
   * @default {Deno.test, with its sanitizers on}
   */
  test?: (name: string, run: () => Promise<void>) => void;
  /**
   * Where guests are run in sandboxes.
   *
   * @default {wherever the runtime says that they can run}
   */
  isolations?: RuntimeFeatures["isolations"];
}

/**
 * Registers the tests that every runtime has to pass. It opens the runtime
 * once, to read its `features`, and demands that what they claim holds, by
 * effect, and that what they do not claim is refused: proposals, values, traps,
 * messages, host functions, every limit, every grant of WASI, linked modules,
 * disposal, leaks and hostile guests. Guests run through the interface of the
 * runtime itself, and in sandboxes of every isolation; those of a runtime
 * without `calls` are commands alone.
 *
 * Await it: tests that are registered late do not run.
 *
 * @example A whole test file
 * ```ts ignore
 * import { V8Runtime } from "@wasm-sandbox/core/runtime";
 * import { testRuntime } from "@wasm-sandbox/core/testing";
 *
 * await testRuntime("V8Runtime", () => new V8Runtime());
 * ```
 *
 * @param name Name of the class, for the names of the tests.
 * @param open Opens a runtime, another for each test.
 * @param options How tests are registered, and where guests run.
 */
export async function testRuntime(
  name: string,
  open: () => MaybePromise<Runtime>,
  { test = denoTest, isolations: only }: RuntimeSuiteOptions = {},
): Promise<void> {
  const features = await featuresOf(open);
  const add = (title: string, run: (runtime: Runtime) => Promise<void>) =>
    test(`${name} ${title}`, async () => {
      await using runtime = await open();
      await run(runtime);
    });
  const isFor = ({ applies }: Case) => applies?.(features) ?? true;
  const again = () => Promise.resolve(open());
  for (const { name, run } of RUNTIME_CASES.filter(isFor)) {
    add(name, (runtime) => run({ runtime, open: again }));
  }
  for (const place of placeKinds(features, only)) {
    for (const { name, run, where } of PLACE_CASES.filter(isFor)) {
      if (where !== undefined && where !== place.name) continue;
      add(`${place.name} ${name}`, (runtime) => run(place.make(runtime)));
    }
  }
  for (const place of sandboxKinds(features, only)) {
    for (const { name, run } of SANDBOX_CASES.filter(isFor)) {
      add(`${place.name} ${name}`, (runtime) => run(place.make(runtime)));
    }
  }
}

async function featuresOf(
  open: () => MaybePromise<Runtime>,
): Promise<RuntimeFeatures> {
  await using runtime = await open();
  return runtime.features;
}

/** Of the runtime's own interface. */
const RUNTIME_CASES: readonly RuntimeCase[] = [
  ...FEATURE_CASES,
  ...COMPILE_CASES,
  ...LIFE_CASES,
];

/** Of every place that functions can be called in. */
const PLACE_CASES: readonly PlaceCase[] = [
  ...CALL_CASES,
  ...TRAP_CASES,
  ...INSTANCE_CASES,
  ...MESSAGE_CASES,
  ...HOST_CASES,
  ...HOST_MODULE_CASES,
  ...LIMIT_CASES,
  ...FUEL_CASES,
  ...HOSTILE_CASES,
  ...STRESS_CASES,
  ...LEAK_CASES,
];

/** Of every isolation. */
const SANDBOX_CASES: readonly SandboxCase[] = [
  ...SANDBOX_FEATURE_CASES,
  ...COMMAND_CASES,
  ...GRANT_CASES,
  ...SERVICE_CASES,
  ...SANDBOX_LIMIT_CASES,
  ...SANDBOX_LIFE_CASES,
];
