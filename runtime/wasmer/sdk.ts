/**
 * Finds the SDK of Wasmer and reads it. None of it runs in the host: its text
 * is sent to the guest's process, which may read no files.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { imported } from "./links.ts";
import { ENTRIES, type SdkFiles } from "./sdk_files.ts";

/** Versions whose files and interface are known. */
const VERSIONS = /^0\.16\.\d+$/;
/** Most files and bytes; it has nine of some 5 MB. */
const MAX_FILES = 64;
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Reads the SDK from where Deno keeps packages of npm.
 *
 * @returns Its files: those that its browser entry needs.
 * @throws {SandboxError} With code `runtime-unavailable`.
 */
export async function loadSdk(): Promise<SdkFiles> {
  const root = await findSdk();
  const { state } = await Deno.permissions.query({ name: "read", path: root });
  if (state !== "granted") throw mayNotRead(root);
  try {
    return await readSdk(root);
  } catch (cause) {
    if (SandboxError.is(cause)) throw cause;
    throw unavailable(`its files cannot be read: ${reasonOf(cause)}`, cause);
  }
}

/** Where the package is; it is fetched if Deno may and it is not there. */
async function findSdk(): Promise<URL> {
  try {
    // as text, so that nothing of it runs; now Deno knows where it is
    await import("npm:@wasmer/sdk@^0.16.0/browser", {
      with: { type: "text" },
    });
  } catch (cause) {
    throw unavailable(reasonOf(cause), cause);
  }
  const entry = import.meta.resolve("npm:@wasmer/sdk@^0.16.0/browser");
  if (!entry.startsWith("file:") || !entry.endsWith(ENTRIES.program)) {
    throw unavailable(`Deno does not say where it is, but ${entry}`);
  }
  return new URL(entry.slice(0, -ENTRIES.program.length + 1));
}

async function readSdk(root: URL): Promise<SdkFiles> {
  const decoder = new TextDecoder();
  const about = await Deno.readTextFile(new URL("package.json", root));
  const { version }: { version?: unknown } = JSON.parse(about);
  if (!VERSIONS.test(String(version))) {
    throw unavailable(`its version is ${version}, and known is 0.16`);
  }
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const wanted: string[] = Object.values(ENTRIES);
  let bytes = 0;
  for (const path of wanted) {
    if (files.has(path)) continue;
    const content = await Deno.readFile(new URL(`.${path}`, root));
    bytes += content.length;
    if (bytes > MAX_BYTES || files.size === MAX_FILES) {
      throw unavailable("it is larger than any version that is known");
    }
    files.set(path, content);
    if (path === ENTRIES.engine) continue;
    wanted.push(...imported(path, decoder.decode(content)));
  }
  return files;
}

function mayNotRead(root: URL): SandboxError<"runtime-unavailable"> {
  const path = decodeURIComponent(root.pathname);
  return unavailable(
    `this program may not read ${path}`,
    undefined,
    `pass --allow-read=${path}`,
  );
}

const GET_IT =
  "get it with deno cache npm:@wasmer/sdk@^0.16.0, or add it to the project " +
  "with deno add npm:@wasmer/sdk@^0.16.0";

function unavailable(
  reason: string,
  cause?: unknown,
  suggestion: string = GET_IT,
): SandboxError<"runtime-unavailable"> {
  return new SandboxError(
    "runtime-unavailable",
    `Cannot use the runtime "wasmer": there is no SDK of Wasmer, for ` +
      `${reason} (${suggestion})`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { runtime: "wasmer", reason, suggestion },
    },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
