/**
 * Takes the library out of the wheel of Wasmtime's Python package, which pip
 * downloads from wherever its user has it.
 *
 * @module
 */

import { printable, reasonOf } from "../../_text.ts";
import type { Platform } from "./checksums.ts";
import { PINNED_VERSIONS } from "./checksums.ts";
import {
  cannotInstall,
  type Fetching,
  MAX_DOWNLOAD_BYTES,
} from "./download.ts";
import type { Wanted } from "./download_archive.ts";
import { zipMember } from "./download_zip.ts";

/** What a platform is called in the world of wheels. */
interface Wheel {
  /** The platform that pip is asked for. */
  readonly tag: string;
  /** The library within the wheel. */
  readonly member: string;
}

const WHEELS: Readonly<Record<Platform, Wheel>> = Object.freeze({
  "linux-x86_64": wheel("manylinux1_x86_64", "linux-x86_64/_libwasmtime.so"),
  "linux-aarch64": wheel(
    "manylinux2014_aarch64",
    "linux-aarch64/_libwasmtime.so",
  ),
  "darwin-x86_64": wheel(
    "macosx_10_13_x86_64",
    "darwin-x86_64/_libwasmtime.dylib",
  ),
  "darwin-aarch64": wheel(
    "macosx_11_0_arm64",
    "darwin-aarch64/_libwasmtime.dylib",
  ),
  "windows-x86_64": wheel("win_amd64", "win32-x86_64/_wasmtime.dll"),
  "windows-aarch64": wheel("win_arm64", "win32-aarch64/_wasmtime.dll"),
});

function wheel(tag: string, path: string): Wheel {
  return { tag, member: `wasmtime/${path}` };
}

/** How pip is called, on one machine or another. */
const COMMANDS: readonly (readonly [string, ...string[]])[] = Object.freeze([
  ["python3", "-m", "pip"],
  ["pip3"],
  ["python", "-m", "pip"],
  ["pip"],
  ["py", "-m", "pip"],
]);

/** How a Python without pip says so. */
const NO_PIP = /No module named '?pip/;

/**
 * Downloads a wheel by pip and takes the library out of it.
 *
 * @param wanted Which.
 * @param fetching Cancellation, and who is told.
 * @returns The library, not verified.
 * @throws {SandboxError} With code `runtime-unavailable`, unless it is
 * cancelled.
 */
export async function fromPip(
  wanted: Wanted,
  { signal, onProgress }: Fetching,
): Promise<Uint8Array<ArrayBuffer>> {
  const { tag, member } = WHEELS[wanted.platform];
  const folder = await Deno.makeTempDir({ prefix: "wasm-sandbox-" });
  try {
    onProgress({ step: "download", from: "pip" });
    await runPip(downloadArgs(wanted.version, { tag, folder }), signal);
    onProgress({ step: "unpack", from: "pip" });
    const bytes = await readWheel(folder);
    return await zipMember(bytes, member, wanted.pinned.bytes);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function downloadArgs(
  version: string,
  { tag, folder }: { tag: string; folder: string },
): string[] {
  return [
    "download",
    `wasmtime==${PINNED_VERSIONS[version]?.wheel ?? version}`,
    "--no-deps",
    "--only-binary=:all:",
    `--platform=${tag}`,
    `--dest=${folder}`,
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
  ];
}

async function runPip(
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const command of COMMANDS) {
    const ended = await runOne(command, args, signal);
    signal.throwIfAborted();
    if (ended === undefined) continue;
    if (ended.success) return;
    const said = new TextDecoder().decode(ended.stderr).trim();
    if (NO_PIP.test(said)) continue;
    // the first lines are about each attempt, the last about the outcome
    const reason = printable(said.split("\n").at(-1) ?? "");
    throw cannotInstall(`pip could not download it: ${reason}`);
  }
  const names = COMMANDS.map((command) => command.join(" ")).join(", ");
  throw cannotInstall(`no pip is at hand: none of ${names} can be run`);
}

/** Runs a program to its end; undefined if there is none of that name. */
async function runOne(
  [name, ...first]: readonly [string, ...string[]],
  args: readonly string[],
  signal: AbortSignal,
): Promise<Deno.CommandOutput | undefined> {
  try {
    return await new Deno.Command(name, {
      args: [...first, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal,
    }).output();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    signal.throwIfAborted();
    throw cannotInstall(`${name} cannot be run: ${reasonOf(cause)}`, { cause });
  }
}

async function readWheel(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".whl")) continue;
    const path = `${folder}/${name}`;
    const { size } = await Deno.stat(path);
    if (size <= MAX_DOWNLOAD_BYTES) return await Deno.readFile(path);
    throw cannotInstall(`the wheel is longer than ${MAX_DOWNLOAD_BYTES} bytes`);
  }
  throw cannotInstall("pip says that it went well, and there is no wheel");
}
