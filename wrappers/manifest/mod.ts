/**
 * Manifests: a wrapper and its options, as YAML or JSON.
 *
 * ```yaml
 * version: 1
 * http_server:
 *   module: ./app.wasm
 *   limits: { timeoutMs: 2s }
 *   policy:
 *     - { type: clock }
 * ```
 *
 * @module
 */

export {
  MANIFEST_VERSION,
  type ManifestOptions,
  openManifest,
  parseManifest,
  type ParseManifestOptions,
  readManifestFile,
  type WrapperManifest,
} from "./parse.ts";
export { type ManifestSchema, manifestSchema } from "./schema.ts";
