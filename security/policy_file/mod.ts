/**
 * Policy files: what a guest may do and use, as YAML or JSON.
 *
 * ```yaml
 * version: 1
 * limits:
 *   memoryBytes: 64MiB
 *   timeoutMs: 2s
 * capabilities:
 *   - type: filesystem
 *     mounts:
 *       - { guest: /data, host: ./data, access: read }
 * ```
 *
 * @module
 */

export {
  type PolicyDocument,
  type PolicyFormat,
  type PolicyIsolation,
} from "./document.ts";
export { explainPolicy, type PolicyExplanation } from "./explain.ts";
export {
  type ExtismDialect,
  type ImportedPolicy,
  importExtismManifest,
  type ImportExtismOptions,
  type ImportNote,
} from "./extism.ts";
export {
  parsePolicy,
  type ParsePolicyOptions,
  readPolicyFile,
  type ReadPolicyOptions,
} from "./parse.ts";
export { POLICY_VERSION, type PolicySchema, policySchema } from "./schema.ts";
export { stringifyPolicy } from "./stringify.ts";
