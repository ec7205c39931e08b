/**
 * Where the events of audits go: memory, files that can be verified, and
 * policies learned of them. What needs neither files nor keys is in the main
 * entry too.
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
