/**
 * What the command `tool` does.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { printable } from "../_text.ts";
import {
  CliTool,
  type CliToolOptions,
  type InstalledTool,
  installTool,
  listTools,
  uninstallTool,
} from "../wrappers/cli_tool.ts";
import { CLOSED_PIPE, guestExitCode } from "./exit_codes.ts";
import { created, manifestOptions } from "./manifests.ts";
import type { Session } from "./session.ts";

/** Flags of everything about a directory. */
export interface PlaceFlags {
  readonly directory?: string;
  readonly json?: true;
  readonly force?: true;
}

/** Flags of `tool install`. */
export interface InstallFlags extends PlaceFlags {
  readonly name?: string;
  readonly denoArg?: readonly string[];
}

/**
 * Installs a tool.
 *
 * @param session The run of the command line.
 * @param flags Where, and under which name.
 * @param manifest Path of its manifest.
 */
export async function install(
  session: Session,
  { name, force, json, denoArg = [], ...place }: InstallFlags,
  manifest: string,
): Promise<void> {
  const directory = directoryOf(place);
  const tool = await created(() =>
    installTool({
      manifest,
      directory,
      force: force === true,
      denoArgs: denoArg,
      ...(name === undefined ? {} : { name }),
    })
  );
  if (json) return await session.printJson(tool);
  await session.host.stdout(`installed ${lineOf(tool)}`);
}

/**
 * Removes a tool.
 *
 * @param session The run of the command line.
 * @param flags Where it is.
 * @param name What it is called.
 */
export async function uninstall(
  session: Session,
  { force, json, ...given }: PlaceFlags,
  name: string,
): Promise<void> {
  const directory = directoryOf(given);
  const place = { directory, name, force: force === true };
  await created(() => uninstallTool(place));
  if (json) return await session.printJson({ name, directory });
  await session.host.stdout(`removed ${printable(name)}\n`);
}

/**
 * Lists the tools of a directory.
 *
 * @param session The run of the command line.
 * @param flags Which directory.
 */
export async function list(
  session: Session,
  { json, ...place }: PlaceFlags,
): Promise<void> {
  const tools = await listTools(directoryOf(place));
  if (json) return await session.printJson(tools);
  await session.host.stdout(tools.map(lineOf).join(""));
}

/** The directory, which nothing chooses but the user. */
function directoryOf({ directory }: PlaceFlags): string {
  if (directory !== undefined && directory !== "") return directory;
  throw new ValidationError(
    'Missing option "--directory": name a directory, as in --directory ~/.local/bin',
  );
}

function lineOf({ name, launcher, permissions }: InstalledTool): string {
  const flags = permissions.map((flag) => `  ${printable(flag)}\n`).join("");
  return `${name}: ${printable(launcher)}\n${flags}`;
}

/** What to run. */
export interface ToolCall {
  /** Path of the manifest. */
  readonly manifest: string;
  readonly args: readonly string[];
}

/**
 * Runs a tool with the standard streams of the command line.
 *
 * @param session The run of the command line.
 * @param call What to run.
 */
export async function run(
  session: Session,
  { manifest, args }: ToolCall,
): Promise<void> {
  const { host } = session;
  const options = await manifestOptions<CliToolOptions>(
    host,
    manifest,
    "cli_tool",
  );
  await using tool = await created(() => CliTool.create(options));
  const { stdin, stdout, stderr } = host.streams();
  await using stream = tool.stream(args, { stdin });
  const open = { preventClose: true };
  const outcomes = await Promise.allSettled([
    stream.status,
    stream.stdout.pipeTo(stdout, open),
    stream.stderr.pipeTo(stderr, open),
  ]);
  const [status] = outcomes;
  if (status.status === "rejected") throw status.reason;
  session.exitCode = guestExitCode(status.value.exitCode);
  for (const each of outcomes) {
    if (each.status !== "rejected") continue;
    if (!(each.reason instanceof Deno.errors.BrokenPipe)) throw each.reason;
    session.exitCode = CLOSED_PIPE;
  }
}
