/** Where a plugin comes from, and how its next version is read. */

import { join } from "node:path";
import type { OperationOptions } from "../../runtime/types.ts";
import { readSource } from "../../runtime/v8/source.ts";
import type { Gate } from "../gate.ts";
import { resolveLimits } from "../../security/limits.ts";
import { readPolicyFile } from "../../security/policy_file/parse.ts";
import { sha256 } from "../sha256.ts";
import { askOf, hashOf, type Wishes } from "./ask.ts";
import { refused } from "./errors.ts";
import { readStable, type ReadStableOptions } from "./read.ts";
import type { Candidate } from "./release.ts";
import type { Settings } from "./schema.ts";
import type { PluginOptions } from "./types.ts";

/** Where a plugin comes from. */
export interface PluginSource {
  readonly options: PluginOptions;
  /** Path of its policy file, which need not be there. */
  readonly policyFile?: string;
}

/** What sources are read with. */
export interface SourceContext {
  readonly settings: Settings;
  /** Lets so many files be read at a time. */
  readonly reading: Gate;
}

/** What every module begins with: "\0asm". */
const MAGIC = Uint8Array.of(0, 0x61, 0x73, 0x6d);

/** Longest policy file. */
const MAX_POLICY_BYTES = 262_144;

/** The source of a plugin of a directory. */
export function sourceIn(directory: string, name: string): PluginSource {
  return {
    options: { module: join(directory, `${name}.wasm`) },
    policyFile: join(directory, `${name}.yaml`),
  };
}

/**
 * Reads a version: its bytes once, and then what it asks for. What is hashed,
 * checked and compiled are these bytes.
 *
 * @throws {SandboxError} If it cannot be read, or is not what is pinned.
 */
export async function readCandidate(
  name: string,
  { options, policyFile }: PluginSource,
  { settings, reading }: SourceContext,
  { signal }: OperationOptions,
): Promise<Candidate> {
  const how = {
    gate: reading,
    quietMs: settings.debounceMs,
    timeoutMs: settings.settleTimeoutMs,
    // who names a file may name a link; who finds one in a directory may not
    followLinks: policyFile === undefined,
    signal,
  };
  const wishes: Wishes = policyFile === undefined
    ? options
    : await readWishes(policyFile, how, settings);
  const ask = askOf(wishes, settings);
  const module = await readModule(options.module, {
    ...how,
    magic: MAGIC,
    maxBytes: Math.min(
      ask.limits.moduleBytes,
      // a plugin must not choose how much is read of it
      Math.max(
        settings.ceiling.limits.moduleBytes,
        resolveLimits({}).moduleBytes,
      ),
    ),
  });
  const hash = await sha256(module);
  checkPin(name, hash, options);
  return {
    name,
    module,
    sha256: hash,
    id: await hashOf(ask, hash),
    ask,
    options,
  };
}

async function readModule(
  source: PluginOptions["module"],
  options: ReadStableOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const isFile = typeof source === "string" ||
    source instanceof URL && source.protocol === "file:";
  return isFile
    ? await readStable(source, options)
    : await readSource(source, options);
}

/** What a policy file asks for; nothing, if there is none. */
async function readWishes(
  path: string,
  options: Omit<ReadStableOptions, "maxBytes">,
  { kinds }: Settings,
): Promise<Wishes> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
  return await readPolicyFile(path, {
    kinds,
    read: (path) =>
      readStable(path, { ...options, maxBytes: MAX_POLICY_BYTES }),
  });
}

function checkPin(
  name: string,
  hash: string,
  { sha256: pinned }: PluginOptions,
): void {
  if (pinned === undefined || pinned.toLowerCase() === hash) return;
  throw refused(
    name,
    `its module has the sha256 ${hash}, and ${pinned.toLowerCase()} is pinned`,
    "load the module that is meant, or pin this one",
  );
}
