/**
 * Security: what a guest may use, and what it may do.
 *
 * A {@linkcode SecurityPolicy} is a list of capabilities, which are plain data.
 * A {@linkcode CapabilityKind} is what one type of them means; register your
 * own with {@linkcode CapabilityKinds}. A {@linkcode SecurityAuditor} denies
 * what no capability permits, and tells of each decision.
 *
 * @example What a policy permits
 * ```ts
 * import {
 *   Capabilities,
 *   SecurityAuditor,
 *   SecurityPolicy,
 * } from "@wasm-sandbox/core/security";
 * import { assert } from "@std/assert";
 *
 * const policy = SecurityPolicy.from([Capabilities.hostFunctions(["env.log"])]);
 * const auditor = new SecurityAuditor(policy);
 * const asks = (resource: string) =>
 *   auditor.permits({
 *     capability: "host_functions",
 *     action: "call",
 *     resource,
 *     via: "log",
 *   });
 * assert(asks("env.log"));
 * assert(!asks("env.delete"));
 * ```
 *
 * @module
 */

export * from "./auditor.ts";
export * from "./capabilities.ts";
export type * from "./json_schema.ts";
export * from "./kinds.ts";
export * from "./limits.ts";
export * from "./policy.ts";
export type * from "./types.ts";
export type { RegisterOptions } from "../registry.ts";
export * from "./audit/learn.ts";
export * from "./audit/log.ts";
export * from "./audit/recorder.ts";
