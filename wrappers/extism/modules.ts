/**
 * Gets the modules of a manifest.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { readSource } from "../../runtime/v8/source.ts";
import { sha256 } from "../sha256.ts";
import { compiled, type ManifestContext } from "./manifest.ts";
import type { ManifestWasm } from "./types.ts";

/** Name of the module that is called. */
export const MAIN = "main";

/** The modules of a plug-in. */
export interface PluginModules {
  /** The one that is called. */
  readonly main: Uint8Array<ArrayBuffer>;
  /** The others, by the names that they are imported from. */
  readonly linked: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** What modules are read with. */
export interface ModulesContext extends ManifestContext {
  /** Longest module. */
  readonly maxBytes: number;
}

/**
 * Reads the modules of a manifest, checks their hashes, and names them: the one
 * named `main` is called, or else the last.
 *
 * @param items What the manifest says of them.
 * @param context What they are read with.
 * @returns The modules.
 * @throws {SandboxError} If one cannot be read, or has another hash.
 * @throws {TypeError} If there is none, or two have the same name.
 */
export async function readModules(
  items: readonly ManifestWasm[],
  context: ModulesContext,
): Promise<PluginModules> {
  if (items.length === 0) {
    throw new TypeError(
      'Cannot make a plug-in: no wasm files specified (give "wasm" a module)',
    );
  }
  const names = namesOf(items);
  const linked: Record<string, Uint8Array<ArrayBuffer>> = Object.create(null);
  let main = new Uint8Array();
  for (const [index, item] of items.entries()) {
    const bytes = await readItem(item, context);
    if (item.hash !== undefined) await checkHash(item.hash, bytes);
    const name = names[index] ?? MAIN;
    if (name === MAIN) main = bytes;
    else linked[name] = bytes;
  }
  return { main, linked };
}

function namesOf(items: readonly ManifestWasm[]): readonly string[] {
  if (items.length === 1) return [MAIN];
  const last = items.length - 1;
  const hasMain = items.some(({ name }) => name === MAIN);
  const names = items.map(({ name }, index) =>
    index === last && !hasMain ? MAIN : name ?? String(index)
  );
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw new TypeError(
    `Cannot make a plug-in: Duplicate module name ${quote(twice)} in the ` +
      'manifest (a manifest with multiple modules must designate one "main" ' +
      "module)",
  );
}

async function readItem(
  item: ManifestWasm,
  context: ModulesContext,
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes, signal } = context;
  const options = { maxBytes, signal };
  if (item.module !== undefined) throw compiled(item);
  if (item.response !== undefined) {
    return await readSource(item.response, options);
  }
  if (item.path !== undefined) return await readSource(item.path, options);
  if (item.url !== undefined) return await fetchItem(item, context);
  const { data } = item;
  if (typeof data !== "string") {
    return await readSource(data as BufferSource, options);
  }
  return await readSource(fromBase64(data), options);
}

async function fetchItem(
  { url = "", method, headers }: ManifestWasm,
  { fetch, maxBytes, signal }: ModulesContext,
): Promise<Uint8Array<ArrayBuffer>> {
  const from = new URL(url);
  if (from.protocol === "file:") {
    return await readSource(from, { maxBytes, signal });
  }
  const response = await fetch(from, {
    headers: {
      accept: "application/wasm;q=0.9,application/octet-stream;q=0.8",
      ...headers,
    },
    ...(method === undefined ? {} : { method: method.toUpperCase() }),
    ...(signal === undefined ? {} : { signal }),
  });
  return await readSource(response, { maxBytes, signal });
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new TypeError(
      "Cannot make a plug-in: the data of a module is no base64",
      { cause },
    );
  }
}

async function checkHash(
  wanted: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const actual = await sha256(bytes);
  if (actual === wanted.toLowerCase()) return;
  const reason = "hash mismatch";
  throw new SandboxError(
    "module-refused",
    `Cannot make a plug-in: ${reason}. Expected: ${quote(wanted)}. Actual: ` +
      `${quote(actual)} (get the right module, or correct the hash)`,
    { details: { reason } },
  );
}
