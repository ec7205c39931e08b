/**
 * Manifests of wrappers, as the command line takes them.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { CliHost } from "./host.ts";

/** What a manifest's name ends in. */
const MANIFEST = /\.(?:ya?ml|json)$/i;

/**
 * Whether a file is a manifest, by its name.
 *
 * @param file Its path.
 * @returns Whether it is; a module, otherwise.
 */
export function isManifest(file: string): boolean {
  return MANIFEST.test(file);
}

/**
 * Reads the options of a wrapper from a manifest.
 *
 * @param host What files are read from.
 * @param file Path of the manifest.
 * @param type The wrapper that it must be of: `http_server`.
 * @returns The options.
 * @throws {ValidationError} If it is of another wrapper.
 * @throws {SandboxError} With code `invalid-manifest` or `invalid-policy`.
 */
export async function manifestOptions<O>(
  host: CliHost,
  file: string,
  type: string,
): Promise<O> {
  // reaches a parser of YAML, which other commands do not need
  const { readManifestFile } = await import("../wrappers/manifest/mod.ts");
  const manifest = await readManifestFile(file, {
    read: (path, maxBytes) => host.readFile(path, maxBytes),
  });
  if (manifest.type === type) return manifest.options as O;
  throw new ValidationError(
    `Cannot use ${quote(file)}: it is the manifest of ${manifest.type}, ` +
      `expected one of ${type}`,
  );
}

/**
 * Makes a wrapper. What it says of its options goes to who wrote them.
 *
 * @typeParam T The wrapper.
 * @param create Makes it.
 * @returns What that gives.
 * @throws {ValidationError} If the options are wrong.
 */
export async function created<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) {
      throw error;
    }
    throw new ValidationError(error.message, { cause: error });
  }
}
