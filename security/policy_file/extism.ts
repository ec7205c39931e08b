import { CapabilityKinds } from "../kinds.ts";
import { SecurityPolicy } from "../policy.ts";
import { readManifest } from "./_extism_manifest.ts";
import {
  importHosts,
  importLimits,
  importPaths,
  noteOthers,
} from "./_extism_parts.ts";
import type { PolicyDocument } from "./document.ts";

/**
 * Whose manifest it is. Both name paths by pairs: `"native"` (the Rust library
 * and those around it) has the host's path first, `"js"` (the JavaScript SDK)
 * the guest's.
 */
export type ExtismDialect = "native" | "js";

/** Options of {@linkcode importExtismManifest}. */
export interface ImportExtismOptions {
  /**
   * Name of the file, for messages.
   *
   * @default {"manifest"}
   */
  source?: string;
  /**
   * What the paths of the host's directories are relative to. Without it they
   * must be absolute. (Extism takes the directory that a program runs in.)
   */
  baseDirectory?: string;
  /**
   * Whose manifest it is.
   *
   * @default {"native"}
   */
  dialect?: ExtismDialect;
  /** The kinds of capabilities; the built-in ones, if left out. */
  kinds?: CapabilityKinds;
}

/** Something that a policy does not do as the manifest says. */
export interface ImportNote {
  /** Where in the manifest: `memory.max_var_bytes`. */
  readonly path: string;
  /** What becomes of it, in a sentence. */
  readonly message: string;
}

/** What became of a manifest. */
export interface ImportedPolicy {
  /** The policy. It grants nothing that the manifest does not. */
  readonly document: PolicyDocument;
  /** Everything that is left out, or not quite the same. */
  readonly notes: readonly ImportNote[];
}

/**
 * Makes a policy out of the manifest of an Extism plugin: its limits, hosts and
 * paths. The format is that of `Manifest` in Extism's `manifest/src/lib.rs`;
 * the names of the JavaScript SDK (`allowedHosts`) will do, too.
 *
 * What a policy cannot express is not granted, and told in the notes.
 *
 * @example Usage
 * ```ts
 * import { importExtismManifest } from "@wasm-sandbox/core/policy";
 * import { assertEquals } from "@std/assert";
 *
 * const { document, notes } = importExtismManifest({
 *   wasm: [{ path: "plugin.wasm" }],
 *   memory: { max_pages: 16 },
 *   timeout_ms: 500,
 *   allowed_paths: { "ro:/srv/data": "/data" },
 *   config: { greeting: "hello" },
 * });
 * assertEquals(document.limits, { memoryBytes: 2 ** 20, timeoutMs: 500 });
 * assertEquals(
 *   document.policy.find("filesystem")?.mounts.map(({ access }) => access),
 *   ["read"],
 * );
 * assertEquals(
 *   notes.map(({ path }) => path),
 *   ["wasm", "config", "allowed_paths"],
 * );
 * ```
 *
 * @param manifest Its text, bytes, or the object.
 * @param options Its name and dialect.
 * @returns The policy, and what is not in it.
 * @throws {SandboxError} With code `invalid-policy`, if it is no manifest.
 */
export function importExtismManifest(
  manifest: string | Uint8Array | object,
  options: ImportExtismOptions = {},
): ImportedPolicy {
  const { source = "manifest", dialect = "native", baseDirectory } = options;
  const { kinds = new CapabilityKinds() } = options;
  const read = readManifest(manifest, { source, dialect });
  const notes: ImportNote[] = [];
  const note = (path: string, message: string) => notes.push({ path, message });
  noteOthers(read, note);
  const limits = importLimits(read, note);
  const hosts = importHosts(read, SecurityPolicy.strict(kinds), note);
  const policy = importPaths(read, hosts, { note, baseDirectory });
  return Object.freeze({
    document: Object.freeze({ policy, limits: Object.freeze(limits) }),
    notes: Object.freeze(notes),
  });
}
