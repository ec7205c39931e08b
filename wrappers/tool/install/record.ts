/** What an install writes down, for whoever lists and removes. */

import { quote, reasonOf } from "../../../_text.ts";
import { collect } from "../../../_streams.ts";
import { sha256 } from "../../sha256.ts";
import { cannot, FILES, kindOf, type Places } from "./places.ts";
import type { InstalledTool } from "./types.ts";

/** What is written down. */
export interface InstallRecord {
  readonly version: 1;
  /** SHA-256 of the module. */
  readonly sha256: string;
  /** SHA-256 of the command. */
  readonly launcherSha256: string;
  readonly permissions: readonly string[];
}

/** Longest file that is read whole: records and commands are far shorter. */
const MAX_BYTES = 1_048_576;

/**
 * Reads what was written down.
 *
 * @returns It, or nothing if nothing was.
 * @throws {SandboxError} With code `install-failed`, if it is none.
 */
export async function readRecord(
  { folder, record }: Places,
): Promise<InstallRecord | undefined> {
  if (await kindOf(folder) !== "directory") return undefined;
  if (await kindOf(record) === "none") return undefined;
  try {
    const text = new TextDecoder().decode(await readWhole(record));
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (error) {
    throw cannot("read", record, reasonOf(error), error);
  }
  throw cannot("read", record, "no install has written it");
}

/** Whether a command is as it was installed. */
export async function isUnchanged(
  { launcher }: Places,
  record: InstallRecord | undefined,
): Promise<boolean> {
  if (record === undefined || await kindOf(launcher) !== "file") return false;
  return await sha256(await readWhole(launcher)) === record.launcherSha256;
}

/**
 * Checks that removing a tool removes nothing of others.
 *
 * @throws {SandboxError} With code `install-failed`, if it would.
 */
export async function checkFolder({ folder }: Places): Promise<void> {
  const kind = await kindOf(folder);
  if (kind === "none") return;
  if (kind !== "directory") {
    throw cannot("remove", folder, "it is no directory");
  }
  const own: readonly string[] = Object.values(FILES);
  const others: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !own.includes(name)) others.push(quote(name));
  }
  if (others.length === 0) return;
  const problem = `it has ${others.join(", ")}, which no install has written ` +
    "(move it away)";
  throw cannot("remove", folder, problem);
}

/** A tool, by its places and what was written down. */
export function installedTool(
  { directory, name, launcher, manifest }: Places,
  { sha256, permissions }: InstallRecord,
): InstalledTool {
  return Object.freeze({
    directory,
    name,
    launcher,
    manifest,
    sha256,
    permissions: Object.freeze([...permissions]),
  });
}

async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await Deno.open(path);
  return await collect(file.readable, { maxBytes: MAX_BYTES });
}

function isRecord(value: unknown): value is InstallRecord {
  if (typeof value !== "object" || value === null) return false;
  const { version, sha256, launcherSha256, permissions } = value as Partial<
    Record<keyof InstallRecord, unknown>
  >;
  return version === 1 && isHash(sha256) && isHash(launcherSha256) &&
    Array.isArray(permissions) &&
    permissions.every((each) => typeof each === "string");
}

function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}
