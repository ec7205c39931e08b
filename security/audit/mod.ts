/**
 * Where the events of audits go: memory, files that can be verified, and
 * policies learned of them. What needs neither files nor keys is in the main
 * entry too.
 *
 * @example Keys for a log that can be verified
 * ```ts
 * import { auditKeyId, generateAuditKeys } from "@wasm-sandbox/core/audit";
 * import { assert } from "@std/assert";
 *
 * const keys = generateAuditKeys();
 * assert(auditKeyId(keys.publicKey).length > 0);
 * ```
 *
 * @module
 */

export * from "./file.ts";
export {
  auditKeyId,
  type AuditKeyPair,
  type AuditSigner,
  auditSigner,
  generateAuditKeys,
} from "./keys.ts";
export * from "./learn.ts";
export * from "./log.ts";
export * from "./recorder.ts";
export * from "./verify.ts";
