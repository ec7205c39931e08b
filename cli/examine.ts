/**
 * Looks a module over without running it, however little of it is allowed.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import {
  DEFAULT_FEATURES,
  type ModuleFeatures,
  V8Runtime,
} from "../runtime/mod.ts";
import type { Module, WasmFeature } from "../runtime/types.ts";
import { describe } from "../runtime/v8/compiled.ts";
import { featureNames, FEATURES } from "../runtime/v8/features.ts";
import { gate } from "../runtime/v8/gate.ts";
import { ModuleParser } from "../runtime/v8/parse.ts";
import type { Settings } from "./limits.ts";

/** What a module declares, whether or not it is accepted. */
export interface Description extends Omit<Module, "byteLength"> {
  /** Whether its code was looked through, and not its declarations alone. */
  readonly complete: boolean;
}

/** What was learnt of a module. */
export interface Examination {
  /** Length of the module, in bytes. */
  readonly byteLength: number;
  /** Why it is not accepted; undefined if it is. */
  readonly failure: SandboxError | undefined;
  /** What it declares; undefined if that cannot be read. */
  readonly module: Description | undefined;
  /** Features that it uses and nobody has allowed. */
  readonly missingFeatures: readonly WasmFeature[];
}

/**
 * Looks a module over. Nothing of it runs.
 *
 * @param bytes The module; nobody else may change it.
 * @param settings What it would be allowed.
 * @returns What was learnt.
 */
export async function examine(
  bytes: Uint8Array<ArrayBuffer>,
  { limits, features }: Pick<Settings, "limits" | "features">,
): Promise<Examination> {
  const module = declarations(bytes);
  return {
    byteLength: bytes.length,
    failure: await verdict(bytes, { limits, features }),
    module,
    missingFeatures: (module?.features ?? []).filter((name) =>
      !(features[name] ?? DEFAULT_FEATURES[name])
    ),
  };
}

async function verdict(
  bytes: Uint8Array<ArrayBuffer>,
  options: Pick<Settings, "limits" | "features">,
): Promise<SandboxError | undefined> {
  await using runtime = new V8Runtime();
  try {
    await runtime.compile(bytes, options);
    return undefined;
  } catch (error) {
    if (SandboxError.is(error)) return error;
    throw error;
  }
}

/** No limit at all: what runs under it would be, but nothing does. */
const UNLIMITED = {
  deadline: true,
  fuel: false,
  tableElements: Infinity,
} as const;

/** What the module declares, as far as that can be read. */
function declarations(
  bytes: Uint8Array<ArrayBuffer>,
): Description | undefined {
  return attempt(() => {
    const features: ModuleFeatures = Object.fromEntries(
      FEATURES.map((name) => [name, true]),
    );
    const bounds = { moduleBytes: Infinity, functionBytes: Infinity };
    const gated = gate(bytes, UNLIMITED, { features, ...bounds });
    return { ...describe(gated), complete: true };
  }) ?? attempt(() => {
    const layout = new ModuleParser(bytes).parse();
    const features = featureNames(layout.features);
    return { ...describe({ layout, features }), complete: false };
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (SandboxError.is(error)) return undefined;
    throw error;
  }
}
