/**
 * Where the events of audits go: memory, files, and policies learned of them.
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
