/**
 * What host and child say to each other beside what every process says.
 *
 * @module
 */

import type { ResourceLimits } from "../../security/limits.ts";
import type { Capability } from "../../security/types.ts";
import type { ModuleFeatures } from "../types.ts";

/** Path of the guest's module among the files of the first message. */
export const MODULE_PATH = "/module.wasm";

/** The first message to a child; the body is the module and the SDK, as files. */
export interface WasmerOpen {
  /** All limits; an infinite `timeoutMs` is left out, for the host keeps it. */
  readonly limits: ResourceLimits;
  /** Which proposals the module may use. */
  readonly features: ModuleFeatures;
  /** What is granted. */
  readonly capabilities: readonly Capability[];
  /** What the engine's own memory, with the files in it, may grow to. */
  readonly enginePages: number;
  /** Process id of the host, without which the child does not live on. */
  readonly hostPid: number;
  /** Whether the child must look after its host by itself. */
  readonly watch: boolean;
}
