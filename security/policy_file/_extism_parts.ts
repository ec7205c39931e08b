/** What becomes of the parts of an Extism manifest. */

import { isAbsolute, resolve } from "node:path";
import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { Capabilities } from "../capabilities.ts";
import { LIMIT_TABLE } from "../limit_table.ts";
import type { ResourceLimits } from "../limits.ts";
import type { SecurityPolicy } from "../policy.ts";
import type { Capability } from "../types.ts";
import type { AllowedPath, Manifest } from "./_extism_manifest.ts";
import { formatLimit } from "./_limits.ts";
import { pathText } from "./problems.ts";

/** Notes that a policy does not do as the manifest says. */
export type Note = (path: string, message: string) => void;

const PAGE_BYTES = 65_536;

/** Notes what is no matter of a policy, or cannot be had here. */
export function noteOthers(manifest: Manifest, note: Note): void {
  const { wasm, config, maxVarBytes, maxHttpResponseBytes } = manifest;
  if (wasm.length > 0) {
    note(
      "wasm",
      "A policy names no modules: give them to the sandbox.",
    );
  }
  for (const [index, { hash }] of wasm.entries()) {
    if (hash === undefined || hash === null) continue;
    note(`wasm[${index}].hash`, "The hash of the module is not checked.");
  }
  const names = Object.keys(config);
  if (names.length > 0) {
    note(
      "config",
      `There is no configuration of plugins here: ${
        names.map(quote).join(", ")
      } would have to be environment variables.`,
    );
  }
  if (maxVarBytes !== undefined) {
    note("memory.max_var_bytes", "There are no variables of plugins here.");
  }
  if (maxHttpResponseBytes !== undefined) {
    note(
      "memory.max_http_response_bytes",
      "Replies over the network are not limited one by one; networkBytes " +
        "limits them together.",
    );
  }
}

/** Translates limits. */
export function importLimits(
  { maxPages, timeoutMs }: Manifest,
  note: Note,
): ResourceLimits {
  if (maxPages === undefined) {
    note(
      "memory.max_pages",
      "Without it Extism has no limit; here the " +
        "default holds.",
    );
  }
  if (timeoutMs === undefined) {
    note(
      "timeout_ms",
      "Without it Extism has no limit; here the default " +
        "holds.",
    );
  }
  return {
    ...(maxPages === undefined ? {} : {
      memoryBytes: within(
        "memoryBytes",
        maxPages * PAGE_BYTES,
        (message) => note("memory.max_pages", message),
      ),
    }),
    ...(timeoutMs === undefined ? {} : {
      timeoutMs: within(
        "timeoutMs",
        timeoutMs,
        (message) => note("timeout_ms", message),
      ),
    }),
  };
}

function within(
  name: "memoryBytes" | "timeoutMs",
  amount: number,
  note: (message: string) => void,
): number {
  const { min, max } = LIMIT_TABLE[name];
  const kept = Math.min(Math.max(amount, min), max);
  if (kept !== amount) {
    note(`It is out of range here: ${name} is ${formatLimit(name, kept)}.`);
  }
  return kept;
}

/** Translates `allowed_hosts`. */
export function importHosts(
  { allowedHosts }: Manifest,
  policy: SecurityPolicy,
  note: Note,
): SecurityPolicy {
  let result = policy;
  for (const [index, pattern] of allowedHosts.entries()) {
    const path = pathText(["allowed_hosts", index]);
    const capability = hostOf(pattern);
    if (typeof capability !== "string") {
      result = result.allowCapability(capability);
    } else note(path, `${quote(pattern)} is not granted: ${capability}.`);
  }
  if (result !== policy) {
    note("allowed_hosts", "Extism allows every port; granted are 80 and 443.");
  }
  return result;
}

/** The grant of a host; what is against it, if there can be none. */
function hostOf(pattern: string): Capability | string {
  const name = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  if (/[*?[\]!{}]/.test(name)) {
    return 'of patterns only "*." before a domain can be granted';
  }
  try {
    const host = {
      host: pattern,
      ports: [80, 443],
      schemes: ["http", "https"],
      methods: ["*"],
    };
    const capability = Capabilities.networkAccess([host]);
    return capability.hosts[0]?.host === pattern
      ? capability
      : "Extism compares hosts as the URL standard writes them, and this is " +
        "written otherwise";
  } catch (error) {
    return reasonOf(error);
  }
}

/** What paths are translated with. */
export interface PathContext {
  readonly note: Note;
  /** What relative paths are relative to. */
  readonly baseDirectory: string | undefined;
}

/** Translates `allowed_paths`. */
export function importPaths(
  { allowedPaths }: Manifest,
  policy: SecurityPolicy,
  { note, baseDirectory }: PathContext,
): SecurityPolicy {
  let result = policy;
  for (const allowed of allowedPaths) {
    const path = pathText(["allowed_paths", allowed.key]);
    const capability = mountOf(allowed, baseDirectory);
    if (typeof capability === "string") {
      note(path, `${quote(allowed.host)} is not granted: ${capability}.`);
      continue;
    }
    try {
      result = result.allowCapability(capability);
    } catch (error) {
      note(path, `${quote(allowed.host)} is not granted: ${reasonOf(error)}.`);
    }
  }
  if (result !== policy) {
    note(
      "allowed_paths",
      "Extism follows symbolic links that stay within a " +
        'directory; here they are refused, unless "symlinks" is "within".',
    );
  }
  return result;
}

/** The grant of a directory; what is against it, if there can be none. */
function mountOf(
  { host, guest, isReadOnly }: AllowedPath,
  baseDirectory: string | undefined,
): Capability | string {
  if (host === "") return "it has no path of the host";
  if (baseDirectory === undefined && !isAbsolute(host)) {
    return "it is not known what the path is relative to";
  }
  if (!guest.startsWith("/")) {
    return `${quote(guest)} is no absolute path of the guest ` +
      "(the JavaScript SDK has the guest's path first: dialect js)";
  }
  try {
    return Capabilities.filesystem({
      mounts: [{
        guest: guest.replace(/(?<=.)\/+$/, ""),
        host: resolve(baseDirectory ?? "/", host),
        access: isReadOnly ? "read" : "read-write",
      }],
    });
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (!SandboxError.is(error, "invalid-capability")) throw error;
  return error.details.problem;
}
